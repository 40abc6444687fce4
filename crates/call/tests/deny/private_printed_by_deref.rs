//! A private value is revealed by name or not at all.
fn leak(number: call::Private<String>) -> String {
    format!("{}", *number)
}

fn main() {}
