//! Where the compiler points when a config is declared wrongly.

#[test]
fn a_wrong_declaration_is_pointed_at() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/it/errors/*.rs");
}
