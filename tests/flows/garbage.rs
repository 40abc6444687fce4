//! Messages that are wrong in every way we know, between two calls that must not notice (row S-13).

use std::{
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    time::{Duration, Instant},
};

use support::{
    peer::post::What,
    scene::NEVER,
    stage::{CALLER, Stage, sdp, wait},
};

use crate::gate::{narrow, resident};

/// How many sockets send at a time; what comes back to one belongs to what it has sent.
const SOCKETS: usize = 50;
/// How many mutations of the malformed ones.
const MUTATIONS: usize = 6_000;
/// How much memory may be taken meanwhile, in kilobytes.
const MOST_KB: u64 = 12_000;

/// Where a header's value may be poisoned.
const HEADERS: [&str; 22] = [
    "Via",
    "From",
    "To",
    "Call-ID",
    "CSeq",
    "Max-Forwards",
    "Contact",
    "Content-Type",
    "Content-Length",
    "Route",
    "Record-Route",
    "Require",
    "Replaces",
    "Refer-To",
    "Authorization",
    "Session-Expires",
    "RAck",
    "P-Asserted-Identity",
    "Session-ID",
    "Diversion",
    "Date",
    "Accept",
];

/// What parsers have stumbled over.
fn poisons() -> Vec<Vec<u8>> {
    let text = [
        "",
        " ",
        "\t\r\n ",
        ";",
        ",",
        ":",
        "=",
        "%n%s%x",
        "%",
        "\"",
        "\\\"",
        "<",
        ">",
        "<>",
        "<<<>>>",
        "sip:",
        "sip:@",
        "sip:@:",
        "sips:a@b;;;",
        "[::",
        "[::1",
        "[::1]]",
        "@@",
        "a@b@c",
        "tel:",
        "-1",
        "0",
        "4294967296",
        "99999999999999999999999999",
        "1 2 3",
        "INVITE",
        "1 INVITE INVITE",
        "(((((",
        "SIP/2.0",
        "SIP/2.0/UDP",
        "SIP/2.0/UDP a:b;branch",
        "SIP/2.0/UDP 0:0;rport=x;received=y",
        "Digest",
        "Digest a=\"",
        "application/",
        "multipart/mixed;boundary=",
        "\u{202e}",
        "=?utf-8?",
    ];
    let mut all: Vec<Vec<u8>> = text.iter().map(|poison| poison.as_bytes().to_vec()).collect();
    all.extend([vec![0; 8], vec![0xff; 30], b"a\rb".to_vec(), b"a\nb".to_vec()]);
    for piece in [&b"a"[..], b"9", b",", b";x", b"<", b"\"", b"%00", b"sip:a@b,"] {
        all.push(piece.repeat(4_000 / piece.len()));
    }
    all
}

fn message(method: &str, number: usize, own: SocketAddr) -> String {
    let body = sdp(own);
    format!(
        "{method} sip:{NEVER}@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {own};branch=z9hG4bKm{number};rport\r\n\
         Max-Forwards: 70\r\nFrom: <sip:{number}@a>;tag=m{number}\r\nTo: <sip:{NEVER}@b>\r\n\
         Call-ID: m{number}@malformed\r\nCSeq: 1 {method}\r\nContact: <sip:a@{own}>\r\n\
         Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Every header of every kind of request with every poison in its place.
fn malformed(number: usize, own: SocketAddr, poisons: &[Vec<u8>]) -> Vec<u8> {
    const METHODS: [&str; 7] = ["INVITE", "OPTIONS", "BYE", "REGISTER", "ACK", "REFER", "NONSENSE"];
    let whole = message(METHODS[number % METHODS.len()], number, own);
    let header = HEADERS[number / METHODS.len() % HEADERS.len()];
    let poison = &poisons[number % poisons.len()];
    let line = [header.as_bytes(), b": ", poison, b"\r\n"].concat();
    let (head, rest) = whole.split_once("\r\n").expect("lines");
    let kept: Vec<&str> = rest.split_inclusive("\r\n").collect();
    // It takes the place of the good one, or stands beside it.
    let is = |line: &&&str| number.is_multiple_of(3) || !line.starts_with(&format!("{header}:"));
    let kept: String = kept.iter().filter(is).copied().collect();
    [head.as_bytes(), b"\r\n", &line, kept.as_bytes()].concat()
}

/// Chance from a seed (splitmix64), so that a message can be had again.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((word ^ word >> 31) % limit.max(1) as u64).unwrap_or_default()
    }
}

/// Takes out, doubles, poisons and flips, a few times.
fn mutated(mut octets: Vec<u8>, chance: &mut Chance, poisons: &[Vec<u8>]) -> Vec<u8> {
    for _ in 0..=chance.below(5) {
        let start = chance.below(octets.len() + 1);
        let end = (start + chance.below(60)).min(octets.len());
        match chance.below(5) {
            0 => drop(octets.drain(start..end)),
            1 => {
                let piece = octets[start..end].to_vec();
                let to = chance.below(octets.len() + 1);
                drop(octets.splice(to..to, piece));
            }
            2 => {
                let poison = poisons[chance.below(poisons.len())].iter().copied();
                drop(octets.splice(start..end, poison));
            }
            3 => octets.truncate(start.max(1)),
            _ => octets[start..end].iter_mut().for_each(|octet| *octet ^= 1 << (start % 8)),
        }
    }
    octets.truncate(60_000);
    octets
}

