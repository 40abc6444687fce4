//! Transfers out of the house that the customer's own side makes, where the configuration has them
//! handed on (row T-06): the REFER goes to the other leg, and what comes of it comes back.
//!
//! Nobody records what is said to somebody outside (law row L51), and nobody here hears when the
//! customer begins to talk to them. So the recording pauses when the customer's side takes the transfer
//! on, goes on when it has failed, and is over in every other case: also when nothing is heard of it for
//! as long as there was to be news.

use std::time::Duration;

use sip::{
    AskId, Header, LegId, Method, NameAddr, Progress, Refer, Replaces, Request, Uri, refer_to,
};

use ledger::Station;

use super::Node;
use crate::{
    bridge, number,
    referral::{self, Handed, Place},
    rewrite::{Field, applied},
    session::Session,
    wires::Side,
};

/// For how long news of a transfer are waited for, whatever its subscription says: as long as a proxy
/// lets a telephone ring (RFC 3261 §16.6, timer C).
const NEWS: Duration = Duration::from_secs(180);

impl Node {
    /// Hands a transfer on; the status that refuses it, or 0 while the other side is asked. `None` when
    /// it stays in the house, or leads to an emergency: then it is carried out here. A customer who is
    /// sent away and calls back would be asked again.
    pub(crate) fn hands_on(
        &mut self,
        session: &mut Session,
        side: Side,
        (leg, ask): (LegId, AskId),
        (request, refer): (&Request, &Refer),
    ) -> Option<u16> {
        let replaces = match &refer.replaces {
            Some(named) => {
                let way = self.replaced_way(session.id(), named)?;
                (way.place == Place::Outside).then_some(way.replaces)?
            }
            None => self.leads_out(session, &refer.target).then_some(None)?,
        };
        let customer = session.wires.leg(side.other())?;
        let Some(headers) = self.handed_headers(session, (leg, customer), refer, replaces.as_ref())
        else {
            return Some(603);
        };
        let Ok(sent) = self.endpoint.send(self.instant, customer, Method::REFER, &headers, None)
        else {
            return Some(503);
        };
        let label = "transfer handed on";
        session.ladder.add(self.now(), Station::Node, Station::Node, label);
        let tells = refer.tells.then(|| request.cseq());
        session.handed = Some(Handed { referrer: leg, ask: Some(ask), tells, sent });
        Some(0)
    }

    /// Whether a target is somebody outside, whom the customer's side can call.
    fn leads_out(&self, session: &Session, target: &Uri) -> bool {
        let trunk = session.settings.trunks.first();
        let country = trunk.map_or(phonenumber::country::Id::NL, |trunk| trunk.country);
        let place = referral::place(&session.settings, &self.targets, target, country);
        place == Place::Outside && !self.leads_to_help(session, target)
    }

    /// Whether a target is an emergency.
    pub(crate) fn leads_to_help(&self, session: &Session, target: &Uri) -> bool {
        let trunk = session.settings.trunks.first();
        let country = trunk.map_or(phonenumber::country::Id::NL, |trunk| trunk.country);
        let number = target.user().map(|user| number::dialled(&user, country));
        number.is_some_and(|number| session.settings.emergency.matches(&number))
    }

    /// What the customer's side is told: the number as it writes numbers, at its own address; we in
    /// place of who refers; nothing of the house (row R-08).
    fn handed_headers(
        &self,
        session: &Session,
        (referrer, customer): (LegId, LegId),
        refer: &Refer,
        replaces: Option<&Replaces>,
    ) -> Option<Vec<Header>> {
        let Uri::Sip(there) = self.endpoint.remote_target(customer)? else { return None };
        let peer = |leg| {
            let source = self.endpoint.peer(leg)?;
            self.peer(&session.settings, source)
        };
        let user = refer.target.user()?;
        let number = user.split(';').next().unwrap_or(&user);
        let number = peer(referrer).map_or_else(
            || number.to_owned(),
            |peer| applied(&peer.reach().rewrites.inward, Field::RequestUri, number),
        );
        let number = peer(customer).map_or_else(
            || number.clone(),
            |peer| applied(&peer.reach().rewrites.outward, Field::RequestUri, &number),
        );
        let mut target = there.clone();
        (target.user, target.password, target.headers) =
            (Some(number.replace('#', "%23")), None, None);
        target.params = sip::Params::default();
        if let Some(transport) = there.params.value("transport") {
            target.params.set("transport", Some(transport));
        }
        let by = NameAddr::new(self.endpoint.own_party(customer)?.uri).to_wire();
        let mut headers =
            vec![refer_to(&Uri::Sip(target), replaces)?, Header::new("Referred-By", by).ok()?];
        if !refer.tells {
            // RFC 4488 §4.
            headers.extend(Header::new("Refer-Sub", "false"));
        }
        Some(headers)
    }

