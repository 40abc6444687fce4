//! One call in a worker: its relay and its sockets.

use std::{
    io,
    net::{SocketAddr, UdpSocket},
    ops::Range,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Weak},
};

use call::{CallId, Party, Time};
use zeroize::Zeroize;

use crate::{
    leg::{Channel, Transmit},
    line::{Lines, Way},
    order::{LegOpen, Order},
    queue::{send, send_on},
    relay::{Relay, Verdict},
};

/// Sockets of one call that have ports of their own.
const PORTS: usize = 4;
/// Sockets of one call.
pub(crate) const SOCKETS: usize = PORTS + 2;
/// Where the lines of both parties are.
pub(crate) const LINES: Range<usize> = PORTS..SOCKETS;

/// A call and its sockets, in the order customer RTP, customer RTCP, agent RTP, agent RTCP.
pub(crate) struct Slot {
    pub(crate) call: CallId,
    pub(crate) relay: Relay,
    /// None of a leg's RTCP while that shares the port of its RTP.
    pub(crate) sockets: [Option<UdpSocket>; PORTS],
    /// How customer and agent are reached for sound.
    ways: [Way; 2],
    /// Behind the sockets, which are dropped first.
    pub(crate) held: [Option<Arc<()>>; PORTS],
    /// What a socket holds that is opened again.
    pub(crate) reports: Weak<()>,
}

const fn place_of(party: Party, channel: Channel) -> usize {
    match (party, channel) {
        (Party::Customer, Channel::Rtp) => 0,
        (Party::Customer, Channel::Rtcp) => 1,
        (Party::Agent, Channel::Rtp) => 2,
        (Party::Agent, Channel::Rtcp) => 3,
    }
}

/// Behind the ports are the lines of both.
const fn owner_of(place: usize) -> (Party, Channel) {
    match place {
        0 | PORTS => (Party::Customer, Channel::Rtp),
        1 => (Party::Customer, Channel::Rtcp),
        3 => (Party::Agent, Channel::Rtcp),
        _ => (Party::Agent, Channel::Rtp),
    }
}

const fn index(party: Party) -> usize {
    match party {
        Party::Customer => 0,
        Party::Agent => 1,
    }
}

impl Slot {
    /// A call with all of its sockets.
    pub(crate) fn new(call: CallId, relay: Relay, customer: LegOpen, agent: LegOpen) -> Self {
        let [near, far] = [customer.held, agent.held];
        let reports = Arc::downgrade(&near.reports);
        let sockets = [customer.rtp, customer.rtcp, agent.rtp, agent.rtcp].map(Some);
        let held = [near.sound, near.reports, far.sound, far.reports].map(Some);
        Self { call, relay, sockets, ways: Default::default(), held, reports }
    }

    fn socket(&self, party: Party, channel: Channel) -> Option<&UdpSocket> {
        self.sockets.get(place_of(party, channel))?.as_ref()
    }

    /// The socket in a place, if there is one.
    pub(crate) fn at(&self, place: usize) -> Option<&UdpSocket> {
        match place.checked_sub(PORTS) {
            None => self.sockets.get(place)?.as_ref(),
            Some(line) => self.ways.get(line)?.socket(),
        }
    }

    /// A packet has come from `from` to the socket in `place`. If it is the peer's, and came where everybody
    /// may come, the peer gets a line. Answers with its place: it is to be listened to.
    pub(crate) fn straighten(
        &mut self,
        place: usize,
        from: SocketAddr,
        lines: &Arc<Lines>,
    ) -> Option<usize> {
        let (party, Channel::Rtp) = owner_of(place) else { return None };
        let shared = self.sockets.get(place)?.as_ref()?;
        let is_the_peers = self.relay.leg(party).remote.is_some_and(|remote| remote.rtp == from);
        let way = self.ways.get_mut(index(party)).filter(|_| is_the_peers)?;
        way.straighten(shared, from, lines).then_some(PORTS + index(party))
    }

    /// Whether a leg has a line.
    pub(crate) fn has_line(&self) -> bool {
        self.ways.iter().any(|way| way.socket().is_some())
    }

