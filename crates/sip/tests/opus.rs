//! Offers and answers with Opus (RFC 7587) beside G.711.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says why")]

use sip::{Codec, Description, Local, Negotiated, Own, Refusal};

const OPUS_FIRST: [Codec; 3] = [Codec::Opus, Codec::Pcma, Codec::Pcmu];
/// As a browser offers it.
const BROWSER: [&str; 8] = [
    "m=audio 4000 RTP/AVP 109 9 0 8 101 126",
    "a=rtpmap:109 opus/48000/2",
    "a=fmtp:109 maxplaybackrate=48000;stereo=1;useinbandfec=1",
    "a=rtpmap:101 telephone-event/8000",
    "a=rtpmap:126 telephone-event/48000",
    "a=fmtp:126 0-15",
    "a=ptime:20",
    "a=maxptime:120",
];

fn local(codecs: &[Codec]) -> Local {
    let local = Local::new("203.0.113.5:30000".parse().unwrap());
    Local { codecs: codecs.to_vec(), noise: true, ..local }
}

fn text(lines: &[&str]) -> String {
    let head = ["v=0", "o=- 5 7 IN IP4 192.0.2.9", "s=call", "c=IN IP4 192.0.2.9", "t=0 0"];
    [&head[..], lines].concat().join("\r\n") + "\r\n"
}

fn answer(codecs: &[Codec], lines: &[&str]) -> Result<(String, Negotiated), Refusal> {
    let offer = Description::parse(text(lines).as_bytes()).unwrap();
    let (octets, agreed) = Own::new(42).answer(&offer, &local(codecs))?;
    Ok((String::from_utf8(octets).unwrap(), agreed))
}

#[test]
fn opus_is_agreed_on_with_events_of_its_clock_and_what_either_side_wants_of_it() {
    let (text, agreed) = answer(&OPUS_FIRST, &BROWSER).unwrap();
    let expected = "m=audio 30000 RTP/AVP 109 126\r\na=rtpmap:109 opus/48000/2\r\n\
                    a=fmtp:109 useinbandfec=1\r\na=rtpmap:126 telephone-event/48000\r\n\
                    a=fmtp:126 0-16\r\n";
    assert!(text.contains(expected), "{text}");
    assert_eq!(
        (agreed.codec, agreed.send_payload, agreed.receive_payload),
        (Codec::Opus, 109, 109)
    );
    assert_eq!((agreed.send_event, agreed.event_hz), (Some(126), 48_000));
    assert_eq!(agreed.opus.as_deref(), Some("maxplaybackrate=48000;stereo=1;useinbandfec=1"));
    assert!(agreed.plain && agreed.noise.is_none());
}

#[test]
fn d_10_events_follow_the_clock_of_the_codec_whichever_comes_first() {
    let (text, agreed) = answer(&[Codec::Pcma, Codec::Opus], &BROWSER).unwrap();
    assert!(text.contains("m=audio 30000 RTP/AVP 8 101\r\n"), "{text}");
    assert_eq!((agreed.codec, agreed.event_hz, agreed.opus), (Codec::Pcma, 8_000, None));
    // Some who speak Opus know events of 8,000 Hz only.
    let coarse = [
        "m=audio 4000 RTP/AVP 96 97",
        "a=rtpmap:96 OPUS/48000/2",
        "a=rtpmap:97 telephone-event/8000",
    ];
    let (_, agreed) = answer(&OPUS_FIRST, &coarse).unwrap();
    assert_eq!((agreed.codec, agreed.send_event, agreed.event_hz), (Codec::Opus, Some(97), 8_000));
    assert!(!agreed.plain && agreed.opus.is_none());
}

