//! Offers and answers for one audio line, with the shapes that carriers and PBXs send.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says why")]

use std::net::SocketAddr;

use sip::{Codec, Description, Direction, Local, Own, Refusal};

fn local() -> Local {
    Local::new("203.0.113.5:30000".parse().unwrap())
}

fn read(lines: &[&str]) -> Description {
    Description::parse(lines.join("\r\n").as_bytes()).unwrap()
}

/// A description with these lines below a usual head.
fn offer(lines: &[&str]) -> Description {
    let head = ["v=0", "o=- 5 7 IN IP4 192.0.2.9", "s=call", "c=IN IP4 192.0.2.9", "t=0 0"];
    read(&[&head[..], lines].concat())
}

fn lines(octets: &[u8]) -> Vec<String> {
    String::from_utf8(octets.to_vec())
        .unwrap()
        .split_terminator("\r\n")
        .map(str::to_owned)
        .collect()
}

fn address(text: &str) -> Option<SocketAddr> {
    Some(text.parse().unwrap())
}

#[test]
fn a_02_the_answer_has_one_codec_and_the_payload_types_of_the_offer() {
    let offer = offer(&[
        "m=audio 4000 RTP/AVP 18 0 8 96 100",
        "a=rtpmap:96 telephone-event/8000",
        "a=rtpmap:100 telephone-event/48000",
        "a=ptime:30",
    ]);
    let (answer, agreed) = Own::new(42).answer(&offer, &local()).unwrap();
    assert_eq!(
        lines(&answer),
        [
            "v=0",
            "o=- 42 1 IN IP4 203.0.113.5",
            "s=-",
            "c=IN IP4 203.0.113.5",
            "t=0 0",
            "m=audio 30000 RTP/AVP 8 96",
            "a=rtpmap:8 PCMA/8000",
            "a=rtpmap:96 telephone-event/8000",
            "a=fmtp:96 0-16",
            "a=ptime:20",
            "a=sendrecv",
        ]
    );
    assert_eq!((agreed.codec, agreed.send_payload, agreed.receive_payload), (Codec::Pcma, 8, 8));
    assert_eq!((agreed.send_event, agreed.receive_event), (Some(96), Some(96)));
    assert_eq!(agreed.remote_rtp, address("192.0.2.9:4000"));
    assert_eq!(agreed.remote_rtcp, address("192.0.2.9:4001"));
    assert_eq!((agreed.direction, agreed.ptime_ms), (Direction::SendRecv, 30));
}

#[test]
fn a_02_the_version_grows_only_when_something_changes() {
    let mut own = Own::new(1);
    let offer = offer(&["m=audio 4000 RTP/AVP 8"]);
    let (first, _) = own.answer(&offer, &local()).unwrap();
    let (same, _) = own.answer(&offer, &local()).unwrap();
    assert_eq!(first, same);
    let held = Local { direction: Direction::SendOnly, ..local() };
    let (other, _) = own.answer(&offer, &held).unwrap();
    assert!(lines(&other).contains(&"o=- 1 2 IN IP4 203.0.113.5".to_owned()));
    assert!(lines(&other).contains(&"a=sendonly".to_owned()));
}

#[test]
fn b_26_every_other_line_is_refused_in_its_place_also_in_our_later_offers() {
    let offer = offer(&[
        "a=group:BUNDLE 0 1 2 3",
        "m=video 5000 RTP/AVP 96 97",
        "m=audio 0 RTP/AVP 8",
        "m=audio 4000 RTP/AVP 8 101",
        "a=rtpmap:101 telephone-event/8000",
        "m=audio 4002 RTP/AVP 0",
        "m=image 6000 udptl t38",
        "m=application 7000 UDP/DTLS/SCTP webrtc-datachannel",
    ]);
    let mut own = Own::new(1);
    let (answer, _) = own.answer(&offer, &local()).unwrap();
    let media = |octets: &[u8]| -> Vec<String> {
        lines(octets).into_iter().filter(|line| line.starts_with("m=")).collect()
    };
    assert_eq!(
        media(&answer),
        [
            "m=video 0 RTP/AVP 96",
            "m=audio 0 RTP/AVP 8",
            "m=audio 30000 RTP/AVP 8 101",
            "m=audio 0 RTP/AVP 0",
            "m=image 0 udptl t38",
            "m=application 0 UDP/DTLS/SCTP webrtc-datachannel",
        ]
    );
    let later = own.offer(&local());
    assert_eq!(media(&later)[2], "m=audio 30000 RTP/AVP 8 0 101");
    assert_eq!(media(&later).len(), 6);
}

