//! The way of a call through the targets of the other side: which is tried, until when, what is left.

use std::{collections::VecDeque, net::SocketAddr, time::Duration};

use call::Time;
use sip::{Message, NameAddr, SipUri, Uri};

use crate::targets::Candidate;

/// So many 3xx are followed in one call; what redirects more often goes round in a circle.
const MOST_REDIRECTS: u8 = 5;
/// The longest rest that a `Retry-After` can ask for.
const LONGEST_REST: Duration = Duration::from_secs(300);

/// What the end of an attempt means for the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// The next target is tried.
    Next,
    /// The contacts of the response are tried first (row B-21).
    Follow,
    /// The call has its answer.
    Over,
}

/// The attempts of one call.
#[derive(Debug, Default)]
pub struct Attempts {
    left: VecDeque<Candidate>,
    current: Option<Candidate>,
    been: Vec<(SocketAddr, Option<String>)>,
    redirects: u8,
    emergency: bool,
    /// The target has sent sound before its answer.
    early: bool,
    /// Without any response until then, the next one is tried.
    silent_until: Option<Time>,
    /// Without an answer until then, the next one is tried.
    answer_until: Option<Time>,
}

impl Attempts {
    /// The attempts of a call that may try these, in this order.
    #[must_use]
    pub fn new(left: VecDeque<Candidate>, emergency: bool) -> Self {
        Self { left, emergency, ..Self::default() }
    }

    /// Goes on to the next target, if there is one.
    pub fn advance(&mut self, now: Time) -> Option<Candidate> {
        self.stop_clocks();
        let next = self.left.pop_front()?;
        self.been.reserve_exact(1);
        self.been.push(place(&next));
        if !self.left.is_empty() {
            let patience = next.reach.patience;
            self.silent_until = Some(now + patience.silent);
            // An emergency rings for as long as its caller waits.
            let limit = patience.no_answer.filter(|_| !self.emergency);
            self.answer_until = limit.map(|limit| now + limit);
        }
        self.current = Some(next.clone());
        Some(next)
    }

    /// The target that is being tried.
    #[must_use]
    pub const fn current(&self) -> Option<&Candidate> {
        self.current.as_ref()
    }

    /// The target has responded.
    pub const fn heard(&mut self, early_media: bool) {
        self.silent_until = None;
        self.early |= early_media;
    }

    /// Whether any target has sent sound before its answer.
    #[must_use]
    pub const fn had_early_media(&self) -> bool {
        self.early
    }

    /// The call was answered or given up: no other target is tried.
    pub fn settle(&mut self) {
        self.stop_clocks();
        // A call is up for minutes now: no room lies by.
        self.left = VecDeque::new();
        self.current = None;
    }

    const fn stop_clocks(&mut self) {
        self.silent_until = None;
        self.answer_until = None;
    }

    /// When the target has had its time.
    #[must_use]
    pub fn due(&self) -> Option<Time> {
        [self.silent_until, self.answer_until].into_iter().flatten().min()
    }

    /// Whether the target has not responded at all and should have by now.
    #[must_use]
    pub fn is_silent(&self, now: Time) -> bool {
        self.silent_until.is_some_and(|until| until <= now)
    }

    /// Whether the target has not been answered and should have been by now.
    #[must_use]
    pub fn is_unanswered(&self, now: Time) -> bool {
        self.answer_until.is_some_and(|until| until <= now)
    }

    /// Where the call goes after this final response. Busy and declined are answers, and another
    /// target would say the same; only an emergency tries them all (rows B-19, B-20, E-06).
    #[must_use]
    pub fn after(&self, status: u16) -> After {
        let Some(current) = &self.current else { return After::Over };
        match status {
            300..=399 => After::Follow,
            // What we cannot prove to one target we may be able to prove to another.
            401 | 407 | 500..600 => After::Next,
            408 | 480 if current.reach.patience.no_answer.is_some() => After::Next,
            _ if self.emergency => After::Next,
            _ => After::Over,
        }
    }

    /// The contacts of a 3xx in their order, as `lead` knows them, are tried next. What was tried
    /// before is not tried again, and no call is redirected for ever.
    pub fn follow(&mut self, response: &Message, lead: impl Fn(&SipUri) -> Option<Candidate>) {
        if self.redirects >= MOST_REDIRECTS {
            return;
        }
        self.redirects += 1;
        for uri in contacts(response).iter().rev() {
            let Some(candidate) = lead(uri) else { continue };
            let spot = place(&candidate);
            let waits = self.left.iter().any(|waiting| place(waiting) == spot);
            if !waits && !self.been.contains(&spot) {
                self.left.push_front(candidate);
            }
        }
    }
}

