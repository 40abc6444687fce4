//! Proving who we are: a request that is challenged goes out again, and later ones prove it unasked.

use std::sync::Arc;
use std::time::Instant;

use super::command::CommandError;
use super::core::{Endpoint, Owner};
use super::event::LegId;
use super::leg::{Leg, Phase};
use crate::auth::credentials::Credentials;
use crate::auth::rewrite::rewritten;
use crate::auth::wallet::Wallet;
use crate::dialog::to_tag;
use crate::network::ListenerId;
use crate::registration::Account;
use crate::transaction::layer::Passed;
use crate::wire::message::Message;
use crate::wire::method::Method;
use crate::wire::request::cseq;

/// How often one request is sent again: for the end, for a proxy, and no more.
const MAX_TRIES: u8 = 2;

impl Endpoint {
    /// Gives a leg what its challenges are answered with, from now on: call it right after
    /// [`Endpoint::invite`]. A request that gets 401 or 407 goes out again by itself with the answer
    /// and the next CSeq number, at most twice, and further requests of the leg carry it unasked
    /// (row B-22). For a leg that came in, name a realm: whoever calls could otherwise ask for a
    /// proof of the password with a challenge to our BYE (row B-24).
    ///
    /// # Errors
    /// The leg is over.
    pub fn equip(&mut self, leg: LegId, credentials: Arc<Credentials>) -> Result<(), CommandError> {
        self.live(leg)?.wallet = Some(Box::new(Wallet::new(credentials)));
        Ok(())
    }

    /// Answers a challenge. `false` when there is nothing to answer it with, or nobody who would
    /// still want the request.
    pub(crate) fn prove(
        &mut self,
        now: Instant,
        passed: &Passed<Owner>,
        response: &Message,
    ) -> bool {
        let (cnonce, branch) = (self.tokens.token(), self.tokens.branch());
        let Some((request, way, tries)) = self.transactions.asked(passed.client) else {
            return false;
        };
        let Ok((number, _)) = cseq(&request) else { return false };
        let prover = match passed.owner {
            Owner::Leg(id) => prover_of_leg(
                self.legs.get_mut(&id).map(Box::as_mut),
                passed,
                (number, to_tag(&request)),
            ),
            Owner::Registration(id) => prover_of_account(self.accounts.get_mut(&id), passed),
            Owner::Ping(_) => None,
        };
        let Some((wallet, number, stream)) = prover.filter(|_| tries < MAX_TRIES) else {
            return false;
        };
        if !wallet.take_up(response, &request, tries > 0, &cnonce) {
            return false;
        }
        let answers = wallet.answers(passed.method.name(), request.request_uri());
        let octets = rewritten(&request, Some((&branch, number)), &answers);
        let Some(client) = self.send_sized(now, passed.owner, (way, stream), octets) else {
            return false;
        };
        self.transactions.succeed(passed.client, client);
        if let Owner::Leg(id) = passed.owner
            && let Some(leg) = self.legs.get_mut(&id)
        {
            leg.clients += 1;
            if let Phase::Calling(calling) = &mut leg.phase
                && calling.client == passed.client
            {
                // A CANCEL waits for the first response to the INVITE that is on its way now.
                calling.heard = false;
                leg.forks.clear();
            }
        }
        true
    }
}

/// What a proof takes: the wallet, the number of the next request, and the way for large ones.
type Prover<'a> = (&'a mut Wallet, u32, Option<ListenerId>);

fn prover_of_leg<'a>(
    leg: Option<&'a mut Leg>,
    passed: &Passed<Owner>,
    (number, tag): (u32, Option<Vec<u8>>),
) -> Option<Prover<'a>> {
    let leg = leg.filter(|leg| wants(leg, passed))?;
    // Each early dialog counts for itself (RFC 3262 §4).
    let tag = tag.filter(|_| matches!(leg.phase, Phase::Calling(_)));
    let fork = tag.and_then(|tag| leg.fork(Some(&tag)).map(|early| early.id));
    let dialog = leg.dialog_at(fork);
    dialog.local_cseq = dialog.local_cseq.max(number);
    let number = dialog.next_cseq();
    Some((leg.wallet.as_mut()?, number, leg.stream))
}

fn prover_of_account<'a>(
    account: Option<&'a mut Account>,
    passed: &Passed<Owner>,
) -> Option<Prover<'a>> {
    let account = account.filter(|account| account.client == Some(passed.client))?;
    let number = account.next_cseq();
    account.wallet.as_mut().map(|wallet| (wallet, number, None))
}

/// Does anybody still want this request to succeed?
fn wants(leg: &Leg, passed: &Passed<Owner>) -> bool {
    match &leg.phase {
        Phase::Calling(calling) if calling.client == passed.client => calling.cancel.is_none(),
        Phase::Closing(client, _) => *client == passed.client,
        Phase::Calling(_) | Phase::Ringing(_) | Phase::Up => {
            passed.method != Method::INVITE
                || leg.asking.as_ref().is_some_and(|asking| asking.client == Some(passed.client))
        }
        Phase::Over => false,
    }
}
