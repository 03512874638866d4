//! A random value of any type, as SQL.

use crate::seed::Random;

use super::catalog::Column;

const TEXTS: &[&str] = &[
    "",
    " ",
    "a",
    "NULL",
    "\\N",
    "it's",
    "\"quoted\"",
    "back\\slash",
    "line\nbreak\ttab",
    "äöüß",
    "€😀",
    "\u{1}\u{7f}",
    "{a,b}",
];
const JSONS: &[&str] = &[
    "null",
    "{}",
    "[]",
    "\"text\"",
    "1e400",
    "-0.1000",
    r#"{"k": 1,  "k": 2}"#,
    r#"{"a": [1, {"b": null}], "ü": "\u00e4"}"#,
];

/// A value of a column, or null where it may be.
pub(super) fn of_column(random: &mut Random, column: &Column) -> String {
    if !column.is_not_null && random.one_in(5) {
        return "null".to_owned();
    }
    match &*column.declared {
        // Its check allows no less.
        "g.d_int" => random.within(0..1_000_000).to_string(),
        "g.d_int[]" => format!("array[{}]::g.d_int[]", random.within(0..100)),
        _ => of_type(random, &column.pg_type, column.is_enum),
    }
}

fn of_type(random: &mut Random, pg_type: &str, is_enum: bool) -> String {
    if let Some(element) = pg_type.strip_suffix("[]") {
        let element = |random: &mut Random| match random.one_in(4) {
            true => "null".to_owned(),
            false => of_type(random, element, is_enum),
        };
        let n = random.within(0..4);
        let elements: Vec<String> = (0..n).map(|_| element(random)).collect();
        return format!("array[{}]::{pg_type}", elements.join(", "));
    }
    if is_enum {
        let labels = format!("enum_range(null::{pg_type})");
        let place = random.number() % 1_000;
        return format!("({labels})[1 + {place} % cardinality({labels})]");
    }
    let value = plain(random, pg_type);
    format!("'{}'::{pg_type}", value.replace('\'', "''"))
}

/// `numeric(5,2)` is `numeric` with 5 and 2, `time(3) without time zone` is that without the 3.
fn parts(pg_type: &str) -> (String, Vec<i64>) {
    let Some((name, rest)) = pg_type.split_once('(') else {
        return (pg_type.to_owned(), Vec::new());
    };
    let (modifiers, rest) = rest.split_once(')').unwrap_or((rest, ""));
    let modifiers = modifiers.split(',').filter_map(|n| n.parse().ok());
    (format!("{name}{rest}"), modifiers.collect())
}

fn plain(random: &mut Random, pg_type: &str) -> String {
    let (name, modifiers) = parts(pg_type);
    let length = modifiers.first().copied();
    match &*name {
        "boolean" => random.one_in(2).to_string(),
        "smallint" => integer(random, i16::MIN.into(), i16::MAX.into()),
        "integer" => integer(random, i32::MIN.into(), i32::MAX.into()),
        "bigint" => integer(random, i64::MIN, i64::MAX),
        "oid" => integer(random, 0, u32::MAX.into()),
        "real" => float(random, "3.4028235e38", "1e-45"),
        "double precision" => float(random, "1.7976931348623157e308", "5e-324"),
        "numeric" => numeric(random, &modifiers),
        "money" => cents(random),
        "character varying" | "character" | "text" | "citext" | "bpchar" => text(random, length),
        "name" => format!("n{}", random.within(0..1_000)),
        "\"char\"" => "c".to_owned(),
        "json" | "jsonb" => pick(random, JSONS).to_owned(),
        "xml" => format!("<a b=\"{}\">x</a>", random.within(0..9)),
        "uuid" => uuid(random),
        "bytea" => format!("\\x{}", hex(random)),
        "bit" => bits(random, length.unwrap_or(1)),
        "bit varying" => {
            let most = length.unwrap_or(40).unsigned_abs();
            let n = random.within(0..most + 1);
            bits(random, n.cast_signed())
        }
        "hstore" => format!("k=>{}, \"ü\"\"\"=>NULL", random.within(0..9)).replace("\"\"\"", "\""),
        "ltree" => format!("a.b{}", random.within(0..9)),
        "tsvector" => format!("cat:{} fat", random.within(1..9)),
        "inet" => address(random),
        "cidr" => format!("10.{}.0.0/16", random.within(0..256)),
        "macaddr" => format!("08:00:2b:01:02:{:02x}", random.within(0..256)),
        "macaddr8" => format!("08:00:2b:01:02:03:04:{:02x}", random.within(0..256)),
        "point" => format!("({}.5,-{})", random.within(0..99), random.within(0..99)),
        range if range.ends_with("range") => self::range(random, range),
        time => moment(random, time),
    }
}

fn pick<'a>(random: &mut Random, pool: &[&'a str]) -> &'a str {
    let n = random.number() % pool.len().max(1) as u64;
    usize::try_from(n)
        .ok()
        .and_then(|n| pool.get(n))
        .unwrap_or(&"")
}

fn integer(random: &mut Random, min: i64, max: i64) -> String {
    let number = match random.within(0..8) {
        0 => min,
        1 => max,
        2 => 0.max(min),
        3 => 1,
        _ => min
            .saturating_add((random.number() >> 1).cast_signed() % max)
            .max(min),
    };
    number.to_string()
}

