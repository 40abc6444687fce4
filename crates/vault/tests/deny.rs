//! What must not compile: a writer without a permit.

#[test]
fn no_writer_without_a_permit() {
    trybuild::TestCases::new().compile_fail("tests/deny/*.rs");
}
