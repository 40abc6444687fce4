//! A stage for calls without sockets: call machine, relay, two phones, and a clock that we move.

use std::{
    net::SocketAddr,
    sync::{Arc, LazyLock},
    time::Duration,
};

use call::*;
use media::{
    Codec, Country, Event, Format, HEADER_LEN, Header, LegStart, PromptAudio, Relay, Remote, Tap,
    TapReader, Tones, Verdict, parse_rtp, ring,
};

/// Made once: a test may set thousands of stages.
static TONES: LazyLock<Tones> = LazyLock::new(|| Tones::new(Country::Nl));
/// The moment at which every stage begins.
pub(crate) const START: Time = Time::from_micros(1_800_000_000_000_000);
/// The codec and event payload type with which the customer's side begins.
pub(crate) const CUSTOMER: Format =
    Format { codec: Codec::Pcma, payload_type: 8, event_payload_type: Some(96) };
/// The same on the PBX's side.
pub(crate) const AGENT: Format =
    Format { codec: Codec::Pcma, payload_type: 8, event_payload_type: Some(101) };

pub(crate) fn address(party: Party) -> SocketAddr {
    let host = match party {
        Party::Customer => [192, 0, 2, 1],
        Party::Agent => [198, 51, 100, 7],
    };
    SocketAddr::from((host, 4_000))
}

pub(crate) fn remote(party: Party, format: Format) -> Remote {
    let rtp = address(party);
    let (packet_ms, noise, latching) = (20, None, None);
    let event_ratio = if format.codec == Codec::Opus { 6 } else { 1 };
    Remote {
        rtp,
        rtcp: SocketAddr::new(rtp.ip(), rtp.port() + 1),
        send: format,
        receive: format,
        hears: true,
        sends: true,
        packet_ms,
        event_ratio,
        noise,
        latching,
    }
}

pub(crate) fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// A sine of `hertz` and `peak` for `length` samples.
pub(crate) fn sine(hertz: f64, peak: f64, length: usize) -> Vec<i16> {
    let wave = |n: usize| (std::f64::consts::TAU * hertz * n as f64 / 8_000.0).sin() * peak;
    (0..length).map(|n| wave(n) as i16).collect()
}

/// Peak of one frequency in `samples`, by Goertzel's recurrence.
pub(crate) fn peak(samples: &[i16], hertz: f64) -> f64 {
    let coefficient = 2.0 * (std::f64::consts::TAU * hertz / 8_000.0).cos();
    let step = |(s1, s2): (f64, f64), x: &i16| (f64::from(*x) + coefficient * s1 - s2, s1);
    let (s1, s2) = samples.iter().fold((0.0, 0.0), step);
    let power = s1 * s1 + s2 * s2 - coefficient * s1 * s2;
    2.0 * power.max(0.0).sqrt() / samples.len() as f64
}

/// A packet that a party received.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    pub(crate) at: Time,
    pub(crate) header: Header,
    pub(crate) payload: Vec<u8>,
}

/// One party's telephone: it sends a packet of 20 ms while it speaks.
pub(crate) struct Phone {
    pub(crate) from: SocketAddr,
    pub(crate) format: Format,
    pub(crate) ssrc: u32,
    pub(crate) sequence: u16,
    pub(crate) timestamp: u32,
    /// The sound it makes, repeated; nothing is sent while it is empty.
    pub(crate) speech: Vec<u8>,
    spoken: usize,
    next: Time,
    pub(crate) heard: Vec<Heard>,
}

impl Phone {
    fn new(party: Party, format: Format, ssrc: u32) -> Self {
        Self {
            from: address(party),
            format,
            ssrc,
            sequence: 65_000,
            timestamp: 0xFFFF_0000,
            speech: Vec::new(),
            spoken: 0,
            next: START,
            heard: Vec::new(),
        }
    }

    /// Speaks from `now` on: every packet is full of `byte`.
    pub(crate) fn say(&mut self, now: Time, byte: u8) {
        self.speak(now, vec![byte]);
    }

    pub(crate) fn speak(&mut self, now: Time, speech: Vec<u8>) {
        (self.speech, self.spoken, self.next) = (speech, 0, now);
    }

    pub(crate) fn hush(&mut self) {
        self.speech.clear();
    }

    /// The packet that it sends at `now`, if one is due.
    fn packet(&mut self, now: Time) -> Option<Vec<u8>> {
        if self.speech.is_empty() || now < self.next {
            return None;
        }
        let length = self.speech.len();
        let payload: Vec<u8> = (0..160).map(|n| self.speech[(self.spoken + n) % length]).collect();
        self.spoken += 160;
        self.next = self.next + ms(20);
        Some(self.raw(self.format.payload_type, false, &payload))
    }