#[test]
fn a_22_what_cannot_be_talked_in_is_refused_with_the_right_warning() {
    let refused = |lines: &[&str]| {
        let refusal = Own::new(1).answer(&offer(lines), &local()).unwrap_err();
        (refusal, refusal.status(), refusal.warning().0)
    };
    assert_eq!(refused(&["m=audio 4000 RTP/AVP 18 9"]), (Refusal::NoCodec, 488, 305));
    assert_eq!(
        refused(&["m=audio 4000 RTP/AVP 97", "a=rtpmap:97 PCMA/16000"]),
        (Refusal::NoCodec, 488, 305)
    );
    assert_eq!(refused(&["m=video 4000 RTP/AVP 31"]), (Refusal::NoAudio, 488, 304));
    assert_eq!(refused(&["m=audio 0 RTP/AVP 8"]), (Refusal::NoAudio, 488, 304));
    assert_eq!(refused(&[]), (Refusal::NoAudio, 488, 304));
    assert_eq!(refused(&["m=audio 4000 RTP/SAVP 8"]), (Refusal::Transport, 488, 302));
    assert_eq!(
        refused(&["m=audio 4000 RTP/AVP 8", "c=IN IP4 pbx.example"]),
        (Refusal::Address, 488, 301)
    );
    let bare = read(&["v=0", "m=audio 4000 RTP/AVP 8"]);
    assert_eq!(Own::new(1).answer(&bare, &local()).unwrap_err(), Refusal::Address);
}

#[test]
fn an_offer_that_is_refused_changes_nothing_of_ours() {
    let mut own = Own::new(1);
    own.answer(
        &offer(&["m=audio 4000 RTP/AVP 8 96", "a=rtpmap:96 telephone-event/8000"]),
        &local(),
    )
    .unwrap();
    let before = own.offer(&local());
    assert!(lines(&before).contains(&"m=audio 30000 RTP/AVP 8 0 96".to_owned()), "RFC 3264 §8.3.2");
    let bad = offer(&["m=video 4000 RTP/AVP 31", "m=audio 4000 RTP/AVP 18"]);
    own.answer(&bad, &local()).unwrap_err();
    assert_eq!(own.offer(&local()), before);
}

#[test]
fn b_01_every_spelling_of_hold_is_understood_and_resumed() {
    let mut own = Own::new(1);
    let mut answered = |lines: &[&str]| {
        let (answer, agreed) = own.answer(&offer(lines), &local()).unwrap();
        let way = crate::lines(&answer).into_iter().rfind(|line| {
            ["a=sendrecv", "a=sendonly", "a=recvonly", "a=inactive"].contains(&line.as_str())
        });
        (way.unwrap(), agreed.is_held(), agreed.remote_rtp.is_some())
    };
    let audio = "m=audio 4000 RTP/AVP 8";
    let expect = |way: &str, held, reachable| (way.to_owned(), held, reachable);
    assert_eq!(answered(&[audio]), expect("a=sendrecv", false, true));
    assert_eq!(answered(&[audio, "a=sendonly"]), expect("a=recvonly", true, true));
    assert_eq!(answered(&[audio, "a=sendrecv"]), expect("a=sendrecv", false, true));
    assert_eq!(answered(&[audio, "a=inactive"]), expect("a=inactive", true, true));
    assert_eq!(answered(&[audio, "a=recvonly"]), expect("a=sendonly", false, true));
    assert_eq!(answered(&["a=sendonly", audio]), expect("a=recvonly", true, true));
    assert_eq!(answered(&["a=sendonly", audio, "a=sendrecv"]), expect("a=sendrecv", false, true));
    assert_eq!(answered(&[audio, "c=IN IP4 0.0.0.0"]), expect("a=recvonly", true, false));
    assert_eq!(answered(&[audio]), expect("a=sendrecv", false, true));
}

