//! The client side of one transaction: RFC 3261 §17.1 with the Accepted state of RFC 6026.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::timer::{Alarm, FewAlarms, Timers};

/// INVITE or any other request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Invite,
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// No response yet: Calling, or Trying.
    Calling,
    Proceeding,
    /// A final response is here; its retransmissions are absorbed.
    Completed,
    /// A 2xx to INVITE is here; every further 2xx is passed up (RFC 6026 §7.2).
    Accepted,
}

/// What to do with a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Heard {
    /// The user of the transaction sees it.
    Pass,
    /// The user sees it and the transaction acknowledges it (3xx to 6xx to INVITE).
    PassAndAck,
    /// A retransmission of it: acknowledge again, tell nobody.
    AckAgain,
    /// Nothing.
    Absorb,
}

/// What has become due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    /// Send the request again.
    Retransmit,
    /// Nobody answered; the transaction is over.
    GaveUp,
    /// The transaction is over.
    Over,
}

/// One client transaction. It holds no octets: its layer does.
#[derive(Debug)]
pub(crate) struct Client {
    kind: Kind,
    state: State,
    reliable: bool,
    /// Everybody's.
    timers: Arc<Timers>,
    interval: Duration,
    alarms: FewAlarms,
    forsaken: bool,
}

impl Client {
    /// A transaction whose request goes out now.
    pub(crate) fn new(
        now: Instant,
        kind: Kind,
        reliable: bool,
        timers: impl Into<Arc<Timers>>,
    ) -> Client {
        let timers = timers.into();
        let mut alarms = FewAlarms::default();
        if !reliable {
            alarms.set(Alarm::Retransmit, now + timers.t1);
        }
        alarms.set(Alarm::GiveUp, now + timers.patience());
        let (state, interval) = (State::Calling, timers.t1);
        Client { kind, state, reliable, timers, interval, alarms, forsaken: false }
    }

    pub(crate) fn next_timeout(&self) -> Option<Instant> {
        self.alarms.next()
    }

    /// No response has come yet.
    pub(crate) fn is_calling(&self) -> bool {
        self.state == State::Calling
    }