    /// Nothing more comes by the lines; what waits in them is there still.
    pub(crate) fn shut(&self) {
        self.ways.iter().for_each(Way::shut);
    }

    /// Lets the lines go. What waits in them is to have been read.
    pub(crate) fn go_shared(&mut self) {
        self.ways = Default::default();
    }

    /// A leg's reports share the port of its sound from now on, and their socket goes; or they do no longer,
    /// and it is opened anew. Answers with its place if it was: it is to be listened to.
    ///
    /// # Errors
    /// The port is not to be had. Nobody else was given it; reports stay away then, and sound does not.
    pub(crate) fn share(&mut self, party: Party, shares: bool) -> io::Result<Option<usize>> {
        let place = place_of(party, Channel::Rtcp);
        let sound = self.socket(party, Channel::Rtp).map(UdpSocket::local_addr).transpose()?;
        let (Some(socket), Some(held), Some(mut own)) =
            (self.sockets.get_mut(place), self.held.get_mut(place), sound)
        else {
            return Ok(None);
        };
        if shares {
            (*socket, *held) = (None, None);
        }
        if shares || socket.is_some() {
            return Ok(None);
        }
        own.set_port(own.port().saturating_add(1));
        (*socket, *held) = (Some(UdpSocket::bind(own)?), self.reports.upgrade());
        Ok(Some(place))
    }

    fn send(&self, transmit: &Transmit, buffer: &[u8]) {
        let Transmit { party, channel, to, ref bytes } = *transmit;
        let Some(bytes) = buffer.get(bytes.clone()) else { return };
        let way = self.ways.get(index(party)).filter(|_| channel == Channel::Rtp);
        if let Some(line) = way.and_then(|way| way.to(to)) {
            send_on(line, bytes);
        } else if let Some(socket) = self.socket(party, channel) {
            send(socket, bytes, to);
        }
    }

    /// Carries a datagram of `length` bytes in `buffer` through the relay. There is room behind it. Says
    /// whether the relay has more to do or to tell.
    pub(crate) fn received(
        &mut self,
        now: Time,
        place: usize,
        from: SocketAddr,
        (buffer, length): (&mut [u8], usize),
    ) -> bool {
        let (party, channel) = owner_of(place);
        match channel {
            Channel::Rtp => match self.relay.receive(now, party, from, (buffer, length)) {
                Verdict::Forward(transmit) => {
                    self.send(&transmit, buffer);
                    self.relay.has_news()
                }
                Verdict::Packed | Verdict::Drop(_) => true,
            },
            Channel::Rtcp => {
                let bytes = buffer.get_mut(..length).unwrap_or_default();
                self.relay.receive_report(now, party, from, bytes);
                true
            }
        }
    }

    /// Sends all that is due.
    pub(crate) fn transmit(&mut self, now: Time, buffer: &mut [u8]) {
        self.relay.handle_timeout(now);
        while let Some(transmit) = self.relay.poll_transmit(now, buffer) {
            self.send(&transmit, buffer);
            // A relayed call's prompt may be laid over speech: nothing of it stays.
            if let Some(bytes) = buffer.get_mut(transmit.bytes.clone()) {
                bytes.zeroize();
            }
        }
    }

    /// Runs `step` so that a defect met in one call cannot end the others; `None` when it met one.
    pub(crate) fn guarded<T>(&mut self, now: Time, step: impl FnOnce(&mut Self) -> T) -> Option<T> {
        let done = catch_unwind(AssertUnwindSafe(|| step(self))).ok();
        if done.is_none() {
            self.relay.fault(now);
        }
        done
    }
}

