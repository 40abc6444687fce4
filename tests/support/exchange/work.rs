//! The thread of a peer: its socket, its calls, and what SIP asks of them.

use std::{
    collections::VecDeque,
    net::{SocketAddr, UdpSocket},
    sync::mpsc::{Receiver, Sender, TryRecvError, channel},
    thread,
    time::{Duration, Instant},
};

use super::{
    Act, Exchange, Manner, Order, Plan, Seen, What,
    message::{
        address_of, answer, description, event_type, header, headers, repeated, status, uri,
    },
    sound::Sound,
};
use crate::arrival;

const TICK: Duration = Duration::from_millis(1);
const REPEAT: Duration = Duration::from_millis(500);

impl Exchange {
    /// A peer on a UDP port of this machine.
    ///
    /// # Panics
    /// The port is taken.
    #[must_use]
    pub fn start(ip: [u8; 4], port: u16, manner: Manner) -> Self {
        let socket = UdpSocket::bind(SocketAddr::from((ip, port))).expect("a free port");
        arrival::note(&socket);
        let address = socket.local_addr().expect("an address");
        let (orders, inbox) = channel();
        let (outbox, seen) = channel();
        let worker = Worker::new(socket, manner, outbox);
        thread::spawn(move || worker.run(&inbox));
        Self { address, orders, seen, placed: 0, calls: Vec::new() }
    }

    /// A peer that only calls.
    ///
    /// # Panics
    /// There is no free port.
    #[must_use]
    pub fn callers() -> Self {
        Self::start([127, 0, 0, 1], 0, Manner::Says(480))
    }
}

struct Worker {
    socket: UdpSocket,
    own: SocketAddr,
    manner: Manner,
    calls: Vec<Call>,
    seen: Sender<Seen>,
    /// When the message came in that is being read.
    came: Instant,
}

struct Call {
    id: String,
    peer: SocketAddr,
    /// `From` and `To` of our own requests, and whom they are sent to.
    from: String,
    to: String,
    target: String,
    /// `Route` of our own requests in the call (RFC 3261 §12.1), as header lines.
    route: String,
    cseq: u32,
    version: u32,
    sound: Sound,
    acts: VecDeque<(Duration, Act)>,
    answered: Option<Instant>,
    /// The INVITE that came in, and when it is to be answered.
    invite: Option<String>,
    pick_up: Option<Instant>,
    /// What is sent again until it is answered.
    pending: Option<(Instant, String)>,
    over: bool,
}

impl Worker {
    fn new(socket: UdpSocket, manner: Manner, seen: Sender<Seen>) -> Self {
        socket.set_nonblocking(true).expect("a socket");
        let own = socket.local_addr().expect("an address");
        Self { socket, own, manner, calls: Vec::new(), seen, came: Instant::now() }
    }

    fn run(mut self, orders: &Receiver<Order>) {
        let mut buffer = vec![0; 65_535];
        loop {
            loop {
                match orders.try_recv() {
                    Ok(Order::Call(node, plan)) => self.place(node, plan),
                    Ok(Order::Act(call, act)) => self.act(call, act),
                    Err(TryRecvError::Empty) => break,
                    Err(TryRecvError::Disconnected) => return,
                }
            }
            while let Ok((length, source, at)) = arrival::receive(&self.socket, &mut buffer) {
                self.came = at;
                let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
                self.received(source, &text);
            }
            for call in 0..self.calls.len() {
                self.turn(call);
            }
            thread::sleep(TICK);
        }
    }

    /// What the clock asks of one call.
    fn turn(&mut self, index: usize) {
        let now = Instant::now();
        let call = &mut self.calls[index];
        call.sound.tick(now);
        while let Some((at, sequence, timestamp, samples)) = call.sound.hear() {
            let what = What::Heard { sequence, timestamp, samples };
            let _nobody = self.seen.send(Seen { call: index, at, what });
        }
        while let Some(key) = call.sound.pressed() {
            let _nobody =
                self.seen.send(Seen { call: index, at: Instant::now(), what: What::Pressed(key) });
        }
        if call.pick_up.is_some_and(|at| at <= now) {
            call.pick_up = None;
            self.pick_up(index, now);
        }
        let call = &mut self.calls[index];
        if let Some((at, text)) = &mut call.pending
            && *at <= now
        {
            *at = now + REPEAT;
            let _lost = self.socket.send_to(text.as_bytes(), call.peer);
        }
        let since = call.answered.map(|at| now.saturating_duration_since(at));
        while let Some((_, act)) =
            self.calls[index].acts.pop_front_if(|(at, _)| since.is_some_and(|since| *at <= since))
        {
            self.act(index, act);
        }
    }