fn place(candidate: &Candidate) -> (SocketAddr, Option<String>) {
    let user = candidate.contact.as_ref().map(|uri| uri.user.clone().unwrap_or_default());
    (candidate.address, user)
}

/// The SIP contacts of a 3xx, the dearest first (RFC 3261 §8.1.3.4). Of equals, the order stays.
fn contacts(response: &Message) -> Vec<SipUri> {
    let contacts = response.list("Contact").into_iter().filter_map(NameAddr::parse);
    let mut weighed: Vec<(u32, SipUri)> = contacts
        .filter_map(|contact| {
            let q = thousandths(contact.params.value("q"));
            match contact.uri {
                Uri::Sip(uri) => Some((q, uri)),
                Uri::Tel(_) | Uri::Other(_) => None,
            }
        })
        .collect();
    weighed.sort_by_key(|(q, _)| std::cmp::Reverse(*q));
    weighed.into_iter().map(|(_, uri)| uri).collect()
}

/// A `q` of 0 to 1 with at most three decimals; none is 1, and what cannot be read is last.
fn thousandths(q: Option<&[u8]>) -> u32 {
    let Some(q) = q else { return 1_000 };
    let text = std::str::from_utf8(q).unwrap_or("0");
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let decimals = format!("{decimals:0<3}");
    match (whole.parse::<u32>(), decimals.get(..3).map(str::parse::<u32>)) {
        (Ok(whole), Some(Ok(decimals))) if whole <= 1 => (whole * 1_000 + decimals).min(1_000),
        _ => 0,
    }
}

