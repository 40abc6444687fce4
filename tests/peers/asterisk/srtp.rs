//! SRTP with keys in SDP (SDES) between the node and Asterisk, and between the node and baresip: what each heard.

use std::{collections::BTreeSet, thread, time::Duration};

use support::{
    baresip::{Baresip, Sound},
    exchange::{Act, Plan},
    node::Change,
    scene::{ENGLISH, words},
    sound::share,
};

use super::{
    Office, Pbx, Transport, all_heard,
    hold::passes_on,
    outbound, party,
    plain::{SPEAKS, spoken},
    seconds,
    streams::all_by,
};

/// For the endpoint that is the node: SRTP, or no call.
const SECURED: &str = "media_encryption = sdes";
/// The same where both can: keys beside plain sound (RFC 8643).
const OPPORTUNE: &str = "media_encryption = sdes\nmedia_encryption_optimistic = yes";

/// A plain trunk before a PBX that must have SRTP, its keys told in datagrams or under TLS.
fn behind(transport: Transport) -> Change {
    let clear = matches!(transport, Transport::Udp);
    Change::default().srtp(("off", false), ("require", clear))
}

/// The descriptions that Asterisk and the node have exchanged are of this profile only, have keys, and
/// nothing failed under them but for so many reports.
fn agreed(office: &Office, profile: &str, clear_reports: u64) {
    let log = office.asterisk.log();
    let profiles: BTreeSet<_> =
        log.lines().filter_map(|line| line.strip_prefix("m=audio ")?.split(' ').nth(1)).collect();
    assert_eq!(profiles, BTreeSet::from([profile]), "{log}");
    let keys = log.lines().filter(|line| line.starts_with("a=crypto:")).count();
    assert!(keys >= 2, "{keys} keys in\n{log}");
    for fault in ["SRTP unprotect failed", "SRTP protect", "SRTCP unprotect failed"] {
        assert!(!log.contains(fault), "{log}");
    }
    let metrics = office.node.metrics();
    let counted = [("unauthentic", clear_reports), ("replayed", 0), ("malformed", 0)];
    for (reason, count) in counted {
        let line = format!("jawoord_stray_media_total{{reason=\"{reason}\"}} {count}\n");
        assert!(metrics.contains(&line), "{metrics}");
    }
}

#[test]
fn s_03_a_plain_caller_and_an_asterisk_under_srtp_hear_each_other_and_are_recorded() {
    let office = spoken(Transport::Udp, SECURED, &behind(Transport::Udp));
    agreed(&office, "RTP/SAVP", 0);
}

#[test]
fn s_03_s_07_they_hear_each_other_with_keys_that_are_told_under_tls_only() {
    let tls = Transport::Tls("pbx.example");
    let office = spoken(tls, SECURED, &behind(tls));
    all_by(&office, "TLS");
    agreed(&office, "RTP/SAVP", 0);
}

#[test]
fn s_05_an_asterisk_that_may_have_srtp_takes_the_keys_beside_plain_sound() {
    let change = Change::default().srtp(("off", false), ("offer", true));
    let office = spoken(Transport::Udp, OPPORTUNE, &change);
    agreed(&office, "RTP/AVP", 0);
}

#[test]
fn s_03_b_01_a_hold_that_asterisk_passes_on_under_srtp_pauses_the_recording_and_speech_comes_back()
{
    for transport in [Transport::Udp, Transport::Tls("pbx.example")] {
        let _heard = passes_on(transport, SECURED, &behind(transport));
    }
}

#[test]
fn s_03_a_call_that_asterisk_starts_under_srtp_is_heard_on_both_sides() {
    agreed(&outbound::placed(SECURED, &behind(Transport::Udp)), "RTP/SAVP", 0);
}

/// It speaks 440 Hz until it hears the key 5, then 600 Hz, and hangs up when it hears the key 6.
const LISTENS: &str = "
[from-box]
exten => _[+0-9].,1,Answer()
 same => n,MixMonitor(pbx.wav,r(rx.wav)t(tx.wav))
 same => n,Goto(menu,s,1)

[menu]
exten => s,1,PlayTones(440)
 same => n,WaitExten(60)
exten => 5,1,PlayTones(600)
 same => n,WaitExten(60)
exten => 6,1,Hangup()
";

/// baresip as the caller.
mod baresip {
    use super::*;

