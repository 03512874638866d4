//! Rows of `COPY ... TO STDOUT` in text form, taken apart where they lie: what is unescaped only becomes shorter.

use std::ops::Range;

use memchr::memchr;

/// A column of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    Null,
    /// Where its text lies in the row.
    Text(Range<usize>),
}

/// Where the next row ends, without its line feed; one inside a value is escaped.
pub(crate) fn row_end(bytes: &[u8]) -> Option<usize> {
    memchr(b'\n', bytes)
}

/// How many bytes a row has that was too large to take; none where it is here.
pub(crate) fn left_out(row: &[u8]) -> Option<u64> {
    let bytes = row.strip_prefix(b"\\.")?;
    std::str::from_utf8(bytes).ok()?.parse().ok()
}

/// Takes a row apart into `fields`, which are emptied first.
pub(crate) fn split(row: &mut [u8], fields: &mut Vec<Field>) {
    fields.clear();
    let mut start = 0;
    loop {
        let end = memchr(b'\t', &row[start..]).map_or(row.len(), |len| start + len);
        fields.push(match memchr(b'\\', &row[start..end]) {
            None => Field::Text(start..end),
            Some(_) if row[start..end] == *b"\\N" => Field::Null,
            Some(at) => Field::Text(start..unescape(row, start + at, end)),
        });
        if end == row.len() {
            return;
        }
        start = end + 1;
    }
}

/// Moves text over its escapes, from the first of them on; returns where it ends now.
fn unescape(row: &mut [u8], first: usize, end: usize) -> usize {
    let (mut from, mut to) = (first, first);
    while from < end {
        let mut byte = row[from];
        from += 1;
        if byte == b'\\' && from < end {
            byte = match row[from] {
                b'b' => 0x08,
                b'f' => 0x0c,
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                b'v' => 0x0b,
                other => other,
            };
            from += 1;
        }
        row[to] = byte;
        to += 1;
    }
    to
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(row: &[u8]) -> Vec<Option<String>> {
        let mut row = row.to_vec();
        let mut fields = vec![Field::Null];
        split(&mut row, &mut fields);
        let text = |field: &Field| match field {
            Field::Null => None,
            Field::Text(at) => Some(String::from_utf8(row[at.clone()].to_vec()).unwrap()),
        };
        fields.iter().map(text).collect()
    }

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn columns_are_taken_apart_and_unescaped() {
        assert_eq!(
            texts(b"1\tone\t\\N\t"),
            [some("1"), some("one"), None, some("")]
        );
        assert_eq!(
            texts(br"a\tb\\c\nd	\\N	x\b\f\r\v	end"),
            [
                some("a\tb\\c\nd"),
                some("\\N"),
                some("x\u{8}\u{c}\r\u{b}"),
                some("end")
            ]
        );
        assert_eq!(texts(b""), [some("")]);
        assert_eq!(texts(b"\\"), [some("\\")]);
    }

    #[test]
    fn a_row_that_was_left_out_is_no_row() {
        assert_eq!(left_out(br"\.135266305"), Some(135_266_305));
        for row in [&br"\\.7"[..], br"\N", b".7", b"7", br"\.x", b""] {
            assert_eq!(left_out(row), None);
        }
    }

    #[test]
    fn a_row_ends_where_its_line_does() {
        assert_eq!(row_end(b"1\ta\\nb\n2"), Some(6));
        assert_eq!(row_end(b"1\ta"), None);
    }
}
