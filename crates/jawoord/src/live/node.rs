//! The look of a running node at itself: with its own sockets, keys and store.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use super::{
    alone::chanceless,
    finding::{Finding, Report},
    keep, look, machine,
    subject::Subject,
    wanted::Wanted,
};
use crate::{note::Note, office::archive::Archive};

/// Looks at everything; `None` when the node stops meanwhile.
pub async fn look(
    archive: &Arc<Archive>,
    notes: &mpsc::UnboundedSender<Note>,
    wanted: Option<&Wanted>,
) -> Option<Report> {
    let (answer, answered) = oneshot::channel();
    notes.send(Note::Look(answer)).ok()?;
    let settings = answered.await.ok()?;
    let (_its_own, mut findings) = machine::listeners(&settings, true);
    let (given, archive) = (Arc::clone(&settings), Arc::clone(archive));
    let blocking = tokio::task::spawn_blocking(move || {
        let mut findings = look::machine(&given, true);
        match look::trial() {
            Some(id) => findings.extend(keep::of_node(&given, &*archive.keys, &*archive.store, id)),
            None => findings.push(chanceless()),
        }
        findings
    });
    findings.extend::<Vec<Finding>>(blocking.await.unwrap_or_default());
    let (configuration, notes) = (settings.hash.to_string(), notes.clone());
    let asker = Box::new(move |ask| notes.send(Note::Try(ask)).is_ok());
    let subject = Arc::new(Subject::new(settings, true, asker));
    findings.extend(look::peers_and_call(&subject, wanted).await);
    Some(Report::of(Some(configuration), findings))
}
