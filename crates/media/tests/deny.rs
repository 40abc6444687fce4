//! What must not compile: a tap without a permit, or two taps for one.

#[test]
fn a_tap_without_its_own_permit_does_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/deny/*.rs");
}
