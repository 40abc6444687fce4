//! Who comes in and what it costs: refusing without a trace, knowing what is known already.

use super::command::CommandError;
use super::compose::{self, Reply};
use super::core::{Endpoint, Owner};
use super::event::LegId;
use super::leg::Phase;
use crate::network::Remote;
use crate::wire::header::Header;
use crate::wire::method::Method;
use crate::wire::parse::parse;
use crate::wire::reason::phrase;
use crate::wire::request::Request;
use crate::wire::via::Via;

impl Endpoint {
    /// Sets what every further message of ours on a leg carries besides its own headers, those
    /// included that the endpoint sends by itself (Session-ID, RFC 7989).
    ///
    /// # Errors
    /// The leg is over.
    pub fn set_standing(&mut self, leg: LegId, headers: Vec<Header>) -> Result<(), CommandError> {
        let leg = self.live(leg)?;
        // A fork that has rung already may be the one that answers.
        for early in &mut leg.forks {
            early.dialog.standing.clone_from(&headers);
        }
        leg.dialog.standing = headers;
        Ok(())
    }

    /// Is this tag the one that we gave to a leg which has not ended?
    pub fn is_own_tag(&self, tag: &[u8]) -> bool {
        let leg = self.tags.get(tag).and_then(|id| self.legs.get(id));
        leg.is_some_and(|leg| !matches!(leg.phase, Phase::Over))
    }

    /// Is this the branch of a request of ours that is still held? A response with any other one is
    /// nobody's.
    pub fn is_own_branch(&self, branch: &[u8]) -> bool {
        self.transactions.has_branch(branch)
    }

    /// Does this leg's INVITE still wait for a final answer of ours?
    pub fn is_ringing(&self, leg: LegId) -> bool {
        self.legs.get(&leg).is_some_and(|leg| matches!(leg.phase, Phase::Ringing(_)))
    }

    /// Has this request come before, so that its transaction answers it?
    pub fn is_repeated(&self, request: &Request) -> bool {
        self.transactions.is_known(request)
    }

    /// The leg whose INVITE this is, come back to us through others (row R-05): one of its lower
    /// Vias is ours.
    pub fn is_own_invite(&self, request: &Request) -> Option<LegId> {
        let lower = request.message().list("Via").into_iter().skip(1);
        lower.filter_map(Via::parse).find_map(|via| {
            match self.transactions.owner(via.branch()?, &Method::INVITE)? {
                Owner::Leg(leg) => Some(leg),
                Owner::Ping(_) | Owner::Registration(_) => None,
            }
        })
    }

    /// Refuses a request and forgets it at once: no leg, no transaction, nothing to retransmit
    /// (RFC 3261 §8.2.7, rows O-01, S-15). The same request gets the same answer again. An ACK,
    /// a response and what cannot be read get none.
    pub fn refuse_outright(
        &mut self,
        source: Remote,
        datagram: &[u8],
        status: u16,
        own: &[(&'static str, &[u8])],
    ) {
        let Ok(message) = parse(datagram) else { return };
        let Ok(mut request) = Request::read(message) else { return };
        if *request.method() == Method::ACK {
            return;
        }
        request.via.stamp(source.address);
        let via = request.via.to_wire();
        let tag = self.tokens.derived(request.call_id());
        let status = (status, &*phrase(status));
        let octets = compose::refusal(status, request.message(), &via, &tag, own);
        self.transactions.transmit(request.via.reply_to(source), octets);
    }

    /// What every message of the leg carries to which a request belongs.
    pub(crate) fn standing(&self, request: &Request, reply: &Reply<'_>) -> &[Header] {
        let tag = request.to().tag().or(reply.tag);
        let leg = tag.and_then(|tag| self.tags.get(tag)).and_then(|id| self.legs.get(id));
        leg.map(|leg| leg.dialog.standing.as_slice()).unwrap_or_default()
    }
}