fn float(random: &mut Random, largest: &str, smallest: &str) -> String {
    match random.within(0..10) {
        0 => largest.to_owned(),
        1 => format!("-{largest}"),
        2 => smallest.to_owned(),
        3 => "0".to_owned(),
        4 => "-0".to_owned(),
        5 => random.within(0..1 << 40).to_string(),
        _ => format!("{}.{}", random.within(0..1_000), random.within(0..100_000)),
    }
}

fn numeric(random: &mut Random, modifiers: &[i64]) -> String {
    let sign = if random.one_in(3) { "-" } else { "" };
    match *modifiers {
        [_, scale] if scale < 0 => format!("{sign}{}00", random.within(0..999)),
        [precision, scale] => {
            // As many digits as there may be, and leading zeros of those.
            let digits = usize::try_from(precision.max(scale)).unwrap_or(1);
            let used = usize::try_from(precision).unwrap_or(1);
            let number: String = (0..digits)
                .map(|place| match place < digits - used {
                    true => '0',
                    false => char::from(b'0' + u8::try_from(random.within(0..10)).unwrap_or(0)),
                })
                .collect();
            let whole = digits - usize::try_from(scale).unwrap_or(0);
            format!("{sign}0{}.{}0", &number[..whole], &number[whole..])
        }
        _ => match random.within(0..4) {
            0 => "1e100".to_owned(),
            1 => format!("{sign}{}.{:03}00", random.number(), random.within(0..1_000)),
            2 => format!("{sign}0.{:040}", random.within(0..1 << 40)),
            _ => random.within(0..1_000).to_string(),
        },
    }
}

fn cents(random: &mut Random) -> String {
    match random.within(0..6) {
        0 => "-92233720368547758.08".to_owned(),
        1 => "92233720368547758.07".to_owned(),
        2 => "0".to_owned(),
        _ => format!(
            "-{}.{:02}",
            random.within(0..1_000_000),
            random.within(0..100)
        ),
    }
}

fn text(random: &mut Random, length: Option<i64>) -> String {
    let text = match random.within(0..6) {
        // Large enough to be stored beside the row.
        0 if length.is_none() => hex(random).repeat(100),
        1 => format!("word {}", random.within(0..1_000)),
        _ => pick(random, TEXTS).to_owned(),
    };
    let most = length.map_or(usize::MAX, |n| usize::try_from(n).unwrap_or(0));
    text.chars().take(most).collect()
}

fn hex(random: &mut Random) -> String {
    let n = random.within(0..40);
    (0..n)
        .map(|_| format!("{:02x}", random.within(0..256)))
        .collect()
}

fn uuid(random: &mut Random) -> String {
    let (high, low) = (random.number(), random.number());
    let hex = format!("{high:016x}{low:016x}");
    hex
}

fn bits(random: &mut Random, n: i64) -> String {
    (0..n)
        .map(|_| if random.one_in(2) { '1' } else { '0' })
        .collect()
}

fn address(random: &mut Random) -> String {
    let n = random.within(0..256);
    match random.within(0..3) {
        0 => format!("10.0.0.{n}"),
        1 => format!("10.0.0.{n}/24"),
        _ => format!("fe80::{n:x}"),
    }
}

fn range(random: &mut Random, name: &str) -> String {
    let of = |from: String, to: String| format!("[{from},{to})");
    let (a, b) = (random.within(1..14), random.within(15..28));
    match (random.within(0..6), name) {
        (0, _) => "empty".to_owned(),
        (1, _) => "(,)".to_owned(),
        (_, "int4range" | "int8range") => of(a.to_string(), b.to_string()),
        (_, "numrange") => of(format!("{a}.50"), format!("{b}.5")),
        (_, "daterange") => of(format!("2026-01-{a:02}"), format!("2026-02-{b:02}")),
        _ => of(
            format!("2026-01-{a:02} 01:02:03.5"),
            format!("2026-02-{b:02} 00:00"),
        ),
    }
}

/// Dates, times and intervals. Years that Debezium's nanoseconds cannot hold are rare.
fn moment(random: &mut Random, name: &str) -> String {
    let year = match random.within(0..12) {
        0 => random.within(1..1_582),
        1 => random.within(2_263..9_999),
        _ => random.within(1_700..2_200),
    };
    let (month, day) = (random.within(1..13), random.within(1..29));
    let date = format!("{year:04}-{month:02}-{day:02}");
    let (hour, minute, second) = (
        random.within(0..24),
        random.within(0..60),
        random.within(0..60),
    );
    // The server rounds up what a column has no room for; no time is rounded up to 24:00.
    let micros = match random.within(0..3) {
        0 => 0,
        1 => random.within(0..1_000) * 1_000,
        _ => random.within(0..1_000_000),
    };
    let hour = hour.min(22);
    let time = format!("{hour:02}:{minute:02}:{second:02}.{micros:06}");
    let zone = ["+00", "+02", "-08", "+05:30"]
        [usize::from(random.one_in(2)) * 2 + usize::from(random.one_in(2))];
    match name {
        "date" => date,
        "time without time zone" => time,
        "time with time zone" => time + zone,
        "timestamp without time zone" => format!("{date} {time}"),
        "timestamp with time zone" => format!("{date} {time}{zone}"),
        "interval" => format!(
            "{} years -{month} mons {day} days -{time}",
            random.within(0..200)
        ),
        other => unreachable!("no value of type {other} is known"),
    }
}
