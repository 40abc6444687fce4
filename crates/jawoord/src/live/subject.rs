//! What is looked at: settings, and the way to whoever owns the sockets that they name.

use std::sync::Arc;

use super::ask::Ask;
use crate::config::judge::Settings;

/// The way to whoever owns the sockets; `false` when nobody does any more.
pub type Asker = Box<dyn Fn(Ask) -> bool + Send + Sync>;

/// What is looked at.
pub struct Subject {
    /// The settings of the running node, or of the file.
    pub settings: Arc<Settings>,
    /// Whether carriers that want it are registered with: a running node does that.
    pub registers: bool,
    asker: Asker,
}

impl Subject {
    /// These settings, with the sockets behind `asker`.
    #[must_use]
    pub fn new(settings: Arc<Settings>, registers: bool, asker: Asker) -> Self {
        Self { settings, registers, asker }
    }

    /// Asks; `false` when nobody hears it.
    #[must_use]
    pub fn ask(&self, ask: Ask) -> bool {
        (self.asker)(ask)
    }
}
