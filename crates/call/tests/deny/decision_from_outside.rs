//! What was decided comes from the machine alone.
fn main() {
    let _decision: Option<call::Decision> = None;
}