/// Does what is ordered.
pub(crate) fn carry_out(relay: &mut Relay, now: Time, order: Order) {
    match order {
        Order::Open { .. } => {}
        Order::SetRemote(party, remote, keys) => {
            relay.secure(party, keys.as_deref());
            relay.set_remote(now, party, remote);
        }
        Order::Play(prompt, audio) => relay.play(now, prompt, audio),
        Order::Announce(prompt, audio) => relay.announce(now, prompt, audio),
        Order::Cue(audio) => relay.cue(now, *audio),
        Order::Beep(every, audio) => relay.beep(now, every, *audio),
        Order::Hush => relay.hush(now),
        Order::RingBack(party) => relay.ring_back(now, party),
        Order::Tone(tone) => relay.tone(now, tone),
        Order::Connect(connection) => relay.connect(now, connection),
        Order::Keep(party, kept) => relay.keep(party, kept),
        Order::Press(party, key, held, raw) => {
            relay.press(now, party, *key.reveal(), held, *raw.reveal());
        }
        Order::Retell(party, retells) => relay.retell(party, retells),
        Order::HearBeside => relay.hear_beside(),
        Order::TakeStray => relay.take_stray(),
        Order::Watch(limit) => relay.watch(limit),
        Order::InsertTap(tap) => relay.insert_tap(now, *tap),
        Order::ArmPause(key) => relay.arm_pause(key),
        Order::Pause(why) => relay.pause(now, why),
        Order::Resume => relay.resume(now),
        Order::ArmWithdrawal(key) => relay.arm_withdrawal(key),
        Order::RemoveTap => relay.remove_tap(now),
        Order::Count => relay.tell_counts(),
        Order::Close => relay.close(now),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        order::Held,
        report::Event,
        start::LegStart,
        tone::{Country, Tones},
    };

    #[test]
    fn a_defect_in_one_step_is_counted_and_the_call_goes_on() {
        let now = Time::from_micros(1);
        let start = LegStart::from_random([1; 32]);
        let relay = Relay::new(now, &start, &start, Tones::new(Country::Nl));
        let mut slot = Slot::new(CallId::from_bytes([1; 16]), relay, leg(&start), leg(&start));
        let done = slot.guarded(now, |_| panic!("announced: a defect of ours"));
        assert_eq!(done, None::<()>);
        assert_eq!(slot.relay.poll_event(), Some(Event::Fault));
        assert_eq!(slot.guarded(now, |slot| slot.relay.hush(now)), Some(()));
        assert_eq!(slot.relay.stats().faults, 1);
    }

    fn leg(start: &LegStart) -> LegOpen {
        // An even port with a free one above.
        let (rtp, rtcp) = (0..1_000)
            .find_map(|_| {
                let rtp = UdpSocket::bind(("127.0.0.1", 0)).ok()?;
                let port = rtp.local_addr().ok()?.port();
                Some((rtp, UdpSocket::bind(("127.0.0.1", port.checked_add(1)?)).ok()?))
            })
            .unwrap();
        LegOpen { rtp, rtcp, start: *start, held: Held::default() }
    }

    #[test]
    fn a_leg_whose_reports_share_the_port_of_its_sound_has_one_socket_and_can_have_two_again() {
        let now = Time::from_micros(1);
        let start = LegStart::from_random([1; 32]);
        let relay = Relay::new(now, &start, &start, Tones::new(Country::Nl));
        let (near, far) = (leg(&start), leg(&start));
        let (held, beside) = (near.held.clone(), near.rtcp.local_addr().unwrap());
        let mut slot = Slot::new(CallId::from_bytes([1; 16]), relay, near, far);
        let open = |held: &Held| (Arc::strong_count(&held.sound), Arc::strong_count(&held.reports));
        assert_eq!((slot.share(Party::Customer, false).unwrap(), open(&held)), (None, (2, 2)));
        assert_eq!((slot.share(Party::Customer, true).unwrap(), open(&held)), (None, (2, 1)));
        let taken = UdpSocket::bind(beside).expect("the port is free");
        assert!(slot.share(Party::Customer, false).is_err());
        assert_eq!(open(&held), (2, 1));
        drop(taken);
        assert_eq!((slot.share(Party::Customer, false).unwrap(), open(&held)), (Some(1), (2, 2)));
        assert!(UdpSocket::bind(beside).is_err());
        drop(slot);
        assert_eq!(open(&held), (1, 1));
    }

    #[test]
    fn every_socket_has_its_place() {
        for place in 0..PORTS {
            let (party, channel) = owner_of(place);
            assert_eq!(place_of(party, channel), place);
        }
        for party in [Party::Customer, Party::Agent] {
            assert_eq!(owner_of(PORTS + index(party)), (party, Channel::Rtp));
        }
    }
}
