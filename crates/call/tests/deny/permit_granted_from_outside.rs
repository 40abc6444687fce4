//! Only the machine's one transition can grant.
fn main() {
    let _grant = call::Permit::grant;
}
