//! Offers and answers with keys for SRTP (RFC 4568), as peers write them and as they should not.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says why")]

use sip::{Description, Keyring, Local, Negotiated, Own, Refusal, Srtp, Suite};

/// 30 octets in base64.
const KEY: &str = "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj";
const OTHER: &str = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz";

fn local(srtp: Srtp) -> Local {
    Local { srtp, ..Local::new("203.0.113.5:30000".parse().unwrap()) }
}

fn own(id: u8) -> Own {
    Own::new(u64::from(id)).with_keys(Keyring::new([id; 32]))
}

fn text(profile: &str, lines: &str) -> String {
    format!(
        "v=0\r\no=- 5 7 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n\
         m=audio 4000 {profile} 8\r\n{lines}"
    )
}

fn crypto(tag: u32, suite: &str, key: &str) -> String {
    format!("a=crypto:{tag} {suite} inline:{key}\r\n")
}

fn answers(srtp: Srtp, offer: &str) -> Result<(String, Negotiated), Refusal> {
    let offer = Description::parse(offer.as_bytes()).unwrap();
    let (octets, agreed) = own(1).answer(&offer, &local(srtp))?;
    Ok((String::from_utf8(octets).unwrap(), agreed))
}

fn media(text: &str) -> (&str, Vec<&str>) {
    let line = |start: &'static str| text.lines().filter(move |line| line.starts_with(start));
    (line("m=audio").next().unwrap(), line("a=crypto:").collect())
}

const CM: &str = "AES_CM_128_HMAC_SHA1_80";

#[test]
fn s_03_an_offer_of_srtp_is_answered_with_its_tag_and_suite_and_a_key_of_our_own() {
    let lines = crypto(1, "F8_128_HMAC_SHA1_80", KEY) + &crypto(7, CM, KEY) + &crypto(8, CM, OTHER);
    for srtp in [Srtp::Offer, Srtp::Require] {
        let (answer, agreed) = answers(srtp, &text("RTP/SAVP", &lines)).unwrap();
        let (audio, keys) = media(&answer);
        assert_eq!(audio, "m=audio 30000 RTP/SAVP 8");
        let [key] = keys.as_slice() else { panic!("{answer}") };
        assert!(key.starts_with("a=crypto:7 AES_CM_128_HMAC_SHA1_80 inline:"), "{key}");
        assert!(!answer.contains(KEY), "their key is not repeated");
        let secured = agreed.secured.unwrap();
        assert_eq!(secured.send.suite(), Suite::AesCm128Sha1_80);
        assert_eq!(secured.receive.octets()[..4], *b"wDfv");
        assert_ne!(secured.send.octets(), secured.receive.octets());
    }
}

#[test]
fn s_03_what_is_off_or_faulty_is_refused_with_488_and_nothing_goes_plain_that_must_not() {
    let good = crypto(1, CM, KEY);
    let faulty = crypto(1, CM, &KEY[1..]);
    let weak = format!("a=crypto:1 {CM} inline:{KEY} UNENCRYPTED_SRTP\r\n");
    for (srtp, offer, refusal) in [
        (Srtp::Off, text("RTP/SAVP", &good), Refusal::Transport),
        (Srtp::Offer, text("RTP/SAVP", ""), Refusal::Keys),
        (Srtp::Offer, text("RTP/SAVP", &faulty), Refusal::Keys),
        (Srtp::Offer, text("RTP/SAVP", &weak), Refusal::Keys),
        (Srtp::Require, text("RTP/SAVP", &faulty), Refusal::Keys),
        (Srtp::Require, text("RTP/AVP", ""), Refusal::Unsecured),
        (Srtp::Require, text("RTP/AVP", &weak), Refusal::Keys),
        (Srtp::Require, text("UDP/TLS/RTP/SAVP", &good), Refusal::Transport),
        (Srtp::Offer, text("RTP/SAVPF", &good), Refusal::Transport),
    ] {
        let found = answers(srtp, &offer).unwrap_err();
        assert_eq!((found, found.status()), (refusal, 488), "{srtp:?} {offer}");
    }
    // Without keys of our own there is no SRTP, whatever is wanted.
    let offer = Description::parse(text("RTP/SAVP", &good).as_bytes()).unwrap();
    let refused = Own::new(1).answer(&offer, &local(Srtp::Require)).unwrap_err();
    assert_eq!(refused, Refusal::Transport);
}

