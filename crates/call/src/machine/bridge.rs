//! Whether both parties can be heard, and for how long they could.

use std::time::Duration;

use crate::{Party, Time, machine::io::Pause};

/// The connection of both answered legs, and who holds it.
#[derive(Default)]
pub(super) struct Bridge {
    customer_holds: bool,
    agent_holds: bool,
    /// Whether the customer is on the way to somebody outside, for all that is known.
    away: bool,
    /// Whether an agent is wanted and none is known to be there.
    unattended: bool,
    /// Whether the house wants nothing to be recorded now.
    paused: bool,
    /// Whether they were ever connected, and whether they are now.
    opened: bool,
    connected: bool,
    /// Since when both are connected and nothing keeps a tap silent.
    audible_since: Option<Time>,
    /// How long they were, before that.
    audible_before: Duration,
}

impl Bridge {
    /// Both parties are connected.
    pub(super) fn open(&mut self, now: Time) {
        self.opened = true;
        self.connected = true;
        self.measure(now);
    }

    /// A party holds or is back.
    pub(super) fn hold(&mut self, now: Time, party: Party, on: bool) {
        match party {
            Party::Customer => self.customer_holds = on,
            Party::Agent => self.agent_holds = on,
        }
        self.measure(now);
    }

    /// Whether the customer holds, so that no prompt reaches their ear.
    pub(super) const fn customer_holds(&self) -> bool {
        self.customer_holds
    }

    /// The customer may be talking to somebody outside, or is here again.
    pub(super) fn send_away(&mut self, now: Time, on: bool) {
        self.away = on;
        self.measure(now);
    }

    /// An agent is wanted and none is known to be there, or one is.
    pub(super) fn attend(&mut self, now: Time, unattended: bool) {
        self.unattended = unattended;
        self.measure(now);
    }

    /// Whether an agent is wanted and none is known to be there.
    pub(super) const fn is_unattended(&self) -> bool {
        self.unattended
    }

    /// Whether anybody holds, or whom the customer hears is not known.
    const fn is_held(&self) -> bool {
        self.customer_holds || self.agent_holds || self.away
    }

    /// The house wants nothing to be recorded for a while, or something again.
    pub(super) fn pause(&mut self, now: Time, on: bool) {
        self.paused = on;
        self.measure(now);
    }

    /// Whether the house wants nothing to be recorded now.
    pub(super) const fn is_paused(&self) -> bool {
        self.paused
    }

    /// Why a tap keeps silence now, if it does.
    pub(super) const fn silence(&self) -> Option<Pause> {
        match (self.paused, self.is_held(), self.unattended) {
            (true, _, _) => Some(Pause::Wanted),
            (false, true, _) => Some(Pause::Hold),
            (false, false, true) => Some(Pause::NoAgent),
            (false, false, false) => None,
        }
    }

    /// Whether a tap is to keep silence, but for holds, which whoever holds knows of.
    pub(super) const fn is_suspended(&self) -> bool {
        self.paused || self.unattended
    }

    /// For how long both parties have been connected with nothing that kept a tap silent.
    pub(super) fn audible(&self, now: Time) -> Duration {
        let since = self.audible_since.map_or(Duration::ZERO, |since| now.since(since));
        self.audible_before.saturating_add(since)
    }

    /// For how long they were, once closed; `None` if they were never connected.
    pub(super) fn heard(&self) -> Option<Duration> {
        self.opened.then_some(self.audible_before)
    }

    /// The parties are connected no longer; a hold after that changes nothing.
    pub(super) fn close(&mut self, now: Time) {
        self.connected = false;
        self.measure(now);
    }

    fn measure(&mut self, now: Time) {
        self.audible_before = self.audible(now);
        self.audible_since = (self.connected && self.silence().is_none()).then_some(now);
    }
}
