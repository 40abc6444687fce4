//! `jawoord demo`: four real calls on this machine, and the recording that one of them leaves.

/// Runs the demonstration; what to print, and whether all went well.
pub async fn run(_keep: bool, _json: bool) -> (String, bool) {
    (String::new(), false)
}