#[test]
fn s_05_keys_in_a_plain_line_are_taken_where_srtp_is_wanted_and_passed_over_elsewhere() {
    let offer = text("RTP/AVP", &crypto(3, CM, KEY));
    for (srtp, secured) in [(Srtp::Off, false), (Srtp::Offer, true), (Srtp::Require, true)] {
        let (answer, agreed) = answers(srtp, &offer).unwrap();
        let (audio, keys) = media(&answer);
        assert_eq!(audio, "m=audio 30000 RTP/AVP 8");
        assert_eq!((keys.len(), agreed.secured.is_some()), (usize::from(secured), secured));
    }
    // Keys that nobody can use leave it plain.
    let (answer, agreed) = answers(Srtp::Offer, &text("RTP/AVP", &crypto(3, CM, "short"))).unwrap();
    assert!(media(&answer).1.is_empty() && agreed.secured.is_none());
}

#[test]
fn s_03_of_two_lines_the_one_under_srtp_is_taken() {
    let both = format!("{}m=audio 4002 RTP/SAVP 8\r\n{}", text("RTP/AVP", ""), crypto(1, CM, KEY));
    let lines = |srtp| -> Vec<String> {
        let (answer, _) = answers(srtp, &both).unwrap();
        answer.lines().filter(|line| line.starts_with("m=")).map(str::to_owned).collect()
    };
    for srtp in [Srtp::Offer, Srtp::Require] {
        assert_eq!(lines(srtp), ["m=audio 0 RTP/AVP 8", "m=audio 30000 RTP/SAVP 8"]);
    }
    assert_eq!(lines(Srtp::Off), ["m=audio 30000 RTP/AVP 8", "m=audio 0 RTP/SAVP 8"]);
}

/// What both sides of an offer of ours agree on.
fn met(asks: Srtp, takes: Srtp) -> Result<(Negotiated, Negotiated), Refusal> {
    let (mut one, mut two) = (own(1), own(2));
    let offer = Description::parse(&one.offer(&local(asks))).unwrap();
    let (answer, theirs) = two.answer(&offer, &local(takes))?;
    Ok((one.read_answer(&local(asks), &answer)?, theirs))
}

#[test]
fn s_03_two_sides_meet_wherever_both_can() {
    let all = [Srtp::Off, Srtp::Offer, Srtp::Require];
    for (asks, takes) in all.into_iter().flat_map(|asks| all.map(|takes| (asks, takes))) {
        let met = met(asks, takes);
        match (asks, takes) {
            (Srtp::Off, Srtp::Require) => assert_eq!(met.unwrap_err(), Refusal::Unsecured),
            (Srtp::Require, Srtp::Off) => assert_eq!(met.unwrap_err(), Refusal::Transport),
            (Srtp::Off, _) | (_, Srtp::Off) => {
                let (one, two) = met.unwrap();
                assert!(one.secured.is_none() && two.secured.is_none());
            }
            (Srtp::Offer | Srtp::Require, Srtp::Offer | Srtp::Require) => {
                let (one, two) = met.unwrap();
                let (one, two) = (one.secured.unwrap(), two.secured.unwrap());
                assert_eq!((&one.send, &one.receive), (&two.receive, &two.send));
                assert_eq!(one.send.suite(), Suite::AesGcm256, "the strongest first");
            }
        }
    }
}

#[test]
fn s_03_our_offer_says_savp_only_where_it_must_and_has_a_key_for_every_suite() {
    for (srtp, profile, count) in
        [(Srtp::Off, "RTP/AVP", 0), (Srtp::Offer, "RTP/AVP", 6), (Srtp::Require, "RTP/SAVP", 6)]
    {
        let offer = String::from_utf8(own(1).offer(&local(srtp))).unwrap();
        let (audio, keys) = media(&offer);
        assert_eq!(audio, format!("m=audio 30000 {profile} 8 0 101"));
        let suites: Vec<_> = keys.iter().filter_map(|line| line.split(' ').nth(1)).collect();
        let all: Vec<_> = Suite::ALL.iter().map(|suite| suite.name()).take(count).collect();
        assert_eq!(suites, all);
    }
}

