//! A real worker with real sockets on the loopback: sound both ways, keys, reports, and what stays
//! in memory, which is nothing.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may")]

#[path = "memory/scan.rs"]
mod scan;

use std::{
    net::UdpSocket,
    sync::{
        Arc,
        mpsc::{Receiver, channel},
    },
    time::{Duration, Instant},
};

use call::{CallId, Connection, Party, Prompt, Time, Tone};
use media::{
    Clock, Codec, Command, Config, Country, Event, Format, Header, Law, LegOpen, LegStart, Lines,
    Order, PromptAudio, Remote, Report, Tones, Worker, parse_rtcp, parse_rtp,
};
use scan::{marker, markers_in_memory, the_scanner_sees_what_is_there};

const CALL: CallId = CallId::from_bytes([9; 16]);
const FORMAT: Format =
    Format { codec: Codec::Pcma, payload_type: 8, event_payload_type: Some(101) };

fn socket() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
    socket
}

/// A telephone with the ports of our leg that it talks to.
struct Phone {
    rtp: UdpSocket,
    rtcp: UdpSocket,
    to: std::net::SocketAddr,
    sequence: u16,
    buffer: [u8; 512],
}

impl Phone {
    fn send(&mut self, payload_type: u8, timestamp: u32, payload: impl Iterator<Item = u8>) {
        self.sequence += 1;
        let header =
            Header { marker: false, payload_type, sequence: self.sequence, timestamp, ssrc: 5 };
        self.buffer[..12].copy_from_slice(&header.encode());
        let mut end = 12;
        for byte in payload {
            self.buffer[end] = byte;
            end += 1;
        }
        self.rtp.send_to(&self.buffer[..end], self.to).unwrap();
        zeroize::Zeroize::zeroize(&mut self.buffer);
    }

    /// The next packet's first payload byte and its header, without keeping its sound.
    fn hear(&mut self) -> Option<(u8, Header)> {
        let (length, from) = self.rtp.recv_from(&mut self.buffer).ok()?;
        assert_eq!(from, self.to, "S-01: sound comes from the port that was advertised");
        let packet = parse_rtp(&self.buffer[..length]).unwrap();
        let first = self.buffer[packet.payload.start];
        zeroize::Zeroize::zeroize(&mut self.buffer);
        let media::Packet { marker, payload_type, sequence, timestamp, ssrc, .. } = packet;
        Some((first, Header { marker, payload_type, sequence, timestamp, ssrc }))
    }
}

struct Bench {
    worker: Worker,
    reports: Receiver<Report>,
    lines: Arc<Lines>,
    customer: Phone,
    agent: Phone,
}

impl Bench {
    fn new() -> Self {
        Self::with(|_| {})
    }

    /// With something that its thread does before each report.
    fn with(mut before: impl FnMut(&Report) + Send + 'static) -> Self {
        let (sender, reports) = channel();
        let lines = Arc::<Lines>::default();
        lines.allow(2);
        let clock = Clock::new(Instant::now(), Time::from_micros(1_800_000_000_000_000));
        let config = Config {
            clock,
            tones: Tones::new(Country::Nl),
            lines: Arc::clone(&lines),
            reports: Box::new(move |report| {
                before(&report);
                sender.send(report).unwrap_or_default();
            }),
        };
        let worker = Worker::spawn(0, config).unwrap();
        let leg = |seed| {
            let (rtp, rtcp) = (socket(), socket());
            let to = rtp.local_addr().unwrap();
            let phone = Phone { rtp: socket(), rtcp: socket(), to, sequence: 0, buffer: [0; 512] };
            let start = LegStart::from_random([seed; 32]);
            (Box::new(LegOpen { rtp, rtcp, start, held: media::Held::default() }), phone)
        };
        let ((customer, customer_phone), (agent, agent_phone)) = (leg(1), leg(2));
        let bench = Self { worker, reports, lines, customer: customer_phone, agent: agent_phone };
        bench.order(Order::Open { customer, agent });
        bench.agree(Party::Customer, &bench.customer.rtp);
        bench.agree(Party::Agent, &bench.agent.rtp);
        bench
    }

    /// A party speaks and hears here from now on.
    fn agree(&self, party: Party, rtp: &UdpSocket) {
        let phone = if party == Party::Customer { &self.customer } else { &self.agent };
        let remote = Remote {
            rtp: rtp.local_addr().unwrap(),
            rtcp: phone.rtcp.local_addr().unwrap(),
            send: FORMAT,
            receive: FORMAT,
            hears: true,
            sends: true,
            packet_ms: 20,
            event_ratio: 1,
            noise: None,
            latching: None,
        };
        self.order(Order::SetRemote(party, remote, None));
    }

