use longshore_model::FaultClass;

use super::*;

/// LEB128 of numbers below 16,384, which all of a test's are.
fn leb(n: usize) -> Vec<u8> {
    let (low, high) = (n % 128, n / 128);
    let byte = |n: usize| u8::try_from(n).expect("seven bits");
    if high == 0 {
        vec![byte(low)]
    } else {
        vec![byte(low | 128), byte(high)]
    }
}

fn section(id: u8, content: &[u8]) -> Vec<u8> {
    [vec![id], leb(content.len()), content.to_vec()].concat()
}

fn manifest_section(json: &str) -> Vec<u8> {
    let name = MANIFEST_SECTION.as_bytes();
    section(0, &[&leb(name.len())[..], name, json.as_bytes()].concat())
}

/// Exports of instance 0 under these names. Nothing makes that instance: reading checks no types.
fn exports(names: &[&str]) -> Vec<u8> {
    let mut content = leb(names.len());
    for name in names {
        content.extend([&[0][..], &leb(name.len()), name.as_bytes(), &[5, 0, 0]].concat());
    }
    section(11, &content)
}

fn component(sections: &[Vec<u8>]) -> Vec<u8> {
    [b"\0asm\x0d\0\x01\0".to_vec(), sections.concat()].concat()
}

fn core_module(sections: &[Vec<u8>]) -> Vec<u8> {
    [b"\0asm\x01\0\0\0".to_vec(), sections.concat()].concat()
}

/// A component that is a plugin by what it says, and does nothing.
pub(crate) fn plugin(name: &str, version: &str) -> Vec<u8> {
    let json = json(name, "0.1").replace("\"1.0\"", &format!("\"{version}\""));
    component(&[manifest_section(&json), source_exports()])
}

fn json(name: &str, contract: &str) -> String {
    format!(
        r#"{{"name":"{name}","version":"1.0","contract":"{contract}","doc":"","roles":["source"],
            "aliases":[],"capabilities":[],"config":[]}}"#
    )
}

fn source_exports() -> Vec<u8> {
    exports(&[
        "longshore:connect/plugin@0.1.0",
        "longshore:connect/source@0.1.0",
    ])
}

#[track_caller]
fn check(sections: &[Vec<u8>], expected: Result<&str, &str>) {
    let read = Facts::read(&component(sections));
    let read = read
        .as_ref()
        .map(|facts| facts.manifest.name.as_str())
        .map_err(Error::code);
    assert_eq!(read, expected);
}

#[test]
fn a_manifest_is_found_at_the_top_level_or_in_the_nested_module() {
    let manifest = manifest_section(&json("a", "0.1"));
    let nested = |name| section(1, &core_module(&[manifest_section(&json(name, "0.1"))]));
    check(&[manifest.clone(), source_exports()], Ok("a"));
    check(&[nested("b"), source_exports()], Ok("b"));
    check(&[nested("b"), manifest.clone(), source_exports()], Ok("a"));
    check(
        &[nested("b"), nested("c"), source_exports()],
        Err("plugin-manifest"),
    );
    check(
        &[manifest.clone(), manifest, source_exports()],
        Err("plugin-manifest"),
    );
    check(&[source_exports()], Err("plugin-manifest"));
}

#[test]
fn a_manifest_that_promises_what_is_not_there_is_refused() {
    let manifest = manifest_section(&json("a", "0.1"));
    check(
        std::slice::from_ref(&manifest),
        Err("plugin-missing-export"),
    );
    let only_plugin = exports(&["longshore:connect/plugin@0.1.0"]);
    check(&[manifest, only_plugin], Err("plugin-missing-export"));
    let later = manifest_section(&json("a", "0.2"));
    check(&[later, source_exports()], Err("plugin-contract-version"));
    check(
        &[manifest_section("{}"), source_exports()],
        Err("plugin-manifest"),
    );
    check(
        &[manifest_section("\u{0}"), source_exports()],
        Err("plugin-manifest"),
    );
}

#[test]
fn what_is_no_component_is_refused() {
    let core = core_module(&[manifest_section(&json("a", "0.1"))]);
    let whole = component(&[manifest_section(&json("a", "0.1")), source_exports()]);
    for bytes in [
        &b""[..],
        b"\0",
        b"\0asm",
        b"MZ\x90\0",
        &core,
        &whole[..whole.len() - 1],
    ] {
        let refused = Facts::read(bytes).unwrap_err();
        assert_eq!(refused.code(), "plugin-not-a-component", "{bytes:?}");
        assert_eq!(refused.class(), FaultClass::Fatal);
    }
}
