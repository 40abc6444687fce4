//! The server side of one transaction: RFC 3261 §17.2 with the Accepted state of RFC 6026.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::client::Kind;
use crate::timer::{Alarm, FewAlarms, Timers};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// No final response yet: Trying or Proceeding.
    Proceeding,
    /// A final response is out (3xx to 6xx to INVITE: until the ACK).
    Completed,
    /// The ACK of a 3xx to 6xx is here.
    Confirmed,
    /// A 2xx to INVITE is out; its retransmission is the dialog's business (RFC 6026 §7.1).
    Accepted,
}

/// What has become due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    /// Send the last response again.
    Retransmit,
    /// The transaction is over (acknowledged or not).
    Over,
}

/// One server transaction. It holds no octets: its layer does.
#[derive(Debug)]
pub(crate) struct Server {
    kind: Kind,
    state: State,
    reliable: bool,
    /// Everybody's.
    timers: Arc<Timers>,
    interval: Duration,
    alarms: FewAlarms,
}

impl Server {
    pub(crate) fn new(kind: Kind, reliable: bool, timers: impl Into<Arc<Timers>>) -> Server {
        let timers = timers.into();
        let alarms = FewAlarms::default();
        let interval = timers.t1;
        Server { kind, state: State::Proceeding, reliable, timers, interval, alarms }
    }

    pub(crate) fn next_timeout(&self) -> Option<Instant> {
        self.alarms.next()
    }

    /// No final response has been sent.
    pub(crate) fn is_open(&self) -> bool {
        self.state == State::Proceeding
    }

    /// A rejection of an INVITE is out, and its ACK is not here.
    pub(crate) fn is_unacknowledged(&self) -> bool {
        self.kind == Kind::Invite && self.state == State::Completed
    }

    /// The user answers with this status; `false` when a final response is out already.
    pub(crate) fn respond(&mut self, now: Instant, status: u16) -> bool {
        if !self.is_open() {
            return false;
        }
        match (self.kind, status) {
            (_, ..200) => {}
            (Kind::Invite, 200..300) => {
                self.enter(now, State::Accepted, Alarm::Linger, self.timers.patience())
            }
            (Kind::Invite, _) => {
                self.enter(now, State::Completed, Alarm::GiveUp, self.timers.patience());
                if !self.reliable {
                    self.alarms.set(Alarm::Retransmit, now + self.interval);
                }
            }
            (Kind::Other, _) => {
                let linger = if self.reliable { Duration::ZERO } else { self.timers.patience() };
                self.enter(now, State::Completed, Alarm::Linger, linger);
            }
        }
        true
    }

    fn enter(&mut self, now: Instant, state: State, alarm: Alarm, after: Duration) {
        self.state = state;
        self.alarms.clear();
        self.alarms.set(alarm, now + after);
    }

    /// The request has come again: is the last response to be sent again?
    pub(crate) fn repeated(&self) -> bool {
        match self.state {
            State::Proceeding | State::Completed => true,
            State::Confirmed | State::Accepted => false,
        }
    }

    /// An ACK with the branch of this transaction; `false` when it is not for us but for the dialog.
    pub(crate) fn ack(&mut self, now: Instant) -> bool {
        match self.state {
            State::Completed => {
                let linger = if self.reliable { Duration::ZERO } else { self.timers.t4 };
                self.enter(now, State::Confirmed, Alarm::Linger, linger);
                true
            }
            State::Confirmed => true,
            State::Proceeding | State::Accepted => false,
        }
    }

    /// What has become due; call until `None`.
    pub(crate) fn timeout(&mut self, now: Instant) -> Option<Due> {
        Some(match self.alarms.take_due(now)? {
            Alarm::Retransmit => {
                self.interval = self.timers.longer(self.interval);
                self.alarms.set(Alarm::Retransmit, now + self.interval);
                Due::Retransmit
            }
            Alarm::GiveUp
            | Alarm::Linger
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

    #[test]
    fn a_rejection_is_repeated_up_to_t2_until_the_ack() {
        let start = Instant::now();
        let mut server = Server::new(Kind::Invite, false, Timers::default());
        assert!(server.respond(start, 180));
        assert!(server.respond(start, 486));
        assert!(!server.respond(start, 200), "one final response only");
        let mut sent = Vec::new();
        let end = loop {
            let at = server.next_timeout().unwrap();
            match server.timeout(at) {
                Some(Due::Retransmit) => sent.push((at - start).as_millis()),
                Some(Due::Over) => break (at - start).as_millis(),
                None => unreachable!(),
            }
        };
        assert_eq!(sent, [500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]);
        assert_eq!(end, 32_000);
    }

    #[test]
    fn an_ack_stops_the_repetition_and_is_absorbed_for_t4() {
        let start = Instant::now();
        let mut server = Server::new(Kind::Invite, false, Timers::default());
        server.respond(start, 486);
        assert!(server.ack(start));
        assert!(server.ack(start));
        assert!(!server.repeated());
        assert_eq!(server.next_timeout(), Some(start + Timers::default().t4));
    }

    #[test]
    fn a_05_an_accepted_invite_absorbs_its_retransmissions_and_leaves_the_ack_to_the_dialog() {
        let start = Instant::now();
        let mut server = Server::new(Kind::Invite, false, Timers::default());
        assert!(server.repeated());
        server.respond(start, 200);
        assert!(!server.repeated());
        assert!(!server.ack(start));
        assert_eq!(server.next_timeout(), Some(start + Duration::from_secs(32)));
    }
}