    /// A packet with the next sequence number; its timestamp moves on with sound.
    pub(crate) fn raw(&mut self, payload_type: u8, marker: bool, payload: &[u8]) -> Vec<u8> {
        let bytes = self.at(payload_type, marker, self.timestamp, payload);
        self.timestamp = self.timestamp.wrapping_add(160);
        bytes
    }

    /// A packet with the next sequence number and this timestamp.
    pub(crate) fn at(&mut self, pt: u8, marker: bool, timestamp: u32, payload: &[u8]) -> Vec<u8> {
        let header = Header {
            marker,
            payload_type: pt,
            sequence: self.sequence,
            timestamp,
            ssrc: self.ssrc,
        };
        self.sequence = self.sequence.wrapping_add(1);
        let mut bytes = header.encode().to_vec();
        bytes.extend(payload);
        bytes
    }
}

/// What the machine asked of the shell and the stage did not do itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    Dial,
    EndRecording,
}

pub(crate) struct Stage {
    pub(crate) now: Time,
    pub(crate) relay: Relay,
    pub(crate) call: Option<Call>,
    pub(crate) customer: Phone,
    pub(crate) agent: Phone,
    pub(crate) events: Vec<Event>,
    pub(crate) asked: Vec<Asked>,
    pub(crate) reader: Option<TapReader>,
    pub(crate) blocks: u16,
    /// The tap keeps the tones of keys out.
    pub(crate) blanks: bool,
    pub(crate) prompt: fn(Prompt) -> PromptAudio,
}

/// A quarter of a second of 1,000 Hz.
pub(crate) fn short_prompt(_prompt: Prompt) -> PromptAudio {
    PromptAudio::from_pcm(&sine(1_000.0, 8_000.0, 2_000))
}

impl Stage {
    /// Two legs with their peers and no call machine.
    pub(crate) fn bare() -> Self {
        let tones = TONES.clone();
        let (a, b) = (LegStart::from_random([0xF0; 32]), LegStart::from_random([0x21; 32]));
        let mut relay = Relay::new(START, &a, &b, tones);
        relay.set_remote(START, Party::Customer, remote(Party::Customer, CUSTOMER));
        relay.set_remote(START, Party::Agent, remote(Party::Agent, AGENT));
        Self {
            now: START,
            relay,
            call: None,
            customer: Phone::new(Party::Customer, CUSTOMER, 0xC0),
            agent: Phone::new(Party::Agent, AGENT, 0xA0),
            events: Vec::new(),
            asked: Vec::new(),
            reader: None,
            blocks: 16,
            blanks: false,
            prompt: short_prompt,
        }
    }

    /// A call on a line that asks; it has been answered and the notice plays.
    pub(crate) fn asking(heard: Parties) -> Self {
        let mut stage = Self::bare();
        stage.call = Some(Call::new(START, offer(heard, None)));
        stage.act();
        stage.tell(Input::Confirmed);
        stage
    }

    /// A call in which the customer has said yes and the PBX has answered: bridged and tapped.
    pub(crate) fn granted() -> Self {
        Self::granted_for(Parties::BOTH)
    }

    pub(crate) fn granted_for(heard: Parties) -> Self {
        let mut stage = Self::asking(heard);
        stage.run(ms(300));
        stage.press(Party::Customer, 1);
        stage.run(ms(300));
        assert_eq!(stage.asked, [Asked::Dial]);
        stage.tell(Input::Answered);
        assert!(stage.reader.is_some());
        stage
    }

    /// The same where the agent has a key to pause, so that tones of keys are kept out, and presses it by
    /// events or, without them, by tones.
    pub(crate) fn granted_with_pause_key(key: char, events: bool) -> Self {
        let mut stage = Self::bare();
        stage.blanks = true;
        if !events {
            stage.agent.format.event_payload_type = None;
            let agent = remote(Party::Agent, stage.agent.format);
            stage.relay.set_remote(START, Party::Agent, agent);
        }
        let key = Key::new(key).ok();
        stage.call = Some(Call::new(START, offer(Parties::BOTH, key)));
        stage.act();
        stage.tell(Input::Confirmed);
        stage.run(ms(300));
        stage.press(Party::Customer, 1);
        stage.run(ms(300));
        stage.tell(Input::Answered);
        stage
    }

