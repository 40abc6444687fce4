//! Letting in who proves to be known: the challenge to an INVITE, and the look at its answer.

use std::time::Instant;

use super::command::CommandError;
use super::core::Endpoint;
use super::event::{Event, LegId, Why};
use super::leg::{Phase, Queued};
use crate::auth::guard::{Demand, Verdict};
use crate::auth::secret::Secret;

/// What became of a call whose caller had to prove something.
#[derive(Clone, PartialEq, Eq)]
pub enum Admission {
    /// The caller knows the password of this account: go on with the call.
    Known(String),
    /// It does not, or has not been asked before: 401 is sent and the leg is over
    /// ([`Why::Refused`]). A caller that knows the password calls again.
    Challenged,
}

impl std::fmt::Debug for Admission {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Admission::Known(_) => "Known(…)",
            Admission::Challenged => "Challenged",
        })
    }
}

impl Endpoint {
    /// Has the caller of a leg prove who it is before the call is taken (row B-23). `lookup` gives
    /// the password of an account in this realm. A nonce is good for five minutes, for one source
    /// address, and every proof for one request; ACK and CANCEL are never asked (RFC 3261 §22.1),
    /// nor is what belongs to a dialog that was let in.
    ///
    /// # Errors
    /// The leg is over, or not one that waits for our answer.
    pub fn admit<'s>(
        &mut self,
        now: Instant,
        leg: LegId,
        demand: &Demand,
        lookup: impl FnOnce(&str) -> Option<&'s Secret>,
    ) -> Result<Admission, CommandError> {
        let held = self.live(leg)?;
        let Phase::Ringing(ringing) = &held.phase else { return Err(CommandError::WrongState) };
        let (request, source) = (ringing.invited.request.clone(), held.peer.address.ip());
        let stale = match self.guard.judge(now, source, &request, demand, lookup) {
            Verdict::Known(user) => return Ok(Admission::Known(user)),
            Verdict::Unknown { stale } => stale,
        };
        let headers = self.guard.challenge(now, source, demand, stale);
        let queued = Queued { headers, ..Queued::plain(401) };
        self.end_ringing(now, leg, &queued, Event::Ended { leg, why: Why::Refused });
        Ok(Admission::Challenged)
    }
}