#[test]
fn d_09_each_side_sends_the_payload_types_that_the_other_declared() {
    let mut own = Own::new(1);
    let ours = own.offer(&local());
    assert!(lines(&ours).contains(&"m=audio 30000 RTP/AVP 8 0 101".to_owned()));
    let answer = b"v=0\r\nc=IN IP4 192.0.2.8\r\nm=audio 9000 RTP/AVP 0 96\r\na=rtpmap:96 telephone-event/8000\r\na=sendrecv\r\n";
    let agreed = own.read_answer(&local(), answer).unwrap();
    assert_eq!((agreed.codec, agreed.send_payload, agreed.receive_payload), (Codec::Pcmu, 0, 0));
    assert_eq!((agreed.send_event, agreed.receive_event), (Some(96), Some(101)));
    assert_eq!(agreed.remote_rtp, address("192.0.2.8:9000"));
}

#[test]
fn b_29_comfort_noise_is_taken_when_it_is_offered_and_offered_to_who_is_to_hear_it() {
    let with = Local { noise: true, ..local() };
    let lines_of = &["m=audio 4000 RTP/AVP 8 13 101", "a=rtpmap:101 telephone-event/8000"];
    let (answer, agreed) = Own::new(1).answer(&offer(lines_of), &with).unwrap();
    assert!(lines(&answer).contains(&"m=audio 30000 RTP/AVP 8 13 101".to_owned()));
    assert!(lines(&answer).contains(&"a=rtpmap:13 CN/8000".to_owned()));
    assert_eq!(agreed.noise, Some((13, 13)));
    let (answer, agreed) = Own::new(1).answer(&offer(lines_of), &local()).unwrap();
    assert!(lines(&answer).contains(&"m=audio 30000 RTP/AVP 8 101".to_owned()));
    assert_eq!(agreed.noise, None);
    let mut own = Own::new(1);
    assert!(lines(&own.offer(&with)).contains(&"m=audio 30000 RTP/AVP 8 0 13 101".to_owned()));
    let mut answered = |line: &str| {
        let text = format!("v=0\r\nc=IN IP4 192.0.2.8\r\nm=audio 9000 RTP/AVP {line}\r\n");
        own.read_answer(&with, text.as_bytes()).unwrap().noise
    };
    assert_eq!(answered("8 97\r\na=rtpmap:97 CN/8000"), Some((97, 13)));
    assert_eq!(answered("8"), None);
}

#[test]
fn d_11_an_answer_without_events_gives_none_in_either_direction() {
    let mut own = Own::new(1);
    own.offer(&local());
    let answer = b"v=0\r\nc=IN IP4 192.0.2.8\r\nm=audio 9000 RTP/AVP 8\r\n";
    let agreed = own.read_answer(&local(), answer).unwrap();
    assert_eq!((agreed.send_event, agreed.receive_event), (None, None));
}

#[test]
fn a_codec_under_a_payload_type_of_its_own_keeps_it() {
    let mut own = Own::new(1);
    let offer = offer(&["m=audio 4000 RTP/AVP 97", "a=rtpmap:97 pcma/8000/1"]);
    let (answer, agreed) = own.answer(&offer, &local()).unwrap();
    assert!(lines(&answer).contains(&"a=rtpmap:97 PCMA/8000".to_owned()));
    assert_eq!(agreed.send_payload, 97);
    assert!(lines(&own.offer(&local())).contains(&"m=audio 30000 RTP/AVP 97 0 101".to_owned()));
}

#[test]
fn an_answer_that_refuses_or_does_not_fit_is_named() {
    let mut own = Own::new(1);
    own.offer(&local());
    let mut refused = |text: &str| {
        own.read_answer(&local(), format!("v=0\r\nc=IN IP4 192.0.2.8\r\n{text}").as_bytes())
            .unwrap_err()
    };
    assert_eq!(refused("m=audio 0 RTP/AVP 8\r\n"), Refusal::Rejected);
    assert_eq!(refused(""), Refusal::Rejected);
    assert_eq!(refused("m=video 4000 RTP/AVP 8\r\n"), Refusal::Rejected);
    assert_eq!(refused("m=audio 4000 RTP/AVP 18\r\n"), Refusal::NoCodec);
    assert_eq!(refused("m=audio 4000 RTP/SAVP 8\r\n"), Refusal::Transport);
    assert!(matches!(refused("nonsense"), Refusal::Malformed(_)));
}