    /// Tells the machine and does what it asks.
    pub(crate) fn tell(&mut self, input: Input) {
        if let Some(call) = &mut self.call {
            call.handle(self.now, input);
        }
        self.act();
    }

    fn act(&mut self) {
        while let Some(action) = self.call.as_mut().and_then(Call::poll_action) {
            let now = self.now;
            match action {
                Action::Play(prompt) => self.relay.play(now, prompt, (self.prompt)(prompt)),
                Action::Hush => self.relay.hush(now),
                Action::Announce(prompt) => {
                    self.relay.announce(now, prompt, (self.prompt)(prompt));
                }
                Action::RingBack(party) => self.relay.ring_back(now, party),
                Action::Keep(party, kept) => self.relay.keep(party, kept),
                Action::Tone(tone) => self.relay.tone(now, tone),
                Action::Connect(connection) => self.relay.connect(now, connection),
                Action::Record(permit) => self.record(permit),
                Action::ArmWithdrawal(key) => self.relay.arm_withdrawal(key),
                Action::ArmPause(key) => self.relay.arm_pause(key),
                Action::Pause(why) => self.relay.pause(now, why),
                Action::Resume => self.relay.resume(now),
                Action::Commit(evidence) => {
                    let (digest, recording) = (Digest::from_bytes([7; 32]), evidence.recording);
                    let committed = Input::Committed { recording, evidence: digest };
                    self.call.as_mut().unwrap().handle(now, committed);
                }
                Action::Dial => self.asked.push(Asked::Dial),
                Action::EndRecording { .. } => self.asked.push(Asked::EndRecording),
                _ => {}
            }
        }
        self.take_events();
    }

    fn record(&mut self, permit: Permit) {
        let (feed, reader) = ring(self.blocks);
        self.reader = Some(reader);
        let tap = Tap::open(permit, feed);
        let tap = if self.blanks { tap.without_keys() } else { tap };
        self.relay.insert_tap(self.now, tap);
    }

    pub(crate) fn take_events(&mut self) {
        while let Some(event) = self.relay.poll_event() {
            self.events.push(event.clone());
            match event {
                Event::PromptEnded(end) => self.tell(Input::PromptEnded {
                    prompt: end.prompt,
                    samples: end.samples,
                    whole: end.whole,
                }),
                Event::Digit(party, press) => self.tell(Input::Digit(party, press)),
                Event::TapCut => self.tell(Input::TapCut),
                Event::Fax => self.tell(Input::Fax),
                _ => {}
            }
        }
    }

    /// Lets the time pass in steps of a millisecond.
    pub(crate) fn run(&mut self, wait: Duration) {
        let end = self.now + wait;
        while self.now < end {
            self.step();
            self.now = self.now + ms(1);
        }
    }

    /// Lets the time pass until the machine has asked for something.
    fn step(&mut self) {
        if let Some(call) = &mut self.call
            && call.poll_timeout().is_some_and(|due| due <= self.now)
        {
            call.handle_timeout(self.now);
            self.act();
        }
        for party in [Party::Customer, Party::Agent] {
            let now = self.now;
            while let Some(bytes) = self.phone(party).packet(now) {
                self.send(party, bytes);
            }
        }
        // As a worker does: only when the relay says that something is due.
        if self.relay.poll_timeout().is_some_and(|due| due <= self.now) {
            self.due();
            let next = self.relay.poll_timeout();
            assert!(next.is_none_or(|due| due > self.now), "a worker would spin");
        }
    }

    fn due(&mut self) {
        self.relay.handle_timeout(self.now);
        let mut scratch = [0; 512];
        while let Some(transmit) = self.relay.poll_transmit(self.now, &mut scratch) {
            if transmit.channel == media::Channel::Rtp {
                self.arrive(transmit.party, &scratch[transmit.bytes]);
            }
        }
        self.take_events();
    }

    pub(crate) fn phone(&mut self, party: Party) -> &mut Phone {
        match party {
            Party::Customer => &mut self.customer,
            Party::Agent => &mut self.agent,
        }
    }

    /// A party's datagram reaches the relay now.
    pub(crate) fn send(&mut self, party: Party, mut bytes: Vec<u8>) -> Verdict {
        let from = self.phone(party).from;
        let verdict = self.receive(party, from, &mut bytes);
        if let Verdict::Forward(transmit) = &verdict {
            assert_eq!(transmit.party, party.other());
            self.arrive(transmit.party, &bytes[transmit.bytes.clone()]);
        }
        self.take_events();
        verdict
    }