#[test]
fn opus_without_telephone_events_is_not_agreed_on_because_nobody_hears_keys_in_it() {
    let mute = ["m=audio 4000 RTP/AVP 96 8", "a=rtpmap:96 opus/48000/2"];
    let (text, agreed) = answer(&OPUS_FIRST, &mute).unwrap();
    assert!(text.contains("RTP/AVP 8\r\n") && agreed.codec == Codec::Pcma, "{text}");
    let only = ["m=audio 4000 RTP/AVP 96", "a=rtpmap:96 opus/48000/2"];
    assert_eq!(answer(&OPUS_FIRST, &only).unwrap_err(), Refusal::NoCodec);
    // Nor is what has the name and another clock, nor where it is not spoken.
    let slow = [
        "m=audio 4000 RTP/AVP 96 101",
        "a=rtpmap:96 opus/8000",
        "a=rtpmap:101 telephone-event/8000",
    ];
    assert_eq!(answer(&OPUS_FIRST, &slow).unwrap_err(), Refusal::NoCodec);
    assert_eq!(answer(&[Codec::Pcma], &BROWSER[..3]).unwrap().1.codec, Codec::Pcma);
}

#[test]
fn an_offer_names_opus_and_the_events_of_both_clocks_and_takes_any_of_it_for_an_answer() {
    let mut own = Own::new(1);
    let local = Local { noise: false, opus: "stereo=1".to_owned(), ..local(&OPUS_FIRST) };
    let offer = String::from_utf8(own.offer(&local)).unwrap();
    for line in [
        "m=audio 30000 RTP/AVP 111 8 0 101 110\r\n",
        "a=rtpmap:111 opus/48000/2\r\na=fmtp:111 stereo=1\r\n",
        "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\n",
        "a=rtpmap:110 telephone-event/48000\r\na=fmtp:110 0-16\r\n",
    ] {
        assert!(offer.contains(line), "{line} in {offer}");
    }
    let mut read = |lines: &[&str]| own.read_answer(&local, text(lines).as_bytes());
    let fine = read(&[
        "m=audio 4000 RTP/AVP 111 110",
        "a=rtpmap:111 opus/48000/2",
        "a=fmtp:111 usedtx=1",
        "a=rtpmap:110 telephone-event/48000",
    ])
    .unwrap();
    assert_eq!((fine.codec, fine.event_hz, fine.receive_event), (Codec::Opus, 48_000, Some(110)));
    assert_eq!(fine.opus.as_deref(), Some("usedtx=1"));
    let plain = read(&["m=audio 4000 RTP/AVP 8 101", "a=rtpmap:101 telephone-event/8000"]).unwrap();
    assert_eq!((plain.codec, plain.event_hz, plain.receive_event), (Codec::Pcma, 8_000, Some(101)));
    // Where nothing else is spoken, events of both clocks are still offered.
    let alone = Local { codecs: vec![Codec::Opus], ..local.clone() };
    let offer = String::from_utf8(Own::new(2).offer(&alone)).unwrap();
    assert!(offer.contains("RTP/AVP 111 101 110\r\n"), "{offer}");
    let none = Local { codecs: vec![Codec::Pcma], ..local };
    let offer = String::from_utf8(Own::new(3).offer(&none)).unwrap();
    assert!(offer.contains("RTP/AVP 8 101\r\n") && !offer.contains("48000"), "{offer}");
}

#[test]
fn what_the_other_side_wants_of_opus_is_passed_on_only_if_it_is_a_line_of_text() {
    let wants = |detail: &str| {
        let detail = format!("a=fmtp:96 {detail}");
        let lines = [
            "m=audio 4000 RTP/AVP 96 97",
            "a=rtpmap:96 opus/48000/2",
            &detail,
            "a=rtpmap:97 telephone-event/48000",
        ];
        answer(&OPUS_FIRST, &lines).unwrap().1.opus
    };
    assert_eq!(wants("cbr=1; usedtx=1").as_deref(), Some("cbr=1; usedtx=1"));
    assert_eq!((wants("x\u{7}y"), wants("\u{e9}"), wants(&"a".repeat(256))), (None, None, None));
}
