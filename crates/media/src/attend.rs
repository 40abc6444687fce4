//! Who of a call is there: told when one party of a bridged call is not heard while the other one is, and
//! when a customer who is asked cannot be heard.

use std::time::Duration;

use call::{Connection, Party, Time};

use crate::{relay::Relay, report::Event, watch::Expected};

impl Relay {
    /// From now on it is told ([`Event::Unheard`]) when one party of the bridged call is not heard for so
    /// long while the other one is, and when all that comes of a customer who is asked meanwhile comes from
    /// elsewhere (row S-02): then no key is ever heard. `None` is never.
    pub const fn watch(&mut self, limit: Option<Duration>) {
        self.watch.limit(limit);
    }

    /// Who should be heard may have changed. Where one side holds the other, nobody need be.
    pub(crate) fn rewatch(&mut self, now: Time, parted: bool) {
        let [customer, agent] = [&self.customer, &self.agent]
            .map(|leg| leg.remote.is_some_and(|remote| remote.hears && remote.sends));
        let expected = match self.connection {
            Connection::Bridged if customer && agent => Expected::Both,
            Connection::Apart if customer && self.asks => Expected::Customer,
            Connection::Apart | Connection::Early | Connection::Bridged => Expected::Nobody,
        };
        self.watch.changed(now, expected, parted);
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
