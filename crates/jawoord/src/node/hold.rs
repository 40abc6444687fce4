//! What one side is told of the other while a call goes on: that it holds, where the configuration says so
//! (row B-02), and what it says of itself (rows R-09, T-01).

use std::time::Duration;

use call::Time;
use ledger::Station;
use sip::CommandError;

use super::{
    Node,
    place::{far, near},
};
use crate::{session::Session, wires::Side};

/// How soon a side is told that had an offer of its own open.
const AGAIN: Duration = Duration::from_millis(250);

/// A side would not be told.
pub(crate) fn declined(session: &mut Session, side: Side) {
    session.wires.refused(side);
    if session.wires.is_apart() {
        tracing::warn!(call = %session.id(), "one side speaks Opus and will not leave it, the other does not \
            speak it: they do not hear each other; give both Opus, or take it out of `codecs` of [media]");
    }
}

impl Node {
    /// Brings each side up to date about whether the other one holds. The holder has its answer by
    /// then: whatever comes of this, its hold stands. It is a re-INVITE, because many a PBX takes no
    /// UPDATE for it (RFC 3311 §5.1), and nobody is told while the customer is being asked.
    pub(crate) fn relays(&mut self, session: &mut Session, now: Time) {
        session.again = None;
        if session.call.is_talking() {
            self.relays_holds(session, now);
            self.relays_news(session, now);
        }
    }

    fn relays_holds(&mut self, session: &mut Session, now: Time) {
        for side in [Side::Near, Side::Far] {
            let Some(leg) = session.wires.leg(side) else { continue };
            let Some(proposal) = session.wires.proposal(side) else { continue };
            let (body, news) = (proposal.body.clone(), session.news.untold(side));
            match self.endpoint.reinvite_saying(self.instant, leg, news, body) {
                Ok(()) => {
                    session.news.told(side);
                    session.wires.proposed(side, proposal);
                    session.ladder.add(now, Station::Node, station(session, side), "re-INVITE");
                }
                Err(CommandError::WrongState) => session.again = Some(now + AGAIN),
                Err(error) => tracing::debug!(call = %session.id(), %error, "telling of a hold"),
            }
        }
    }

    /// Tells each side what the other one has said of itself since, such as who is there after a transfer
    /// behind the PBX. A side that takes no UPDATE gets to know with the next re-INVITE that it is sent
    /// anyhow: for this alone it is sent none, because many a peer takes that for a change of the session.
    fn relays_news(&mut self, session: &mut Session, now: Time) {
        for side in [Side::Near, Side::Far] {
            let Some(leg) = session.wires.leg(side) else { continue };
            let news = session.news.untold(side);
            if news.is_empty() {
                continue;
            }
            match self.endpoint.inform(self.instant, leg, news) {
                Ok(true) => {
                    session.news.told(side);
                    session.ladder.add(now, Station::Node, station(session, side), "UPDATE");
                }
                Ok(false) => {}
                Err(CommandError::WrongState) => session.again = Some(now + AGAIN),
                Err(error) => tracing::debug!(call = %session.id(), %error, "telling who is there"),
            }
        }
    }
}

fn station(session: &Session, side: Side) -> Station {
    match side {
        Side::Near => near(session.direction()),
        Side::Far => far(session.direction()),
    }
}