    fn place(&mut self, node: SocketAddr, plan: Plan) {
        let index = self.calls.len();
        let sound = Sound::new(self.own.ip(), 0x5000_0000 + index as u32 * 7_919);
        let (from, own, number) = (plan.from, self.own, plan.number);
        self.calls.push(Call {
            id: format!("{}-{index}-{}@peer", own.port(), sound.address().port()),
            peer: node,
            from: format!("\"Klant\" <sip:{from}@{own}>;tag=c{index}"),
            to: format!("<sip:{number}@{node}>"),
            target: format!("sip:{number}@{node}"),
            route: String::new(),
            cseq: 0,
            version: 1,
            sound,
            acts: plan.acts.into(),
            answered: None,
            invite: None,
            pick_up: None,
            pending: None,
            over: false,
        });
        self.ask(index, "INVITE", Some("sendrecv"));
    }

    /// Sends a request of ours; an INVITE with its offer.
    fn ask(&mut self, index: usize, method: &str, offer: Option<&str>) {
        let call = &mut self.calls[index];
        if method != "ACK" && method != "CANCEL" {
            call.cseq += 1;
        }
        let (own, cseq) = (self.own, call.cseq);
        let body = offer.map_or_else(String::new, |direction| {
            description(call.sound.address(), call.version, call.sound.event, direction)
        });
        call.version += 1;
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        // The ACK of a refusal belongs to its INVITE's transaction (RFC 3261 §17.1.1.3).
        let of = if method == "ACK" && call.over { "INVITE" } else { method };
        let text = format!(
            "{method} {} SIP/2.0\r\nVia: SIP/2.0/UDP {own};branch=z9hG4bK-{}-{cseq}-{of};rport\r\n\
             Max-Forwards: 70\r\nFrom: {}\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: {cseq} {method}\r\n\
             Contact: <sip:peer@{own}>\r\n{}{kind}Content-Length: {}\r\n\r\n{body}",
            call.target,
            call.id,
            call.from,
            call.to,
            call.id,
            call.route,
            body.len()
        );
        if method != "ACK" {
            call.pending = Some((Instant::now() + REPEAT, text.clone()));
        }
        self.send(index, text);
    }

    fn refer(&mut self, index: usize, user: &str) {
        let own = self.own;
        let call = &mut self.calls[index];
        call.cseq += 1;
        let text = format!(
            "REFER {} SIP/2.0\r\nVia: SIP/2.0/UDP {own};branch=z9hG4bK-{}-{}-REFER;rport\r\n\
             Max-Forwards: 70\r\nFrom: {}\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: {} REFER\r\n\
             Contact: <sip:peer@{own}>\r\nRefer-To: <sip:{user}@{}>\r\n\
             Content-Length: 0\r\n\r\n",
            call.target, call.id, call.cseq, call.from, call.to, call.id, call.cseq, call.peer
        );
        call.pending = Some((Instant::now() + REPEAT, text.clone()));
        self.send(index, text);
    }

    fn send(&self, index: usize, text: String) {
        let _lost = self.socket.send_to(text.as_bytes(), self.calls[index].peer);
        self.saw(index, What::Message(false, text));
    }

    fn saw(&self, call: usize, what: What) {
        let _nobody = self.seen.send(Seen { call, at: Instant::now(), what });
    }

    fn heard(&self, call: usize, text: &str) {
        let what = What::Message(true, text.to_owned());
        let _nobody = self.seen.send(Seen { call, at: self.came, what });
    }

    fn act(&mut self, index: usize, act: Act) {
        if self.calls.get(index).is_none_or(|call| call.over) {
            return;
        }
        self.saw(index, What::Acted(act));
        let sound = &mut self.calls[index].sound;
        match act {
            Act::Speak(hz) => sound.hz = hz,
            Act::Press(key) => sound.press(key, false),
            Act::PressLost(key) => sound.press(key, true),
            Act::Mute => sound.end(),
            Act::Stamp(since) => sound.stamps = Some(since),
            Act::Hold => self.ask(index, "INVITE", Some("sendonly")),
            Act::Resume => self.ask(index, "INVITE", Some("sendrecv")),
            Act::Refer(user) => self.refer(index, user),
            Act::HangUp => {
                sound.end();
                self.calls[index].over = true;
                self.ask(index, "BYE", None);
            }
        }
    }

    fn received(&mut self, source: SocketAddr, text: &str) {
        let Some(id) = header(text, "Call-ID") else { return };
        let known = self.calls.iter().position(|call| call.id == id);
        let method = text.split(' ').next().unwrap_or_default();
        match (known, method) {
            (Some(index), "SIP/2.0") => self.response(index, text),
            (Some(index), _) => {
                self.heard(index, text);
                self.request(index, method, text);
            }
            (None, "INVITE") => self.invited(source, text),
            (None, "OPTIONS") => {
                let code = match self.manner {
                    Manner::Says(code) => code,
                    Manner::Answers { .. } | Manner::Rings => 200,
                };
                let answer = response(text, code, "", self.own, "");
                let _lost = self.socket.send_to(answer.as_bytes(), source);
            }
            (None, _) => {}
        }
    }

