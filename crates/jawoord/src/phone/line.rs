//! The signalling of a softphone: one call at a time.

use std::{
    io,
    net::{IpAddr, SocketAddr, UdpSocket},
    sync::mpsc::{self, Receiver, Sender, TryRecvError},
    thread,
    time::{Duration, Instant},
};

use ring::rand::{SecureRandom, SystemRandom};
use sip::{
    Abilities, Body, Config, Description, Endpoint, Event, Host, Invite, LegId, ListenerId, Local,
    NameAddr, Negotiated, Own, Params, Remote, Sdp, SipUri, Transport, Uri,
};

use super::{Happened, Manner, Order, Phone, What, voice::Voice};

/// How often a phone looks at its sockets.
const TICK: Duration = Duration::from_millis(2);

/// A call that rings here.
struct Ringing {
    leg: LegId,
    until: Instant,
    body: Body,
    agreed: Negotiated,
}

pub(super) struct Line {
    endpoint: Endpoint,
    socket: UdpSocket,
    own: SocketAddr,
    session: Own,
    local: Local,
    manner: Manner,
    voice: Voice,
    leg: Option<LegId>,
    ringing: Option<Ringing>,
}

impl Line {
    pub(super) fn new(socket: UdpSocket, sound: UdpSocket, manner: Manner) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        sound.set_nonblocking(true)?;
        let own = socket.local_addr()?;
        let mut seed = [0; 32];
        SystemRandom::new().fill(&mut seed).map_err(|_| io::Error::other("no random seed"))?;
        let ssrc = u32::from_le_bytes([seed[0], seed[1], seed[2], seed[3]]);
        let listener = sip::Listener { transport: Transport::Udp, advertised: own };
        Ok(Self {
            endpoint: Endpoint::new(Config::new("jawoord-phone", vec![listener]), seed),
            session: Own::new(u64::from(ssrc)),
            local: Local::new(sound.local_addr()?),
            voice: Voice::new(sound, ssrc),
            socket,
            own,
            manner,
            leg: None,
            ringing: None,
        })
    }

    /// Runs until the phone is dropped.
    pub(super) fn run(mut self, orders: &Receiver<Order>, happened: &Sender<Happened>) {
        loop {
            let now = Instant::now();
            match orders.try_recv() {
                Ok(order) => self.obey(order, now),
                Err(TryRecvError::Empty) => {}
                Err(TryRecvError::Disconnected) => return self.leave(now),
            }
            self.turn(now, happened);
            thread::sleep(TICK);
        }
    }

    fn turn(&mut self, now: Instant, happened: &Sender<Happened>) {
        let tell = |what| {
            let _nobody_listens = happened.send(Happened { at: Instant::now(), what });
        };
        self.receive(now);
        self.endpoint.handle_timeout(now);
        if let Some(ringing) = self.ringing.take_if(|ringing| ringing.until <= now) {
            self.pick_up(ringing, now);
        }
        while let Some(event) = self.endpoint.poll_event() {
            self.signalled(event, now).into_iter().for_each(tell);
        }
        self.transmit();
        self.voice.tick(now);
        while let Some(samples) = self.voice.hear() {
            if !samples.is_empty() {
                tell(What::Heard(samples));
            }
        }
    }

    fn receive(&mut self, now: Instant) {
        let mut buffer = [0; 65_535];
        while let Ok((length, address)) = self.socket.recv_from(&mut buffer) {
            let remote = Remote { address, listener: ListenerId(0), transport: Transport::Udp };
            self.endpoint.receive(now, remote, buffer.get(..length).unwrap_or_default());
        }
    }

    fn transmit(&mut self) {
        while let Some(transmit) = self.endpoint.poll_transmit() {
            // SIP repeats what gets lost.
            let _lost = self.socket.send_to(&transmit.octets, transmit.remote.address);
        }
    }

    fn obey(&mut self, order: Order, now: Instant) {
        match order {
            Order::Call { node, number } => {
                let uri = |user: &str, address: SocketAddr| {
                    Uri::Sip(SipUri {
                        secure: false,
                        user: Some(user.to_owned()),
                        password: None,
                        host: Host::Ip(address.ip()),
                        port: Some(address.port()),
                        params: Params::default(),
                        headers: None,
                    })
                };
                let invite = Invite {
                    listener: ListenerId(0),
                    stream: None,
                    destination: node,
                    target: uri(&number, node),
                    routes: Vec::new(),
                    from: NameAddr::new(uri("+31612345678", self.own)).with_display("Klant"),
                    to: NameAddr::new(uri(&number, node)),
                    headers: Vec::new(),
                    body: Body::sdp(self.session.offer(&self.local)),
                    max_forwards: 70,
                    abilities: Abilities::default(),
                };
                self.leg = self.endpoint.invite(now, &invite).ok();
            }
            Order::Speak(hz) => self.voice.speak(hz),
            Order::Utter(payloads) => self.voice.utter(payloads),
            Order::Press(key) => self.voice.press(key),
            Order::HangUp => self.hang_up(now),
        }
    }

    fn hang_up(&mut self, now: Instant) {
        self.voice.silence();
        if let Some(leg) = self.leg {
            // A leg that has just ended by itself needs no BYE.
            let _ended = self.endpoint.bye(now, leg, &[]);
        }
    }

    /// The last words of a phone that is dropped in a call.
    fn leave(&mut self, now: Instant) {
        self.hang_up(now);
        self.transmit();
    }

    fn signalled(&mut self, event: Event, now: Instant) -> Option<What> {
        match event {
            Event::IncomingInvite { leg, offer, .. } => self.invited(leg, offer, now),
            Event::Provisional { sdp, .. } => {
                if let Some(agreed) =
                    sdp.and_then(|sdp| self.session.read_answer(&self.local, &sdp).ok())
                {
                    self.voice.agree(&agreed, now);
                }
                Some(What::Ringing)
            }
            Event::Answered { sdp, .. } => {
                if let Ok(agreed) = self.session.read_answer(&self.local, &sdp) {
                    self.voice.agree(&agreed, now);
                }
                Some(What::Answered)
            }
            Event::Reinvite { leg, offer, .. } => {
                self.reinvited(leg, offer, now);
                None
            }
            Event::Cancelled { .. }
            | Event::Rejected { .. }
            | Event::Bye { .. }
            | Event::Ended { .. } => {
                self.voice.silence();
                self.leg = None;
                self.ringing = None;
                Some(What::Ended)
            }
            Event::Acked { .. }
            | Event::Pracked { .. }
            | Event::ForkEnded { .. }
            | Event::Reanswered { .. }
            | Event::ReinviteRefused { .. }
            | Event::Info { .. }
            | Event::Noted { .. }
            | Event::Asked { .. }
            | Event::Told { .. }
            | Event::Registration { .. }
            | Event::Pong { .. } => None,
        }
    }

    fn invited(&mut self, leg: LegId, offer: Option<Sdp>, now: Instant) -> Option<What> {
        let Manner::Answers { after, .. } = self.manner else {
            let _gone = self.endpoint.respond(now, leg, 480, &[], None);
            return None;
        };
        if self.leg.is_some() || self.ringing.is_some() {
            let _gone = self.endpoint.respond(now, leg, 486, &[], None);
            return None;
        }
        let offer = offer.and_then(|offer| Description::parse(&offer).ok());
        let answer = offer.and_then(|offer| self.session.answer(&offer, &self.local).ok());
        let Some((octets, agreed)) = answer else {
            let _gone = self.endpoint.respond(now, leg, 488, &[], None);
            return None;
        };
        if !after.is_zero() {
            let _gone = self.endpoint.respond(now, leg, 180, &[], None);
        }
        self.ringing = Some(Ringing { leg, until: now + after, body: Body::sdp(octets), agreed });
        Some(What::Invited)
    }

    fn pick_up(&mut self, ringing: Ringing, now: Instant) {
        if self.endpoint.respond(now, ringing.leg, 200, &[], Some(&ringing.body)).is_ok() {
            self.leg = Some(ringing.leg);
            if let Manner::Answers { tone_hz, .. } = self.manner {
                self.voice.speak(tone_hz);
            }
            self.voice.agree(&ringing.agreed, now);
        }
    }

    fn reinvited(&mut self, leg: LegId, offer: Option<Sdp>, now: Instant) {
        let offer = offer.and_then(|offer| Description::parse(&offer).ok());
        let answer = offer.and_then(|offer| self.session.answer(&offer, &self.local).ok());
        let _gone = match answer {
            Some((octets, agreed)) => {
                self.voice.agree(&agreed, now);
                self.endpoint.answer_reinvite(now, leg, 200, &[], Some(&Body::sdp(octets)))
            }
            None => self.endpoint.answer_reinvite(now, leg, 488, &[], None),
        };
    }
}

impl Phone {
    /// A phone on a SIP address; its sound takes any free port.
    ///
    /// # Errors
    /// The address is taken, or the machine gives no random seed.
    pub fn start(address: SocketAddr, manner: Manner) -> io::Result<Self> {
        let signalling = UdpSocket::bind(address)?;
        let address = signalling.local_addr()?;
        let sound = even_port(address.ip())?;
        let line = Line::new(signalling, sound, manner)?;
        let (orders, inbox) = mpsc::channel();
        let (outbox, happened) = mpsc::channel();
        thread::Builder::new().name("phone".to_owned()).spawn(move || {
            line.run(&inbox, &outbox);
        })?;
        Ok(Self { address, orders, happened })
    }
}

fn even_port(ip: IpAddr) -> io::Result<UdpSocket> {
    for _ in 0..64 {
        let socket = UdpSocket::bind((ip, 0))?;
        if socket.local_addr()?.port() % 2 == 0 {
            return Ok(socket);
        }
    }
    Err(io::ErrorKind::AddrNotAvailable.into())
}
