//! Which of a trunk's targets a trial call tries, by the rules of a call of the node's (rows B-21, R-16).

use call::Time;
use serde_json::json;
use sip::{Host, Message, SipUri};

use super::{ask::Way, finding::Finding, told::Outcome};
use crate::{
    attempts::{After, Attempts},
    config::peers::Trunk,
    targets::{Candidate, Kind, PeerId},
};

/// The targets of a trial call: the one that it is at, and what came of those before.
pub struct Tries {
    /// All of them, as a 3xx may name them.
    all: Vec<Candidate>,
    attempts: Attempts,
    before: Vec<(String, Outcome)>,
}

impl Tries {
    /// These addresses of a trunk, and whether each has answered OPTIONS: one that has goes first.
    #[must_use]
    pub fn new((index, trunk): (usize, &Trunk), ways: &[(Way, bool)]) -> Self {
        let peer = PeerId { kind: Kind::Trunk, index };
        let candidate = |way: &Way| Candidate {
            peer,
            name: (&*trunk.name).into(),
            reach: way.reach.clone(),
            host: way.host.clone(),
            address: way.address,
            transport: way.transport,
            contact: None,
        };
        let of = |wanted: bool| ways.iter().filter(move |(_, up)| *up == wanted);
        let all: Vec<_> = of(true).chain(of(false)).map(|(way, _)| candidate(way)).collect();
        let attempts = Attempts::new(all.iter().cloned().collect(), false);
        Self { all, attempts, before: Vec::new() }
    }

    /// The next target, and whom a 3xx wants to be called there. What came of the one before is kept for
    /// the report, unless that was the last.
    pub fn next(&mut self, now: Time, before: Outcome) -> Option<(Way, Option<SipUri>)> {
        let left = self.attempts.current().map(place);
        let Candidate { reach, host, address, transport, contact, .. } =
            self.attempts.advance(now)?;
        self.before.extend(left.map(|left| (left, before)));
        Some((Way { reach, host, address, transport }, contact))
    }

    /// Whether a call of the node's would go on after this, if there is anywhere to. `may` says whether
    /// a contact of a 3xx may be called at all.
    pub fn goes_on(
        &mut self,
        outcome: Outcome,
        response: Option<&Message>,
        may: impl Fn(&SipUri) -> bool,
    ) -> bool {
        let after = match outcome {
            Outcome::Rejected(status) => self.attempts.after(status),
            Outcome::Unheard | Outcome::Unsent(_) | Outcome::Unanswered => After::Next,
            Outcome::Broken | Outcome::Disagreed(_) | Outcome::Talked => After::Over,
        };
        if let (After::Follow, Some(response)) = (after, response) {
            let all = &self.all;
            self.attempts.follow(response, |uri| lead(all, uri).filter(|_| may(uri)));
        }
        after != After::Over
    }

    /// The target has responded.
    pub const fn heard(&mut self) {
        self.attempts.heard(false);
    }

    /// The call is answered or given up: no other target is tried.
    pub fn settle(&mut self) {
        self.attempts.settle();
    }

    /// When the target has had its time and another one is left.
    #[must_use]
    pub fn due(&self) -> Option<Time> {
        self.attempts.due()
    }

    /// Whether it has had it because it says nothing at all, not even 100.
    #[must_use]
    pub fn is_silent(&self, now: Time) -> bool {
        self.attempts.is_silent(now)
    }

    /// What came of the targets before the last one, in a line each.
    #[must_use]
    pub fn findings(&self, call: &str) -> Vec<Finding> {
        let said = |outcome: &Outcome| match outcome {
            Outcome::Rejected(status @ 300..=399) => format!("it says {status}, which is followed"),
            Outcome::Rejected(status) => format!("it says {status}; the next target is tried"),
            Outcome::Unanswered => "nobody answers; the next target is tried".to_owned(),
            Outcome::Unsent(error) => format!("no call leaves ({error}); the next target is tried"),
            Outcome::Unheard | Outcome::Broken | Outcome::Disagreed(_) | Outcome::Talked => {
                "it does not respond; the next target is tried".to_owned()
            }
        };
        let mend = "every call of the node goes the same way; look at what is said of this target";
        let line = |(place, outcome): &(String, Outcome)| {
            let status = match outcome {
                Outcome::Rejected(status) => Some(*status),
                Outcome::Unanswered
                | Outcome::Unsent(_)
                | Outcome::Unheard
                | Outcome::Broken
                | Outcome::Disagreed(_)
                | Outcome::Talked => None,
            };
            let facts = json!({ "target": place, "status": status });
            let place = format!("{call}, tried at {place}");
            match outcome {
                Outcome::Rejected(300..=399) => Finding::ok(place, said(outcome)),
                Outcome::Rejected(_)
                | Outcome::Unanswered
                | Outcome::Unsent(_)
                | Outcome::Unheard
                | Outcome::Broken
                | Outcome::Disagreed(_)
                | Outcome::Talked => Finding::warn(place, said(outcome), mend),
            }
            .with(facts)
        };
        self.before.iter().map(line).collect()
    }
}

/// A target in words.
#[must_use]
pub fn at(way: &Way) -> String {
    format!("{}/{}", way.address, way.transport.as_str())
}

fn place(candidate: &Candidate) -> String {
    format!("{}/{}", candidate.address, candidate.transport.as_str())
}

/// Where a contact leads, if it is one of these (row B-21): by its address and port, or by its name.
fn lead(all: &[Candidate], contact: &SipUri) -> Option<Candidate> {
    let is = |candidate: &&Candidate| match &contact.host {
        Host::Ip(ip) => {
            // RFC 3261 §19.1.2: without a port it is the transport's.
            let port = contact.port.unwrap_or(candidate.transport.port());
            candidate.address.ip() == ip.to_canonical() && candidate.address.port() == port
        }
        Host::Name(name) => {
            let named = candidate.host.as_ref().is_some_and(|own| own.eq_ignore_ascii_case(name));
            named && contact.port.is_none_or(|port| port == candidate.address.port())
        }
    };
    let found = all.iter().find(is)?;
    Some(Candidate { contact: Some(contact.clone()), ..found.clone() })
}