/// Waits until the node has answered what was sent before: it answers an OPTIONS after it, which is
/// sent again like any other.
fn passes(probe: &UdpSocket, node: u16, round: &[usize]) {
    let (own, id) = (probe.local_addr().expect("an address"), round.first().expect("a round"));
    let mark = format!("z9hG4bKpass{id}x{}", own.port());
    let text = format!(
        "OPTIONS sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {own};branch={mark}\r\n\
         Max-Forwards: 70\r\nFrom: <sip:a@{own}>;tag={id}\r\nTo: <sip:127.0.0.1>\r\n\
         Call-ID: {mark}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
    );
    let mut buffer = [0; 2_048];
    probe.set_read_timeout(Some(Duration::from_millis(500))).expect("a time-out");
    for _ in 0..20 {
        let _full = probe.send_to(text.as_bytes(), (Ipv4Addr::LOCALHOST, node));
        while let Ok(length) = probe.recv(&mut buffer) {
            if String::from_utf8_lossy(&buffer[..length]).contains(&mark) {
                return;
            }
        }
    }
    panic!("the node answers no OPTIONS any more");
}

/// Sends what `written` makes for each number from an address, and says which replies are larger
/// than what they reply to.
fn siege(
    node: u16,
    from: [u8; 4],
    numbers: std::ops::Range<usize>,
    mut written: impl FnMut(usize, SocketAddr) -> Vec<u8>,
) -> Vec<String> {
    let sockets: Vec<UdpSocket> = (0..SOCKETS)
        .map(|_| UdpSocket::bind((Ipv4Addr::from(from), 0)).expect("a free port"))
        .collect();
    let (mut larger, mut buffer) = (Vec::new(), vec![0; 65_535]);
    let numbers: Vec<_> = numbers.collect();
    let probe = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    for round in numbers.chunks(SOCKETS) {
        let mut sent = Vec::new();
        for (number, socket) in round.iter().zip(&sockets) {
            socket.set_nonblocking(true).expect("a socket");
            let octets = written(*number, socket.local_addr().expect("an address"));
            let _full = socket.send_to(&octets, (Ipv4Addr::LOCALHOST, node));
            sent.push(octets.len());
        }
        passes(&probe, node, round);
        for ((number, socket), asked) in round.iter().zip(&sockets).zip(sent) {
            let mut answered = 0;
            while let Ok(length) = socket.recv(&mut buffer) {
                answered = answered.max(length);
            }
            if answered > asked {
                larger.push(format!("{number}: {answered} octets for {asked}"));
            }
        }
    }
    larger
}

#[test]
fn s_13_malformed_messages_and_their_mutations_disturb_no_call_and_win_nothing() {
    let change = narrow()
        .with("source_per_s = 200", "source_per_s = 100000")
        .with("stranger_per_s = 5", "stranger_per_s = 100000");
    let mut stage = Stage::paced(change, 20);
    let (mut first, mut second) = (stage.talk(), stage.talk());
    let poisons = poisons();
    let families = HEADERS.len() * 7 * 8;
    let node = stage.node.sip;
    let malformed = |number, own| malformed(number, own, &poisons);
    // What the first of them make the node take, it keeps.
    let mut larger = siege(node, [127, 0, 0, 2], 0..families, malformed);
    let _known = siege(node, [127, 0, 0, 1], 0..families, malformed);
    wait(1_500);
    let (before, quiet) = (resident(&stage.node), stage.node.log().len());
    let (heard, started) = (stage.ear.heard().len(), Instant::now());
    for (from, seed) in [([127, 0, 0, 2], 1), ([127, 0, 0, 1], 2)] {
        let mut chance = Chance(seed);
        let strange = siege(node, from, 0..MUTATIONS / 2, |number, own| {
            mutated(malformed(number + families, own), &mut chance, &poisons)
        });
        if from[3] == 2 {
            larger.extend(strange);
        }
    }
    let packets = started.elapsed().as_millis() as usize / 20;
    let heard = stage.ear.heard().len() - heard;
    assert!(heard * 10 > packets * 8, "{heard} of {packets} packets of sound arrived");
    assert!(larger.is_empty(), "a stranger gets more than he sends:\n{}", larger.join("\n"));
    wait(1_500);
    let after = resident(&stage.node);
    assert!(after < before + MOST_KB, "{before} kB became {after} kB");
    for talk in [&mut first, &mut second] {
        stage.caller.send(&talk.a.request("OPTIONS"));
        stage.caller.expect((200, "OPTIONS"));
        stage.hang_up(talk);
    }
    let log = stage.node.log();
    // A call that a mutation places is told as any other; of the rest there is a line now and then.
    let told = |line: &&str| !line.contains("node::place: call") && !line.contains("call ended");
    let lines: Vec<_> = log[quiet..].lines().filter(told).collect();
    assert!(lines.len() < 60, "{} lines:\n{}", lines.len(), lines[..60].join("\n"));
    let mut next = stage.caller.calls(CALLER, NEVER);
    next.call_id = "after-all".to_owned();
    stage.caller.send(&next.invite().sdp(sdp(stage.ear.own)));
    let trying = What::that("100 to the next call", |seen| {
        seen.status() == Some(100) && seen.get("Call-ID") == Some("after-all")
    });
    stage.caller.expect_within(Duration::from_secs(4), trying);
}
