//! The look of a command while no node runs: with the listeners' own sockets, for a moment.

use std::sync::Arc;

use super::{
    bench::Bench,
    finding::{Finding, Report},
    keep, look, machine,
    subject::Subject,
    wanted::Wanted,
};
use crate::config::judge::Settings;

/// Looks at everything and closes its sockets again.
pub async fn look(settings: Settings, wanted: Option<&Wanted>) -> Report {
    let settings = Arc::new(settings);
    let (free, mut findings) = machine::listeners(&settings, false);
    let given = Arc::clone(&settings);
    let blocking = tokio::task::spawn_blocking(move || {
        let mut findings = look::machine(&given, false);
        match look::trial() {
            Some(id) => findings.extend(keep::without_node(&given, id)),
            None => findings.push(chanceless()),
        }
        findings
    });
    findings.extend(blocking.await.unwrap_or_default());
    match Bench::start(&settings, free.into()).await {
        Ok(bench) => {
            let asks = bench.asks();
            let asker = Box::new(move |ask| asks.send(ask).is_ok());
            let subject = Arc::new(Subject::new(settings, false, asker));
            findings.extend(look::peers_and_call(&subject, wanted).await);
        }
        Err(error) => {
            let found = format!("the listeners cannot be opened together ({})", error.kind());
            findings.push(Finding::fail("peers", found, "look at what is said of each listener"));
        }
    }
    Report::of(None, findings)
}

/// Without chance there are no keys and no ids.
pub(super) fn chanceless() -> Finding {
    Finding::fail("keys", "the machine gives no random number", "look at the kernel's log")
}