    /// What came of a request of ours inside a call.
    pub(crate) fn told(&mut self, leg: LegId, ask: AskId, status: u16) {
        let known = self.legs.get(&leg).copied();
        let session = known.and_then(|(call, _)| self.sessions.remove(&call));
        let Some(mut session) = session else { return };
        if session.handed.as_ref().is_some_and(|handed| handed.sent == ask) {
            if status < 300 {
                self.taken_on(&mut session);
            } else {
                self.not_taken_on(&mut session, status);
            }
        }
        self.put_back(session);
    }

    /// The customer's side makes the transfer. Who wants no news of it has left with that.
    fn taken_on(&mut self, session: &mut Session) {
        let Some(handed) = &mut session.handed else { return };
        let Some(ask) = handed.ask.take() else { return };
        let (leg, tells) = (handed.referrer, handed.tells.is_some());
        self.accepts(leg, ask, tells);
        if tells {
            self.tell(session, bridge::sent_away(NEWS));
        } else {
            session.handed = None;
            self.tell(session, bridge::HOUSE_LEFT);
        }
    }

    /// The customer's side does not make it: everything is as it was.
    fn not_taken_on(&mut self, session: &mut Session, status: u16) {
        let Some(Handed { referrer, ask, .. }) = session.handed.take() else { return };
        if let Some(ask) = ask {
            // What it wants proved, or knows no call of, is none of the referrer's business.
            let status = if matches!(status, 401 | 407 | 408 | 481) { 603 } else { status };
            self.says(referrer, ask, status);
        }
        self.tell(session, bridge::SENT_BACK);
    }

    /// The customer's side says how far it is. That may overtake its answer to the REFER (RFC 3515
    /// §2.4.4), and come although nobody wants to know.
    pub(crate) fn hears_of(
        &mut self,
        session: &mut Session,
        (leg, ask): (LegId, AskId),
        request: &Request,
    ) {
        self.says(leg, ask, 200);
        let progress = Progress::read(request.message());
        self.taken_on(session);
        let Some((referrer, refer)) =
            session.handed.as_ref().and_then(|handed| Some((handed.referrer, handed.tells?)))
        else {
            return;
        };
        let status = match progress {
            Progress::Under(status) | Progress::Done(status) => status,
            // Nobody will ever know; the call is as it was until somebody hangs up.
            Progress::Unknown => 408,
        };
        if let Err(error) = self.endpoint.notify(self.instant, referrer, refer, status) {
            tracing::debug!(call = %session.id(), %error, "telling of a transfer");
        }
        match progress {
            Progress::Under(_) => {
                let lasts = Progress::lasts(request.message()).unwrap_or(NEWS);
                self.tell(session, bridge::sent_away(lasts.min(NEWS)));
            }
            Progress::Done(300..) => {
                session.handed = None;
                self.tell(session, bridge::SENT_BACK);
            }
            Progress::Done(_) | Progress::Unknown => {
                session.handed = None;
                self.tell(session, bridge::HOUSE_LEFT);
            }
        }
    }

    /// There was to be news of the transfer by now. Who asked for it waits no longer, and may ask for
    /// another one.
    pub(crate) fn lost_sight(&mut self, session: &mut Session) {
        let label = "nobody says what became of the transfer";
        session.ladder.add(self.now(), Station::Node, Station::Node, label);
        tracing::warn!(
            call = %session.id(),
            "nobody says what became of a transfer that was handed on; a recording of it is over"
        );
        let Some(Handed { referrer, tells, .. }) = session.handed.take() else { return };
        let Some(refer) = tells else { return };
        if let Err(error) = self.endpoint.notify(self.instant, referrer, refer, 408) {
            tracing::debug!(call = %session.id(), %error, "telling of a transfer");
        }
    }
}
