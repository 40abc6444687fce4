//! What must not compile: a permit that nobody decided, a second one, one without its leash.

#[test]
fn a_permit_cannot_be_forged_copied_or_used_twice() {
    trybuild::TestCases::new().compile_fail("tests/deny/*.rs");
}
