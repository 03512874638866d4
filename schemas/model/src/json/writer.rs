//! Strings and floating-point numbers as Jackson writes them, byte for byte.

use alloc::format;
use alloc::string::String;
use core::fmt::Write;

/// Writes a string with its quotes. Characters beyond the basic plane become two escaped halves.
pub fn write_string(out: &mut String, text: &str) {
    out.push('"');
    let mut start = 0;
    for (at, c) in text.char_indices() {
        if !(c < ' ' || c == '"' || c == '\\' || c > '\u{ffff}') {
            continue;
        }
        out.push_str(&text[start..at]);
        start = at + c.len_utf8();
        write_escaped(out, c);
    }
    out.push_str(&text[start..]);
    out.push('"');
}

fn write_escaped(out: &mut String, c: char) {
    match c {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\u{8}' => out.push_str("\\b"),
        '\u{c}' => out.push_str("\\f"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        _ => {
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04X}").expect("a String takes what is written");
            }
        }
    }
}

/// Writes a number as Java's `Double.toString` since Java 19 (older ones write superfluous digits now
/// and then), or its name as a string where it is none.
pub fn write_f64(out: &mut String, number: f64) {
    let plain = (1e-3..1e7).contains(&number.abs()) || number == 0.0;
    write_float(
        out,
        number.is_finite(),
        plain,
        &format!("{number:?}"),
        &format!("{number:e}"),
    );
}

/// Writes a number as Java's `Float.toString`, or its name as a string where it is none.
pub fn write_f32(out: &mut String, number: f32) {
    let plain = (1e-3..1e7).contains(&number.abs()) || number == 0.0;
    write_float(
        out,
        number.is_finite(),
        plain,
        &format!("{number:?}"),
        &format!("{number:e}"),
    );
}

fn write_float(out: &mut String, finite: bool, plain: bool, decimal: &str, scientific: &str) {
    if !finite {
        let name = match decimal {
            "inf" => "\"Infinity\"",
            "-inf" => "\"-Infinity\"",
            _ => "\"NaN\"",
        };
        out.push_str(name);
    } else if plain {
        out.push_str(decimal);
    } else {
        let (mantissa, exponent) = scientific
            .split_once('e')
            .expect("the scientific form has an exponent");
        out.push_str(mantissa);
        out.push_str(if mantissa.contains('.') { "E" } else { ".0E" });
        out.push_str(exponent);
    }
}
