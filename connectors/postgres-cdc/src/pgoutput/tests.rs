use super::*;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    let pair = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(pair).collect()
}

fn fields(tuple: Tuple<'_>) -> Result<Vec<Field<'_>>, Fault> {
    let mut fields = Vec::new();
    tuple.read(|field| fields.push(field))?;
    Ok(fields)
}

/// Reads a message to its end.
fn read_whole(bytes: &[u8]) -> Result<(), Fault> {
    match Message::parse(bytes)? {
        Message::Insert { new, .. } | Message::Update { new, .. } => fields(new).map(drop),
        Message::Delete {
            old: Old::Key(old) | Old::Full(old),
            ..
        } => fields(old).map(drop),
        _ => Ok(()),
    }
}

/// As PostgreSQL 15 sent them.
const RELATION: &str = "52 00004001 7075626c696300 7400 64 0002
    01 696400 00000017 ffffffff 00 7600 00000019 ffffffff";
const INSERT: &str = "49 00004001 4e 0002 74 00000001 31 6e";
const DELETE: &str = "44 00004001 4b 0002 74 00000001 31 6e";
const UPDATE: &str = "55 00004001 4b 0002 74 00000001 31 6e 4e 0002 74 00000001 32 75";

#[test]
fn a_relation_names_its_columns() {
    let bytes = hex(RELATION);
    let Message::Relation(relation) = Message::parse(&bytes).unwrap() else {
        panic!("a relation");
    };
    assert_eq!((relation.schema, relation.table), ("public", "t"));
    assert_eq!(
        (relation.id, relation.identity),
        (0x4001, Identity::Default)
    );
    let columns: Vec<_> = relation
        .columns
        .iter()
        .map(|c| (c.name, c.type_oid, c.modifier, c.in_identity))
        .collect();
    assert_eq!(columns, [("id", 23, -1, true), ("v", 25, -1, false)]);
}

#[test]
fn a_change_of_key_brings_old_and_new() {
    let bytes = hex(UPDATE);
    let Message::Update { relation, old, new } = Message::parse(&bytes).unwrap() else {
        panic!("an update");
    };
    assert_eq!(relation, 0x4001);
    let Some(Old::Key(old)) = old else {
        panic!("an old key");
    };
    assert_eq!(fields(old).unwrap(), [Field::Text(b"1"), Field::Null]);
    assert_eq!(fields(new).unwrap(), [Field::Text(b"2"), Field::Unchanged]);
}

#[test]
fn a_transaction_has_its_bounds() {
    let begin = hex("42 0000000001533210 00000000000f4240 000002d6");
    let expected = Begin {
        commit: 0x0153_3210,
        committed_us: MICROS_1970_TO_2000 + 1_000_000,
        xid: 726,
    };
    assert_eq!(Message::parse(&begin).unwrap(), Message::Begin(expected));
    let commit = hex("43 00 0000000001533210 0000000001533240 00000000000f4240");
    assert_eq!(
        Message::parse(&commit).unwrap(),
        Message::Commit { end: 0x0153_3240 }
    );
    let truncate = hex("54 00000002 00 00000001 00000002");
    assert_eq!(
        Message::parse(&truncate).unwrap(),
        Message::Truncate {
            relations: vec![1, 2]
        }
    );
}

#[test]
fn what_is_cut_off_or_too_long_is_an_error() {
    for message in [RELATION, INSERT, UPDATE, DELETE] {
        read_whole(&hex(message)).unwrap();
        let mut bytes = hex(message);
        for len in 0..bytes.len() {
            let fault = read_whole(&bytes[..len]).unwrap_err();
            assert_eq!(fault.code, "postgres-malformed-message");
        }
        bytes.push(0);
        assert!(read_whole(&bytes).is_err());
    }
    assert!(Message::parse(&hex("54 ffffffff 00 00000001")).is_err());
    assert!(Message::parse(b"X").is_err());
}
