//! A hold of one side that the other side is told of, where the configuration says so (row B-02).

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

impl Node {
    /// Brings each side up to date about whether the other one holds. The holder has its answer by
    /// then: whatever comes of this, its hold stands. It is a re-INVITE, because many a PBX takes no
    /// UPDATE for it (RFC 3311 §5.1), and nobody is told while the customer is being asked.
    pub(crate) fn relays_holds(&mut self, session: &mut Session, now: Time) {
        session.again = None;
        if !session.call.is_talking() {
            return;
        }
        for side in [Side::Near, Side::Far] {
            let Some(leg) = session.wires.leg(side) else { continue };
            let Some(proposal) = session.wires.proposal(side) else { continue };
            match self.endpoint.reinvite(self.instant, leg, proposal.body.clone()) {
                Ok(()) => {
                    session.wires.proposed(side, proposal);
                    let to = match side {
                        Side::Near => near(session.direction()),
                        Side::Far => far(session.direction()),
                    };
                    session.ladder.add(now, Station::Node, to, "re-INVITE");
                }
                Err(CommandError::WrongState) => session.again = Some(now + AGAIN),
                Err(error) => tracing::debug!(call = %session.id(), %error, "telling of a hold"),
            }
        }
    }
}