#[test]
fn b_31_b_32_rtcp_goes_where_its_lines_say() {
    let agreed = |lines: &[&str], mux| {
        let local = Local { rtcp_mux: mux, ..local() };
        let (answer, agreed) = Own::new(1).answer(&offer(lines), &local).unwrap();
        let muxed = crate::lines(&answer).contains(&"a=rtcp-mux".to_owned());
        assert_eq!(muxed, agreed.rtcp_mux);
        (agreed.remote_rtcp, agreed.rtcp_mux)
    };
    let audio = "m=audio 4000 RTP/AVP 8";
    assert_eq!(agreed(&[audio, "a=rtcp:4444"], false), (address("192.0.2.9:4444"), false));
    assert_eq!(
        agreed(&[audio, "a=rtcp:53020 IN IP4 192.0.2.77"], false),
        (address("192.0.2.77:53020"), false)
    );
    assert_eq!(agreed(&[audio, "a=rtcp-mux"], false), (address("192.0.2.9:4001"), false));
    assert_eq!(agreed(&[audio, "a=rtcp-mux"], true), (address("192.0.2.9:4000"), true));
    assert_eq!(agreed(&[audio], true), (address("192.0.2.9:4001"), false));
    assert_eq!(agreed(&["m=audio 65535 RTP/AVP 8"], false), (None, false));
}

#[test]
fn s_10_ipv6_is_read_and_written() {
    let offer = read(&[
        "v=0",
        "o=- 1 1 IN IP6 2001:db8::9",
        "s=-",
        "c=IN IP6 2001:db8::9",
        "m=audio 4000 RTP/AVP 8",
    ]);
    let local = Local::new("[2001:db8::5]:30000".parse().unwrap());
    let (answer, agreed) = Own::new(1).answer(&offer, &local).unwrap();
    assert_eq!(agreed.remote_rtp, address("[2001:db8::9]:4000"));
    assert!(lines(&answer).contains(&"c=IN IP6 2001:db8::5".to_owned()));
    let held = read(&["v=0", "c=IN IP6 ::", "m=audio 4000 RTP/AVP 8"]);
    assert!(Own::new(1).answer(&held, &local).unwrap().1.is_held());
}

#[test]
fn b_30_the_packet_time_is_theirs_within_reason() {
    let ptime = |lines: &[&str]| {
        let lines: Vec<&str> = [&["m=audio 4000 RTP/AVP 8"], lines].concat();
        Own::new(1).answer(&offer(&lines), &local()).unwrap().1.ptime_ms
    };
    for (lines, ms) in [
        (&["a=ptime:10"][..], 10),
        (&["a=ptime:60"], 60),
        (&[], 20),
        (&["a=ptime:0"], 20),
        (&["a=ptime:25"], 20),
        (&["a=ptime:99999999999"], 20),
        (&["a=ptime:40", "a=maxptime:30"], 30),
        (&["a=maxptime:10"], 10),
        (&["a=maxptime:0"], 20),
    ] {
        assert_eq!(ptime(lines), ms, "{lines:?}");
    }
}

#[test]
fn r_08_nothing_but_refused_lines_of_the_offer_shows_in_the_answer() {
    let offer = read(&[
        "v=0",
        "o=secret 12345 1 IN IP4 10.9.8.7",
        "s=secret session",
        "i=secret",
        "c=IN IP4 10.9.8.7",
        "t=0 0",
        "a=secret",
        "m=audio 4000 RTP/AVP 8",
        "a=label:secret",
    ]);
    let (answer, _) = Own::new(1).answer(&offer, &local()).unwrap();
    let text = lines(&answer).join("\n");
    assert!(
        !text.contains("secret") && !text.contains("10.9.8.7") && !text.contains("12345"),
        "{text}"
    );
}

#[test]
fn what_we_write_we_can_read() {
    let (mut one, mut two) = (Own::new(1), Own::new(2));
    let (here, there) = (local(), Local::new("[2001:db8::5]:20000".parse().unwrap()));
    let offer = Description::parse(&one.offer(&here)).unwrap();
    let (answer, theirs) = two.answer(&offer, &there).unwrap();
    let ours = one.read_answer(&here, &answer).unwrap();
    assert_eq!(
        (ours.codec, ours.send_event, ours.direction),
        (theirs.codec, Some(101), Direction::SendRecv)
    );
    assert_eq!(ours.remote_rtp, Some(there.rtp));
    assert_eq!(theirs.remote_rtp, Some(here.rtp));
}