    /// Both legs are under SRTP. Every key, that of the consent too, is an RTP event of baresip's, and it
    /// holds with a new offer, as it comes back.
    #[test]
    fn s_03_baresip_under_srtp_says_yes_presses_keys_holds_and_comes_back_and_all_is_recorded() {
        let change = Change::default().srtp(("require", true), ("require", true));
        let pbx = Pbx { dialplan: LISTENS, endpoint: SECURED, ..Pbx::default() };
        let office = Office::open(&change, pbx);
        let mut caller = Baresip::start("+31612345609", 700.0, Sound::Secured);
        caller.order("dial", &format!("sip:{ENGLISH}@127.0.0.1:{}", office.node.sip));
        assert!(caller.reports("CALL_ESTABLISHED", Duration::from_secs(10)), "not answered");
        thread::sleep(Duration::from_millis(600));
        caller.order("sndcode", "1");
        thread::sleep(Duration::from_secs(6));
        let _talks = office.asterisk.channel("box");
        thread::sleep(Duration::from_secs(2));
        caller.order("sndcode", "5");
        thread::sleep(Duration::from_secs(2));
        caller.order("hold", "");
        thread::sleep(Duration::from_secs(2));
        caller.order("resume", "");
        thread::sleep(Duration::from_secs(2));
        caller.order("sndcode", "6");
        assert!(caller.reports("CALL_CLOSED", Duration::from_secs(20)), "the call does not end");
        assert_eq!(words(&office.ended(1)[0]), "granted bridged recorded");
        // baresip says its first report and its goodbye in the clear; neither is believed.
        agreed(&office, "RTP/SAVP", 2);
        let (left, right) = office.recorded();
        let rx = office.asterisk.heard("rx.wav");
        let ear = caller.heard();
        all_heard(&[
            ("baresip, before the key", seconds(&ear, 440.0), 2.2),
            // Its file of what it hears ends with its hold, with SRTP and without.
            ("baresip, from the key to its hold", seconds(&ear, 600.0), 1.8),
            ("Asterisk", seconds(&rx, 700.0), 6.2),
            ("the left side", seconds(&left, 700.0), 6.2),
            ("the right side, before the key", seconds(&right, 440.0), 2.2),
            ("the right side, after it", seconds(&right, 600.0), 4.0),
            ("both sides with the hold", left.len() as f64 / 8_000.0, 8.2),
        ]);
    }

    /// Needs root: it listens to what goes over loopback.
    mod privileged {
        use support::wiretap::{Datagram, Wiretap};

        use super::*;

        /// Whether a datagram is a packet whose payload, read as A-law, is this tone.
        fn holds(datagram: &Datagram, hz: f64) -> bool {
            let samples = datagram.payload.get(12..172).unwrap_or_default();
            let samples: Vec<_> =
                samples.iter().map(|byte| support::sound::decode_a(*byte)).collect();
            support::sound::level(&samples) > 300.0 && share(&samples, hz) > 0.8
        }

        /// A second caller without SRTP shows that the wire is heard: what he says and hears is on it, on his
        /// leg and nowhere else.
        #[test]
        fn s_03_nothing_of_what_is_said_under_srtp_is_on_the_wire() {
            let change = Change::default().srtp(("offer", true), ("require", true));
            let pbx = Pbx { dialplan: SPEAKS, endpoint: SECURED, ..Pbx::default() };
            let mut office = Office::open(&change, pbx);
            let wire = Wiretap::open(office.node.media.range());
            office.call(Plan::new("+31612345601", "+31201110000").at(0, Act::Speak(700.0)));
            let mut caller = Baresip::start("+31612345609", 770.0, Sound::Secured);
            caller.order("dial", &format!("sip:+31201110000@127.0.0.1:{}", office.node.sip));
            office.over(1, 40);
            assert!(
                caller.reports("CALL_CLOSED", Duration::from_secs(20)),
                "the call does not end"
            );
            let plain = office.callers.of("+31612345601");
            let invite = plain.request("INVITE", false).expect("an INVITE");
            let ear = support::exchange::message::address_of(&invite.text).expect("a place").port();
            let ended = office.ended(2);
            assert!(ended.iter().all(|call| call["outcome"] == "bridged"), "{ended:#?}");
            all_heard(&[
                ("the plain caller", party(&plain, 440.0), 4.9),
                ("baresip", seconds(&caller.heard(), 440.0), 4.9),
            ]);
            let (open, hidden): (Vec<_>, Vec<_>) =
                wire.taken().into_iter().partition(|datagram| datagram.ports.contains(&ear));
            let said =
                |datagrams: &[Datagram], hz| datagrams.iter().filter(|d| holds(d, hz)).count();
            assert!(said(&open, 440.0) > 200 && said(&open, 700.0) > 200, "the wire is not heard");
            for hz in [440.0, 700.0, 770.0] {
                assert_eq!(said(&hidden, hz), 0, "{hz} Hz is on the wire");
            }
            // Three legs, both ways, for five seconds.
            assert!(hidden.len() > 3 * 2 * 200, "{} packets under SRTP", hidden.len());
        }
    }
}
