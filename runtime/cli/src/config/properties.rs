//! Java's properties format, as `java.util.Properties` reads it.

/// A key, its value, and the number of the line that it begins on.
pub(super) type Property = (String, String, usize);

/// Reads a properties file. Everything is a property, so that nothing but an escape can be malformed.
///
/// # Errors
/// Names the line of a `\u` escape that is not four hexadecimal digits.
pub(super) fn parse(text: &str) -> Result<Vec<Property>, String> {
    let mut properties = Vec::new();
    for (number, line) in logical_lines(text) {
        let (key, value) = split(&line);
        let unescape =
            |part| unescape(part).ok_or_else(|| format!("line {number}: malformed \\u escape"));
        properties.push((unescape(key)?, unescape(value)?, number));
    }
    Ok(properties)
}

/// Lines with continuations joined; comments and blank lines are left out.
fn logical_lines(text: &str) -> Vec<(usize, String)> {
    let mut joined: Vec<(usize, String)> = Vec::new();
    let mut continues = false;
    for (index, line) in text.split('\n').enumerate() {
        let line = line.strip_suffix('\r').unwrap_or(line);
        let line = line.trim_start_matches([' ', '\t', '\x0c']);
        if !continues && (line.is_empty() || line.starts_with(['#', '!'])) {
            continue;
        }
        let backslashes = line.chars().rev().take_while(|c| *c == '\\').count();
        let goes_on = backslashes % 2 == 1;
        let body = if goes_on {
            &line[..line.len() - 1]
        } else {
            line
        };
        match joined.last_mut() {
            Some((_, last)) if continues => last.push_str(body),
            _ => joined.push((index + 1, body.to_owned())),
        }
        continues = goes_on;
    }
    joined
}

/// A key ends at the first `=`, `:` or blank that is not escaped.
fn split(line: &str) -> (&str, &str) {
    let mut escaped = false;
    let end = line.char_indices().find(|(_, c)| {
        let ends = !escaped && matches!(c, '=' | ':' | ' ' | '\t' | '\x0c');
        escaped = *c == '\\' && !escaped;
        ends
    });
    let Some((end, _)) = end else {
        return (line, "");
    };
    let blank = [' ', '\t', '\x0c'];
    let rest = line[end..].trim_start_matches(blank);
    let rest = rest.strip_prefix(['=', ':']).unwrap_or(rest);
    (&line[..end], rest.trim_start_matches(blank))
}

fn unescape(part: &str) -> Option<String> {
    let mut units: Vec<u16> = Vec::with_capacity(part.len());
    let mut chars = part.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            units.extend_from_slice(c.encode_utf16(&mut [0; 2]));
            continue;
        }
        match chars.next() {
            None => {}
            Some('t') => units.push(9),
            Some('n') => units.push(10),
            Some('f') => units.push(12),
            Some('r') => units.push(13),
            Some('u') => {
                let digits: String = chars.by_ref().take(4).collect();
                if digits.len() != 4 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
                    return None;
                }
                units.push(u16::from_str_radix(&digits, 16).ok()?);
            }
            Some(other) => units.extend_from_slice(other.encode_utf16(&mut [0; 2])),
        }
    }
    String::from_utf16(&units).ok()
}

#[cfg(test)]
mod tests {
    use super::parse;

    fn check(text: &str, expected: &[(&str, &str, usize)]) {
        let parsed = parse(text).unwrap();
        let parsed: Vec<_> = parsed
            .iter()
            .map(|(key, value, line)| (key.as_str(), value.as_str(), *line))
            .collect();
        assert_eq!(parsed, expected, "{text:?}");
    }

    #[test]
    fn reads_what_java_reads() {
        check(
            "a=1\nb = 2\nc:3\nd 4\ne",
            &[
                ("a", "1", 1),
                ("b", "2", 2),
                ("c", "3", 3),
                ("d", "4", 4),
                ("e", "", 5),
            ],
        );
        check(
            "# no\n! no\n\n   key.converter = x = y \r\n",
            &[("key.converter", "x = y ", 4)],
        );
        check(
            "a = 1,\\\n    2,\\\n    3\nb=4",
            &[("a", "1,2,3", 1), ("b", "4", 4)],
        );
        check(
            "a\\ b=1\nc\\=d=2\nwin=C\\:\\\\x",
            &[("a b", "1", 1), ("c=d", "2", 2), ("win", "C:\\x", 3)],
        );
        check(
            "a=\\u00e9\\ud83d\\ude00\\t!\nb=ends\\\\\nc=1",
            &[("a", "é😀\t!", 1), ("b", "ends\\", 2), ("c", "1", 3)],
        );
        check("a=1\\\n# goes on\n", &[("a", "1# goes on", 1)]);
    }

    #[test]
    fn names_the_line_of_a_malformed_escape() {
        assert_eq!(
            parse("a=1\nb=\\u12").unwrap_err(),
            "line 2: malformed \\u escape"
        );
        assert!(parse("b=\\u+123").is_err());
        assert!(parse("b=\\ud83d").is_err());
    }
}
