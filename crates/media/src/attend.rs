//! Who of a bridged call is there: told when one of them is not heard while the other one is.

use std::time::Duration;

use call::{Connection, Party, Time};

use crate::{relay::Relay, report::Event};

impl Relay {
    /// From now on it is told ([`Event::Unheard`]) when one party of the bridged call is not heard for so
    /// long while the other one is; `None` is never.
    pub const fn watch(&mut self, limit: Option<Duration>) {
        self.watch.limit(limit);
    }

    /// Who should be heard may have changed. Where one side holds the other, nobody need be.
    pub(crate) fn rewatch(&mut self, now: Time) {
        let both = [&self.customer, &self.agent];
        let talks =
            both.iter().all(|leg| leg.remote.is_some_and(|remote| remote.hears && remote.sends));
        self.watch.changed(now, talks && self.is_bridged(), self.connection == Connection::Apart);
    }

    /// A party sent something that is of use.
    pub(crate) fn alive(&mut self, now: Time, party: Party, rests: bool) {
        self.quiet.heard(now);
        self.sooner |= self.watch.rests(party);
        if let Some(after) = self.watch.heard(now, party, rests) {
            self.report(Event::HeardAgain { party, after });
        }
    }
}