    /// A final response has not come yet.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.state, State::Calling | State::Proceeding)
    }

    /// A response with this status has arrived.
    pub(crate) fn response(&mut self, now: Instant, status: u16) -> Heard {
        match (self.state, self.kind, status) {
            (State::Calling | State::Proceeding, _, ..200) => self.provisional(now),
            (State::Calling | State::Proceeding, Kind::Invite, 200..300) => {
                self.enter(now, State::Accepted, self.timers.patience());
                Heard::Pass
            }
            (State::Calling | State::Proceeding, Kind::Invite, _) => {
                self.enter(now, State::Completed, self.timers.linger());
                Heard::PassAndAck
            }
            (State::Calling | State::Proceeding, Kind::Other, _) => {
                self.enter(now, State::Completed, self.timers.t4);
                Heard::Pass
            }
            (State::Accepted, _, 200..300) => Heard::Pass,
            (State::Completed, Kind::Invite, 300..) => Heard::AckAgain,
            (State::Completed | State::Accepted, _, _) => Heard::Absorb,
        }
    }

    fn provisional(&mut self, now: Instant) -> Heard {
        self.state = State::Proceeding;
        match self.kind {
            // Timer A stops, and B with it: from here on the user of the transaction decides how long
            // to wait. One that has decided already is not asked again.
            Kind::Invite if self.forsaken => self.alarms.stop(Alarm::Retransmit),
            Kind::Invite => self.alarms.clear(),
            // RFC 3261 §17.1.2.2: retransmissions go on every T2.
            Kind::Other if !self.reliable => {
                self.alarms.set(Alarm::Retransmit, now + self.timers.t2)
            }
            Kind::Other => {}
        }
        Heard::Pass
    }

    fn enter(&mut self, now: Instant, state: State, linger: Duration) {
        self.state = state;
        self.alarms.clear();
        // Timers D and K are zero over a reliable transport; M is not (RFC 6026 §8.4).
        let linger =
            if self.reliable && state == State::Completed { Duration::ZERO } else { linger };
        self.alarms.set(Alarm::Linger, now + linger);
    }

    /// Waits no longer than 64*T1 from now, even after a provisional response: the INVITE is cancelled
    /// (RFC 3261 §9.1) or its dialog is over.
    pub(crate) fn forsake(&mut self, now: Instant) {
        self.forsaken = true;
        self.alarms.set(Alarm::GiveUp, now + self.timers.patience());
    }

    /// What has become due; call until `None`.
    pub(crate) fn timeout(&mut self, now: Instant) -> Option<Due> {
        let alarm = self.alarms.take_due(now)?;
        Some(match alarm {
            Alarm::Retransmit => {
                self.interval = match (self.kind, self.state) {
                    (Kind::Invite, _) => self.interval * 2,
                    (Kind::Other, State::Calling) => self.timers.longer(self.interval),
                    (Kind::Other, State::Proceeding | State::Completed | State::Accepted) => {
                        self.timers.t2
                    }
                };
                self.alarms.set(Alarm::Retransmit, now + self.interval);
                Due::Retransmit
            }
            Alarm::GiveUp => Due::GaveUp,
            Alarm::Linger
            | Alarm::Offer
            | Alarm::Refresh
            | Alarm::Expire
            | Alarm::Renew
            | Alarm::Lapse => Due::Over,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Milliseconds after the start at which the request goes out again, and how it ends.
    fn run(kind: Kind, statuses: &[(u64, u16)]) -> (Vec<u64>, Due, u64) {
        let start = Instant::now();
        let mut client = Client::new(start, kind, false, Timers::default());
        let (mut sent, mut script) = (Vec::new(), statuses.iter().peekable());
        loop {
            let due = client.next_timeout();
            if let Some((ms, status)) = script.peek() {
                let at = start + Duration::from_millis(*ms);
                if due.is_none_or(|due| at <= due) {
                    client.response(at, *status);
                    script.next();
                    continue;
                }
            }
            let at = due.expect("a deadline or an end");
            let ms = u64::try_from((at - start).as_millis()).unwrap();
            match client.timeout(at).expect("due") {
                Due::Retransmit => sent.push(ms),
                end => return (sent, end, ms),
            }
        }
    }

    #[test]
    fn an_invite_without_answer_doubles_its_interval_until_64_t1() {
        let (sent, end, at) = run(Kind::Invite, &[]);
        assert_eq!(sent, [500, 1500, 3500, 7500, 15_500, 31_500]);
        assert_eq!((end, at), (Due::GaveUp, 32_000));
    }

    #[test]
    fn another_request_without_answer_is_sent_every_t2_in_the_end() {
        let (sent, end, at) = run(Kind::Other, &[]);
        assert_eq!(sent, [500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]);
        assert_eq!((end, at), (Due::GaveUp, 32_000));
    }

    #[test]
    fn another_request_goes_on_every_t2_after_a_provisional_response() {
        let (sent, end, at) = run(Kind::Other, &[(100, 100)]);
        assert_eq!(sent, [4100, 8100, 12_100, 16_100, 20_100, 24_100, 28_100]);
        assert_eq!((end, at), (Due::GaveUp, 32_000));
    }

    #[test]
    fn final_responses_are_remembered_for_their_time() {
        assert_eq!(run(Kind::Invite, &[(100, 180), (200, 486)]), (vec![], Due::Over, 32_200));
        assert_eq!(run(Kind::Invite, &[(100, 180), (200, 200)]), (vec![], Due::Over, 32_200));
        assert_eq!(run(Kind::Other, &[(200, 200)]), (vec![], Due::Over, 5200));
    }

    #[test]
    fn each_second_response_gets_the_treatment_of_its_state() {
        let now = Instant::now();
        let mut client = Client::new(now, Kind::Invite, false, Timers::default());
        assert_eq!(client.response(now, 180), Heard::Pass);
        assert_eq!(client.response(now, 200), Heard::Pass);
        assert_eq!(client.response(now, 200), Heard::Pass, "a fork or a retransmission");
        assert_eq!(client.response(now, 180), Heard::Absorb);
        assert_eq!(client.response(now, 486), Heard::Absorb);
        let mut client = Client::new(now, Kind::Invite, false, Timers::default());
        assert_eq!(client.response(now, 486), Heard::PassAndAck);
        assert_eq!(client.response(now, 486), Heard::AckAgain);
        assert_eq!(client.response(now, 200), Heard::Absorb);
    }

    #[test]
    fn over_a_reliable_transport_nothing_is_sent_twice() {
        let now = Instant::now();
        let timers = Timers::default();
        let mut client = Client::new(now, Kind::Invite, true, timers);
        assert_eq!(client.next_timeout(), Some(now + timers.patience()));
        client.response(now, 486);
        assert_eq!(client.timeout(now), Some(Due::Over));
    }
}