#[test]
fn s_03_an_answer_that_does_not_fit_its_offer_is_no_agreement() {
    let mut one = own(1);
    let _offer = one.offer(&local(Srtp::Require));
    let cm = Suite::ALL.iter().position(|suite| suite.name() == CM).unwrap() as u32 + 1;
    for (profile, lines, refusal) in [
        ("RTP/SAVP", String::new(), Some(Refusal::Unsecured)),
        ("RTP/AVP", String::new(), Some(Refusal::Unsecured)),
        ("RTP/SAVP", crypto(cm + 1, CM, KEY), Some(Refusal::Keys)),
        ("RTP/SAVP", crypto(0, CM, KEY), Some(Refusal::Keys)),
        ("RTP/SAVP", crypto(7, CM, KEY), Some(Refusal::Keys)),
        ("RTP/SAVP", crypto(cm, CM, "short"), Some(Refusal::Keys)),
        ("RTP/SAVP", crypto(cm, CM, KEY) + &crypto(cm, CM, KEY), Some(Refusal::Keys)),
        ("RTP/SAVP", crypto(cm, CM, KEY), None),
        ("RTP/AVP", crypto(cm, CM, KEY), None),
    ] {
        let read = one.read_answer(&local(Srtp::Require), text(profile, &lines).as_bytes());
        assert_eq!(read.err(), refusal, "{profile} {lines}");
    }
    // Who offered nothing is answered with nothing.
    let mut plain = own(2);
    let _offer = plain.offer(&local(Srtp::Off));
    let answer = text("RTP/AVP", &crypto(1, CM, KEY));
    assert!(plain.read_answer(&local(Srtp::Off), answer.as_bytes()).unwrap().secured.is_none());
}

#[test]
fn s_06_a_repeated_offer_has_the_same_key_and_another_place_or_suite_a_new_one() {
    let mut own = own(1);
    let local = local(Srtp::Offer);
    let mut answer = |offer: &str| {
        let offer = Description::parse(offer.as_bytes()).unwrap();
        own.answer(&offer, &local).unwrap().1.secured
    };
    let first = text("RTP/SAVP", &crypto(1, CM, KEY));
    let one = answer(&first).unwrap();
    let hold = answer(&(first.clone() + "a=sendonly\r\n")).unwrap();
    assert_eq!(one, hold, "a hold leaves the keys alone");
    let rekeyed = answer(&first.replace(KEY, OTHER)).unwrap();
    assert!(
        rekeyed.receive != one.receive && rekeyed.send == one.send,
        "theirs is new, ours stays"
    );
    let moved = answer(&first.replace("audio 4000", "audio 4002")).unwrap();
    assert_ne!(moved.send, one.send, "who is there need not know how far it has counted");
    let short = first.replace("audio 4000", "audio 4002").replace("SHA1_80", "SHA1_32");
    let other = answer(&short).unwrap();
    let back = answer(&first.replace("audio 4000", "audio 4002")).unwrap();
    assert!(other.send != moved.send && back.send != moved.send && back.send != other.send);
    assert!(answer(&text("RTP/AVP", "")).is_none());
    assert_ne!(answer(&first).unwrap().send, back.send, "nor after plain sound between");
}

#[test]
fn s_03_later_offers_of_ours_leave_carriage_suite_and_key_as_they_are_until_somebody_else_is_called()
 {
    let mut own = own(1);
    let local = local(Srtp::Offer);
    let offer = Description::parse(text("RTP/SAVP", &crypto(5, CM, KEY)).as_bytes()).unwrap();
    let (answer, _) = own.answer(&offer, &local).unwrap();
    let key = |octets: &[u8]| -> (String, String) {
        let text = String::from_utf8(octets.to_vec()).unwrap();
        let (audio, keys) = media(&text);
        (audio.to_owned(), keys.first().map_or("", |key| key.split_once(' ').unwrap().1).to_owned())
    };
    let (_, stands) = key(&answer);
    let (audio, first) = key(&own.offer(&local));
    assert_eq!((audio.as_str(), &first), ("m=audio 30000 RTP/SAVP 8 0 101", &stands));
    own.renew_keys();
    let (audio, renewed) = key(&own.offer(&local));
    assert!(audio.contains("RTP/SAVP") && renewed.starts_with(CM) && renewed != stands);
    own.begin_anew();
    let (audio, anew) = key(&own.offer(&local));
    assert!(audio.contains("RTP/AVP") && anew.starts_with("AEAD_AES_256_GCM"), "{audio} {anew}");
    // What was agreed on plain stays plain.
    let plain = Description::parse(text("RTP/AVP", "").as_bytes()).unwrap();
    let _answer = own.answer(&plain, &local).unwrap();
    assert_eq!(key(&own.offer(&local)).1, "");
}