    fn order(&self, order: Order) {
        self.worker.send(Command { call: CALL, order }).unwrap();
    }

    fn event(&self) -> Event {
        let report = self.reports.recv_timeout(Duration::from_secs(2)).unwrap();
        assert_eq!(report.call, CALL);
        report.event
    }
}

#[test]
fn a_call_through_a_real_worker_is_heard_both_ways_and_ends_with_goodbyes() {
    let mut bench = Bench::new();
    let prompt = PromptAudio::from_pcm(&[8_000; 800]);
    bench.order(Order::Play(Prompt::Notice, prompt));
    let began = Instant::now();
    let loud = Law::A.encode(8_000);
    let mut before: Option<Header> = None;
    for n in 0..8 {
        let (first, header) = bench.customer.hear().unwrap();
        assert_eq!(first, if n < 5 { loud } else { 0xD5 });
        if let Some(before) = before {
            assert_eq!(header.sequence, before.sequence.wrapping_add(1));
            assert_eq!(header.timestamp, before.timestamp.wrapping_add(160));
        }
        before = Some(header);
    }
    let took = began.elapsed();
    assert!((130..1_500).contains(&took.as_millis()), "8 frames are 140 ms apart: {took:?}");
    let Event::PromptEnded(end) = bench.event() else { panic!() };
    assert!(end.whole && end.samples == 800);
    bench.customer.send(101, 1_000, [1, 10, 0, 160].into_iter());
    assert!(matches!(bench.event(), Event::Digit(Party::Customer, _)));
    bench.order(Order::Connect(Connection::Bridged));
    std::thread::sleep(Duration::from_millis(20));
    bench.customer.send(8, 2_000, std::iter::repeat_n(0x11, 160));
    bench.agent.send(8, 9_000, std::iter::repeat_n(0x22, 160));
    // Silence bridges the time until the first packet.
    let spoken = |phone: &mut Phone| loop {
        match phone.hear().unwrap() {
            (0xD5, _) => {}
            (first, header) => return (first, header.ssrc, header.payload_type),
        }
    };
    assert_eq!(spoken(&mut bench.agent), (0x11, 0x0202_0202, 8));
    assert_eq!(spoken(&mut bench.customer), (0x22, 0x0101_0101, 8));
    bench.order(Order::Close);
    assert!(matches!(bench.event(), Event::Closed(stats) if stats.agent.received == 1));
    for phone in [&mut bench.customer, &mut bench.agent] {
        let (length, _) = phone.rtcp.recv_from(&mut phone.buffer).unwrap();
        assert!(parse_rtcp(&phone.buffer[..length], 0).unwrap().goodbye);
    }
    // The sockets are closed: nothing answers there any more.
    bench.order(Order::Tone(Tone::Busy));
    assert!(bench.worker.is_alive());
    drop(bench.worker);
    assert!(bench.reports.recv().is_err());
}

/// Whether a packet of the agent reaches the customer, whatever else is played.
fn crosses(bench: &mut Bench, mark: u8, wait: Duration) -> bool {
    bench.agent.send(8, u32::from(mark) * 160, std::iter::repeat_n(mark, 160));
    bench.customer.rtp.set_read_timeout(Some(wait)).unwrap();
    let by = Instant::now() + wait;
    while Instant::now() < by {
        if bench.customer.hear().is_some_and(|(first, _)| first == mark) {
            return true;
        }
    }
    false
}