/// How long a target that refuses calls wants to be left alone (RFC 3261 §20.33).
#[must_use]
pub fn rest(response: &Message) -> Option<Duration> {
    let value = std::str::from_utf8(response.first("Retry-After")?).ok()?.trim_start();
    let digits = value.find(|c: char| !c.is_ascii_digit()).map_or(value, |end| &value[..end]);
    let seconds = digits.parse().ok().filter(|seconds| *seconds > 0)?;
    Some(Duration::from_secs(seconds).min(LONGEST_REST))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        config::target::{Keys, Transport, Written},
        targets::{Kind, PeerId},
    };
    use std::sync::Arc;

    fn candidate(port: u16, no_answer_s: u32) -> Candidate {
        let keys = Keys {
            targets: &[Written::short("127.0.0.1")],
            keepalive_s: 0,
            down_after: 1,
            up_after: 1,
            silent_after_s: 8,
            no_answer_s,
        };
        Candidate {
            peer: PeerId { kind: Kind::Pbx, index: 0 },
            name: "pbx".into(),
            reach: Arc::new(keys.judge("pbx", &mut Vec::new())),
            host: None,
            address: SocketAddr::from(([127, 0, 0, 1], port)),
            transport: Transport::Udp,
            contact: None,
        }
    }

    fn attempts(ports: &[u16], no_answer_s: u32, emergency: bool) -> Attempts {
        let all = ports.iter().map(|port| candidate(*port, no_answer_s)).collect();
        Attempts::new(all, emergency)
    }

    fn next(attempts: &mut Attempts, now: u64) -> Option<u16> {
        attempts.advance(at(now)).map(|candidate| candidate.address.port())
    }

    const fn at(seconds: u64) -> Time {
        Time::from_micros(seconds * 1_000_000)
    }

    fn response(contacts: &str) -> Message {
        let text = format!(
            "SIP/2.0 302 Moved\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n\
             From: <sip:a@192.0.2.1>;tag=1\r\nTo: <sip:b@192.0.2.1>;tag=2\r\nCall-ID: 1\r\n\
             CSeq: 1 INVITE\r\n{contacts}\r\n"
        );
        sip::parse(text.as_bytes()).expect("a response")
    }

    #[test]
    fn the_last_target_is_waited_for_as_long_as_the_policy_says() {
        let mut attempts = attempts(&[1, 2], 20, false);
        assert_eq!(next(&mut attempts, 0), Some(1));
        assert_eq!(attempts.due(), Some(at(8)));
        assert!(!attempts.is_silent(at(7)) && attempts.is_silent(at(8)));
        attempts.heard(false);
        assert_eq!(attempts.due(), Some(at(20)));
        assert!(!attempts.is_unanswered(at(19)) && attempts.is_unanswered(at(20)));
        assert_eq!(next(&mut attempts, 20), Some(2));
        assert_eq!(attempts.due(), None);
        assert_eq!(next(&mut attempts, 21), None);
    }

    #[test]
    fn b_19_what_is_no_answer_of_a_person_goes_on_and_the_rest_is_final() {
        let mut plain = attempts(&[1, 2], 0, false);
        assert_eq!(plain.after(503), After::Over, "nothing is being tried yet");
        next(&mut plain, 0);
        for status in [500, 502, 503, 504, 599] {
            assert_eq!(plain.after(status), After::Next, "{status}");
        }
        for status in [400, 403, 404, 408, 480, 484, 486, 600, 603] {
            assert_eq!(plain.after(status), After::Over, "{status}");
        }
        assert_eq!(plain.after(302), After::Follow);
        plain.settle();
        assert_eq!(plain.after(503), After::Over);
    }

    #[test]
    fn b_20_no_answer_goes_on_only_where_the_policy_says_so() {
        let mut patient = attempts(&[1, 2], 20, false);
        next(&mut patient, 0);
        assert_eq!((patient.after(480), patient.after(408)), (After::Next, After::Next));
        assert_eq!(patient.after(486), After::Over);
    }

    #[test]
    fn e_06_an_emergency_tries_every_route_and_rings_on() {
        let mut urgent = attempts(&[1, 2], 20, true);
        next(&mut urgent, 0);
        for status in [403, 404, 480, 486, 503, 600] {
            assert_eq!(urgent.after(status), After::Next, "{status}");
        }
        urgent.heard(false);
        assert_eq!(urgent.due(), None);
    }

    #[test]
    fn b_21_contacts_are_followed_by_q_and_never_twice() {
        let message = response(
            "Contact: <sip:low@192.0.2.1>;q=0.2, <sip:high@192.0.2.1>;q=0.9\r\n\
             Contact: <sip:plain@192.0.2.1>, <tel:+31201234567>;q=1, <sip:odd@192.0.2.1>;q=x\r\n",
        );
        let users: Vec<_> = contacts(&message).into_iter().filter_map(|uri| uri.user).collect();
        assert_eq!(users, ["plain", "high", "low", "odd"]);

        let lead = |uri: &SipUri| {
            let mut found = candidate(1, 0);
            found.contact = Some(uri.clone());
            Some(found)
        };
        let mut attempts = attempts(&[1, 9], 0, false);
        next(&mut attempts, 0);
        attempts.follow(&message, lead);
        let mut tried = Vec::new();
        while let Some(candidate) = attempts.advance(at(0)) {
            tried.push(candidate.contact.and_then(|uri| uri.user).unwrap_or_default());
            // Whoever is asked names the same contacts again: a circle.
            attempts.follow(&message, lead);
            assert!(tried.len() < 20, "{tried:?}");
        }
        assert_eq!(tried, ["plain", "high", "low", "odd", ""]);
    }

    #[test]
    fn b_21_a_chain_of_ever_new_contacts_ends() {
        let mut attempts = attempts(&[1], 0, false);
        let mut hops = 0_u16;
        while attempts.advance(at(0)).is_some() {
            hops += 1;
            let message = response(&format!("Contact: <sip:hop{hops}@192.0.2.1>\r\n"));
            attempts.follow(&message, |uri| {
                Some(Candidate { contact: Some(uri.clone()), ..candidate(1, 0) })
            });
        }
        assert_eq!(hops, 1 + u16::from(MOST_REDIRECTS));
    }

    #[test]
    fn a_target_that_asks_for_rest_gets_it_but_not_for_ever() {
        let rest = |value: &str| rest(&response(&format!("Retry-After: {value}\r\n")));
        assert_eq!(rest("7"), Some(Duration::from_secs(7)));
        assert_eq!(rest("18 (restarting);duration=60"), Some(Duration::from_secs(18)));
        assert_eq!(rest("99999"), Some(LONGEST_REST));
        assert_eq!((rest("0"), rest("soon")), (None, None));
    }
}
