//! Where the node is registered: with whom, over which routes, and whether that is as it should be.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use sip::{NameAddr, Registration, RegistrationId};

/// How long an address that is not known yet is waited for before it is looked for again.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// The registrations of a node.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    /// By number: the trunk's name, what was asked for, and whether it is being taken back.
    pub(crate) held: HashMap<RegistrationId, (Box<str>, Registration, bool)>,
    /// The routes that calls to a trunk take (RFC 3608).
    pub(crate) routes: HashMap<Box<str>, Vec<NameAddr>>,
    /// All is as the settings want it, or will be.
    pub(crate) settled: bool,
    /// The node ends: nothing is registered any more.
    pub(crate) closing: bool,
}

impl Registry {
    /// Has the settings looked at again.
    pub(crate) const fn unsettle(&mut self) {
        self.settled = false;
    }

    /// When to look again, if an address is not known yet.
    pub(crate) fn wakes(&self, now: Instant) -> Option<Instant> {
        (!self.settled).then(|| now + LOOK_AGAIN)
    }

    /// The routes of calls to a trunk.
    pub(crate) fn routes(&self, trunk: &str) -> Vec<NameAddr> {
        self.routes.get(trunk).cloned().unwrap_or_default()
    }
}