    fn response(&mut self, index: usize, text: &str) {
        let Some(code) = status(text) else { return };
        self.heard(index, text);
        let invite = header(text, "CSeq").is_some_and(|cseq| cseq.ends_with("INVITE"));
        let call = &mut self.calls[index];
        call.pending = None;
        if !invite || code < 200 {
            return;
        }
        if let Some(to) = header(text, "To") {
            call.to = to.to_owned();
        }
        if code == 200 {
            let now = Instant::now();
            if let Some(contact) = header(text, "Contact") {
                call.target = uri(contact).to_owned();
            }
            if call.answered.is_none() {
                let recorded = headers(text, "Record-Route");
                call.route = routes(recorded.into_iter().rev().collect());
            }
            call.sound.event = event_type(text).unwrap_or(101);
            call.sound.begin(address_of(text), now);
            call.answered.get_or_insert(now);
        } else if call.answered.is_none() {
            call.over = true;
        }
        self.ask(index, "ACK", None);
    }

    fn request(&mut self, index: usize, method: &str, text: &str) {
        let (own, tag) = (self.own, format!("p{index}"));
        match method {
            "ACK" => self.calls[index].pending = None,
            "INVITE" if self.calls[index].answered.is_some() => self.reinvited(index, text),
            "CANCEL" => {
                let invite = self.calls[index].invite.clone().unwrap_or_default();
                self.calls[index].over = true;
                self.calls[index].pick_up = None;
                self.send(index, response(text, 200, &tag, own, ""));
                self.send(index, response(&invite, 487, &tag, own, ""));
            }
            "BYE" => {
                self.calls[index].sound.end();
                self.calls[index].over = true;
                self.send(index, response(text, 200, &tag, own, ""));
            }
            // How a transfer goes on, and what else may be said in a call.
            "NOTIFY" | "OPTIONS" | "INFO" => self.send(index, response(text, 200, &tag, own, "")),
            _ => {}
        }
    }

    fn reinvited(&mut self, index: usize, text: &str) {
        let call = &mut self.calls[index];
        call.sound.remote = address_of(text);
        call.version += 1;
        let event = event_type(text).unwrap_or(101);
        // Who is held listens; who is sent nothing is silent, too.
        let way = if text.contains("a=sendonly") {
            "recvonly"
        } else if text.contains("a=inactive") {
            "inactive"
        } else {
            "sendrecv"
        };
        let body = description(call.sound.address(), call.version, event, way);
        let answer = response(text, 200, &format!("p{index}"), self.own, &body);
        self.send(index, answer);
    }

    fn invited(&mut self, source: SocketAddr, text: &str) {
        let index = self.calls.len();
        let read = |name| header(text, name).unwrap_or_default();
        let mut sound = Sound::new(self.own.ip(), 0x6000_0000 + index as u32 * 7_919);
        sound.event = event_type(text).unwrap_or(101);
        self.calls.push(Call {
            id: read("Call-ID").to_owned(),
            peer: source,
            from: format!("{};tag=p{index}", read("To")),
            to: read("From").to_owned(),
            target: uri(read("Contact")).to_owned(),
            route: routes(headers(text, "Record-Route")),
            cseq: 0,
            version: 1,
            sound,
            acts: VecDeque::new(),
            answered: None,
            invite: Some(text.to_owned()),
            pick_up: None,
            pending: None,
            over: false,
        });
        self.heard(index, text);
        let (own, tag) = (self.own, format!("p{index}"));
        match self.manner.clone() {
            Manner::Answers { after, acts, .. } => {
                if !after.is_zero() {
                    self.send(index, response(text, 180, &tag, own, ""));
                }
                self.calls[index].acts = acts.into();
                self.calls[index].pick_up = Some(Instant::now() + after);
            }
            Manner::Says(code) => self.send(index, response(text, code, &tag, own, "")),
            Manner::Rings => self.send(index, response(text, 180, &tag, own, "")),
        }
    }

    fn pick_up(&mut self, index: usize, now: Instant) {
        let Manner::Answers { tone_hz, .. } = self.manner else { return };
        let call = &mut self.calls[index];
        let invite = call.invite.clone().unwrap_or_default();
        let body = answer(&invite, call.sound.address(), call.sound.event);
        call.sound.hz = tone_hz;
        call.answered = Some(now);
        let ok = response(&invite, 200, &format!("p{index}"), self.own, &body);
        call.pending = Some((now + REPEAT, ok.clone()));
        self.send(index, ok);
        // It speaks A-law alone: where that was not agreed on, it listens.
        if body.contains("PCMA") {
            self.calls[index].sound.begin(address_of(&invite), now);
        }
    }
}

/// Header lines of a route set. Our proxies write each of their headers on a line of its own.
fn routes(set: Vec<&str>) -> String {
    set.iter().map(|route| format!("Route: {route}\r\n")).collect()
}

fn response(request: &str, code: u16, tag: &str, own: SocketAddr, body: &str) -> String {
    let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
    format!(
        "SIP/2.0 {code} Said\r\n{}Contact: <sip:pbx@{own}>\r\n{kind}Content-Length: {}\r\n\r\n{body}",
        repeated(request, tag),
        body.len()
    )
}
