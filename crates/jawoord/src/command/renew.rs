//! New settings for a node that runs: its files read again, or lines added and removed.

use std::sync::Arc;

use call::Fact;
use tokio::sync::{Mutex, mpsc};

use super::request::Reply;
use crate::{
    config::{judge::Settings, problem::Problems},
    kept::{self, Change, Source},
    note::Note,
    office::answer::Desk,
};

/// Whoever gives a running node new settings, one change after the other.
pub struct Renewal {
    source: Source,
    desk: Desk,
    notes: mpsc::UnboundedSender<Note>,
    turn: Mutex<()>,
}

impl Renewal {
    /// For the node that was started from this source.
    #[must_use]
    pub fn new(source: Source, desk: Desk, notes: mpsc::UnboundedSender<Note>) -> Self {
        Self { source, desk, notes, turn: Mutex::new(()) }
    }

    /// Reads the configuration again. A bad one changes nothing; running calls keep the old one.
    pub async fn read_again(&self) -> Reply {
        let _mine = self.turn.lock().await;
        let source = self.source.clone();
        match tokio::task::spawn_blocking(move || source.settings()).await {
            Ok(Ok(settings)) => self.take(settings).await,
            Ok(Err(problems)) => {
                tracing::error!("the new configuration is not good; nothing has changed");
                Reply::failed(Problems(&problems))
            }
            Err(_) => Reply::failed("judging the configuration failed; nothing has changed"),
        }
    }

    /// Adds or removes lines. What is refused changes nothing.
    pub async fn change(&self, change: Change) -> Reply {
        let _mine = self.turn.lock().await;
        let source = self.source.clone();
        match tokio::task::spawn_blocking(move || kept::change(&source, change)).await {
            Ok(Ok(settings)) => self.take(settings).await,
            Ok(Err(refused)) => Reply::failed(refused),
            Err(_) => Reply::failed("judging the lines failed; nothing has changed"),
        }
    }

    async fn take(&self, settings: Settings) -> Reply {
        self.desk.archive.shelf.keep(&settings);
        self.desk.archive.controllers.send_replace(settings.controllers.clone());
        let reply = audited(&self.desk, &settings).await;
        let lines = settings.lines.iter().len();
        tracing::info!(lines, "new settings take effect; running calls keep theirs");
        let _stopping = self.notes.send(Note::Settings(Arc::new(settings)));
        reply
    }
}

/// Writes into the audit tree which configuration counts from now on, and says it.
pub async fn audited(desk: &Desk, settings: &Settings) -> Reply {
    let configuration = settings.hash;
    desk.archive.fact(Fact::ConfigurationChanged { configuration }).await;
    Reply::done(serde_json::json!({
        "configuration": configuration.to_string(),
        "lines": settings.lines.iter().len(),
    }))
}