#[test]
fn a_worker_that_stands_still_or_dies_stops_no_call_of_another() {
    let (go_on, wait) = channel::<()>();
    let mut still = Bench::with(move |report| {
        if matches!(report.event, Event::Digit(..)) {
            let _stands_still = wait.recv();
            panic!("announced: it dies");
        }
    });
    let mut other = Bench::new();
    for bench in [&mut still, &mut other] {
        bench.order(Order::Connect(Connection::Bridged));
        assert!(crosses(bench, 0x11, Duration::from_secs(2)), "both work");
    }
    still.customer.send(101, 1_000, [1, 10, 0, 160].into_iter());
    std::thread::sleep(Duration::from_millis(20));
    assert!(!crosses(&mut still, 0x12, Duration::from_millis(100)), "it does not stand still");
    assert!((0x20..0x40).all(|mark| crosses(&mut other, mark, Duration::from_secs(2))));
    go_on.send(()).unwrap();
    let by = Instant::now() + Duration::from_secs(5);
    while still.worker.is_alive() && Instant::now() < by {
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(!still.worker.is_alive(), "it does not die");
    assert!((0x40..0x50).all(|mark| crosses(&mut other, mark, Duration::from_secs(2))));
}

#[test]
fn s_02_whoever_shares_a_leg_with_its_peer_is_counted_and_not_heard() {
    let mut bench = Bench::new();
    bench.order(Order::Connect(Connection::Bridged));
    let stranger = socket();
    let mut noise = Header { marker: false, payload_type: 8, sequence: 1, timestamp: 0, ssrc: 6 };
    for mark in 0x11..0x41 {
        for _ in 0..3 {
            noise.sequence += 1;
            let packet = [&noise.encode()[..], &[0x99; 160]].concat();
            stranger.send_to(&packet, bench.agent.to).unwrap();
        }
        assert!(crosses(&mut bench, mark, Duration::from_secs(2)), "{mark:#x}");
    }
    assert_eq!(bench.lines.open(), 1, "the customer has not spoken");
    // Of what is heard by nobody one a tick is read.
    std::thread::sleep(Duration::from_millis(400));
    bench.order(Order::Close);
    let Event::Closed(stats) = bench.event() else { panic!() };
    assert_eq!((stats.agent.received, stats.agent.foreign), (0x30, 0x30 * 3));
}

#[test]
fn a_peer_that_moves_is_followed_by_its_line() {
    let mut bench = Bench::new();
    bench.order(Order::Connect(Connection::Bridged));
    for mark in 0x11..0x21 {
        // Every fourth time it speaks from elsewhere, as a re-INVITE has said.
        if mark % 4 == 0 {
            bench.agent.rtp = socket();
            bench.agree(Party::Agent, &bench.agent.rtp);
        }
        assert!(crosses(&mut bench, mark, Duration::from_secs(2)), "{mark:#x}");
    }
    assert_eq!(bench.lines.open(), 1);
}

#[test]
fn lines_are_let_go_when_their_descriptors_are_wanted_and_every_packet_arrives() {
    let mut bench = Bench::new();
    bench.order(Order::Connect(Connection::Bridged));
    for mark in 0x11..0x61 {
        let most = usize::from(mark / 8 % 2);
        bench.lines.allow(most);
        assert!(crosses(&mut bench, mark, Duration::from_secs(2)), "{mark:#x}");
        assert!(most == 0 || mark % 8 < 2 || bench.lines.open() == 1, "{mark:#x}");
    }
    bench.lines.allow(0);
    let by = Instant::now() + Duration::from_secs(2);
    while bench.lines.open() > 0 && Instant::now() < by {
        std::thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(bench.lines.open(), 0);
}

#[test]
fn c_01_no_sound_outlives_its_packet_in_memory_during_the_notice_and_after_the_call() {
    the_scanner_sees_what_is_there();
    let mut bench = Bench::new();
    bench.order(Order::Play(Prompt::Notice, PromptAudio::from_pcm(&[1_000; 80_000])));
    let talk = |bench: &mut Bench, packets: u32| {
        for n in 0..packets {
            bench.customer.send(8, n * 160, (0..160).map(marker));
            bench.agent.send(8, n * 160, (0..160).map(marker));
            std::thread::sleep(Duration::from_millis(2));
        }
        std::thread::sleep(Duration::from_millis(40));
    };
    talk(&mut bench, 50);
    assert_eq!(markers_in_memory(), 0, "during the notice");
    // Relayed, with a prompt laid over it.
    bench.order(Order::Connect(Connection::Bridged));
    talk(&mut bench, 50);
    bench.order(Order::Close);
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(markers_in_memory(), 0, "after the call");
    let mut relayed = 0;
    while let Event::PromptEnded(_) | Event::StrayEvents { .. } = bench.event() {}
    bench.agent.rtp.set_nonblocking(true).unwrap();
    while let Ok((length, _)) = bench.agent.rtp.recv_from(&mut bench.agent.buffer) {
        relayed += usize::from(bench.agent.buffer[12..length].first() == Some(&marker(0)));
    }
    assert_eq!(relayed, 50);
}

#[test]
fn a_worker_without_calls_uses_no_processor_time() {
    let config = Config {
        clock: Clock::new(Instant::now(), Time::from_micros(0)),
        tones: Tones::new(Country::Nl),
        lines: Arc::default(),
        reports: Box::new(|_| {}),
    };
    let _worker = Worker::spawn(77, config).unwrap();
    std::thread::sleep(Duration::from_millis(50));
    let spent = || {
        let tasks = std::fs::read_dir("/proc/self/task").unwrap().flatten();
        let named = |task: &std::fs::DirEntry| {
            std::fs::read_to_string(task.path().join("comm")).is_ok_and(|n| n == "media-77\n")
        };
        let task = tasks.into_iter().find(named).unwrap();
        let text = std::fs::read_to_string(task.path().join("schedstat")).unwrap();
        text.split(' ').next().unwrap().parse::<u64>().unwrap()
    };
    let before = spent();
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(spent(), before);
}