    /// A datagram reaches the relay now, and stays where it is.
    pub(crate) fn receive(&mut self, party: Party, from: SocketAddr, bytes: &mut [u8]) -> Verdict {
        let length = bytes.len();
        self.relay.receive(self.now, party, from, (bytes, length))
    }

    /// A report reaches the customer's leg now.
    pub(crate) fn report(&mut self, from: SocketAddr, bytes: &[u8]) {
        self.relay.receive_report(self.now, Party::Customer, from, &mut bytes.to_vec());
    }

    fn arrive(&mut self, party: Party, bytes: &[u8]) {
        let packet = parse_rtp(bytes).unwrap();
        assert_eq!(packet.payload.start, HEADER_LEN);
        let header = Header {
            marker: packet.marker,
            payload_type: packet.payload_type,
            sequence: packet.sequence,
            timestamp: packet.timestamp,
            ssrc: packet.ssrc,
        };
        let heard = Heard { at: self.now, header, payload: bytes[packet.payload].to_vec() };
        self.phone(party).heard.push(heard);
    }

    /// Presses a key the usual way: three updates, three ends.
    pub(crate) fn press(&mut self, party: Party, code: u8) {
        let start = self.phone(party).timestamp;
        for (n, duration) in [160, 320, 480].into_iter().enumerate() {
            self.event(party, start, code, n == 0, false, duration);
            self.run(ms(20));
        }
        for _ in 0..3 {
            self.event(party, start, code, false, true, 640);
        }
        let phone = self.phone(party);
        phone.timestamp = start.wrapping_add(640);
    }

    /// One packet of a key press.
    pub(crate) fn event(
        &mut self,
        party: Party,
        timestamp: u32,
        code: u8,
        marker: bool,
        end: bool,
        duration: u16,
    ) -> Verdict {
        let [high, low] = duration.to_be_bytes();
        let payload = [code, (u8::from(end) << 7) | 10, high, low];
        let phone = self.phone(party);
        let payload_type = phone.format.event_payload_type.unwrap();
        let bytes = phone.at(payload_type, marker, timestamp, &payload);
        self.send(party, bytes)
    }

    pub(crate) fn connect(&mut self, connection: Connection) {
        self.relay.connect(self.now, connection);
    }

    /// The keys that were reported.
    pub(crate) fn keys(&self) -> String {
        let key = |event: &Event| match event {
            Event::Digit(_, press) => Some(press.key.reveal().reveal()),
            _ => None,
        };
        self.events.iter().filter_map(key).collect()
    }
}

/// A call on a line that asks for consent, with everything ready.
pub(crate) fn offer(heard: Parties, pause_key: Option<Key>) -> CallOffer {
    let key = |c| Key::new(c).unwrap();
    let audio = PromptId { version: 1, sha256: Digest::from_bytes([1; 32]) };
    let asking = Asking {
        ground: Ground::Consent,
        purposes: [Purpose::Quality].into_iter().collect(),
        heard,
        language: Language::new("nl").unwrap(),
        prompts: Prompt::ALL.iter().map(|prompt| (*prompt, audio)).collect(),
        keys: Keys { grant: key('1'), refuse: key('2'), withdraw: key('*'), info: key('9') },
        repeats: 1,
        answer_timeout: Duration::from_secs(4),
        unbridged_limit: Duration::from_secs(35),
        confirm: Confirm::First,
        inbound: Inbound::First,
        audience: Audience::Both,
        outbound: Outbound::Never,
        on_withdraw: OnWithdraw::Erase,
        blank_keys: false,
        pausing: Pausing { key: pause_key, limit: Duration::from_secs(300) },
        agent_cue: false,
        beep: None,
        when_recording_fails: WhenRecordingFails::GoOn,
        retention: Retention { class: "test".into(), keep: Duration::from_secs(60) },
    };
    let line = Line {
        id: LineId::new("line").unwrap(),
        tenant: TenantId::new("tenant").unwrap(),
        pattern: DialledPattern::new("+31201234567").unwrap(),
        record_from: call::RecordFrom::Answer,
        direction: None,
        policy: Arc::new(Policy {
            id: PolicyId::new("policy").unwrap(),
            version: 1,
            hash: Digest::from_bytes([2; 32]),
            recording: Recording::Ask(Box::new(asking)),
            ring_timeout: Duration::from_secs(60),
        }),
    };
    CallOffer {
        call: CallId::from_bytes([3; 16]),
        recording: RecordingId::from_bytes([4; 16]),
        direction: Direction::Inbound,
        line: Some(Arc::new(line)),
        emergency: false,
        aside: None,
        ready: Ok(()),
        target_up: true,
        early: None,
    }
}
