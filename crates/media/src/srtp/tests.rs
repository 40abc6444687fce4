//! SRTP against another's (`rtc-srtp`), and against what an attacker and a clumsy peer can do.

use rtc_srtp::{
    context::Context,
    option::{srtcp_replay_protection, srtp_replay_protection},
    protection_profile::ProtectionProfile,
};

use super::{
    context::Contexts,
    incoming::Rejected,
    key::{Keys, MasterKey, Suite},
};

const ALL: [Suite; 6] = [
    Suite::AesCm128Sha1_80,
    Suite::AesCm128Sha1_32,
    Suite::AesCm256Sha1_80,
    Suite::AesCm256Sha1_32,
    Suite::AesGcm128,
    Suite::AesGcm256,
];

fn key_of(suite: Suite, seed: u8, mki: &[u8]) -> MasterKey {
    let (key, salt) = suite.lengths();
    let octets: Vec<u8> = (0..key + salt).map(|n| (n as u8).wrapping_mul(29) ^ seed).collect();
    MasterKey::new(suite, &octets, mki).unwrap()
}

fn key(suite: Suite, seed: u8) -> MasterKey {
    key_of(suite, seed, &[])
}

fn keys(suite: Suite, send: u8, receive: u8) -> Keys {
    Keys { send: key(suite, send), receive: key(suite, receive) }
}

/// Ours, and one that hears what ours sends and the other way round.
fn pair(suite: Suite) -> (Contexts, Contexts) {
    (Contexts::new(&keys(suite, 1, 2)), Contexts::new(&keys(suite, 2, 1)))
}

/// The other implementation under the same key.
fn theirs(key: &MasterKey) -> Context {
    let profile = match key.suite() {
        Suite::AesCm128Sha1_80 => ProtectionProfile::Aes128CmHmacSha1_80,
        Suite::AesCm128Sha1_32 => ProtectionProfile::Aes128CmHmacSha1_32,
        Suite::AesCm256Sha1_80 => ProtectionProfile::Aes256CmHmacSha1_80,
        Suite::AesCm256Sha1_32 => ProtectionProfile::Aes256CmHmacSha1_32,
        Suite::AesGcm128 => ProtectionProfile::AeadAes128Gcm,
        Suite::AesGcm256 => ProtectionProfile::AeadAes256Gcm,
    };
    let provider = rtc_crypto::default_provider().unwrap();
    let (octets, salt) = key.parts();
    let windows = (Some(srtp_replay_protection(128)), Some(srtcp_replay_protection(128)));
    Context::new(octets, salt, profile, windows.0, windows.1, provider.crypto()).unwrap()
}

fn packet(sequence: u16, ssrc: u32, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x80, 8];
    packet.extend(sequence.to_be_bytes());
    packet.extend([0, 0, 1, 2]);
    packet.extend(ssrc.to_be_bytes());
    packet.extend(payload);
    packet
}

fn seal(contexts: &mut Contexts, packet: &[u8]) -> Option<Vec<u8>> {
    let mut buffer = packet.to_vec();
    buffer.resize(packet.len() + 16, 0xEE);
    let place = contexts.seal(0..packet.len(), &mut buffer)?;
    Some(buffer[place].to_vec())
}

fn open(contexts: &mut Contexts, sealed: &[u8]) -> Result<Vec<u8>, Rejected> {
    let mut buffer = sealed.to_vec();
    let length = contexts.open(&mut buffer)?;
    Ok(buffer[..length].to_vec())
}

fn seal_report(contexts: &mut Contexts, report: &[u8]) -> Vec<u8> {
    let mut buffer = report.to_vec();
    buffer.resize(report.len() + 20, 0xEE);
    let length = contexts.seal_report(report.len(), &mut buffer).unwrap();
    buffer[..length].to_vec()
}

fn open_report(contexts: &mut Contexts, sealed: &[u8]) -> Result<Vec<u8>, Rejected> {
    let mut buffer = sealed.to_vec();
    let length = contexts.open_report(&mut buffer)?;
    Ok(buffer[..length].to_vec())
}

const REPORT: [u8; 32] = [
    0x81, 201, 0, 7, 0, 0, 0, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19,
    20, 21, 22, 23, 24,
];

#[test]
fn s_06_in_every_suite_our_packets_are_anothers_octet_for_octet_also_round_the_circle() {
    for suite in ALL {
        let (mut ours, _) = pair(suite);
        let (mut sends, mut hears) = (theirs(&key(suite, 2)), theirs(&key(suite, 1)));
        let mut same = theirs(&key(suite, 1));
        for n in 0..400_u32 {
            // Twice round, most of the way by leaps: what lies between is lost.
            let step = n * 331;
            let mut plain = packet(step as u16, 77, &vec![n as u8; n as usize % 200]);
            match n % 4 {
                // Two contributing sources; an extension of one word.
                1 => {
                    plain[0] |= 2;
                    plain.splice(12..12, [9; 8]);
                }
                2 => {
                    plain[0] |= 0x10;
                    plain.splice(12..12, [0xAB, 0xCD, 0, 1, 1, 2, 3, 4]);
                }
                _ => {}
            }
            let sealed = seal(&mut ours, &plain).unwrap();
            assert_eq!(sealed, same.encrypt_rtp(&plain).unwrap(), "{suite:?} {n}");
            assert_eq!(hears.decrypt_rtp(&sealed).unwrap(), plain);
            let other = sends.encrypt_rtp(&plain).unwrap();
            assert_eq!(open(&mut ours, &other).unwrap(), plain, "{suite:?} {n}");
        }
    }
}

#[test]
fn s_06_in_every_suite_reports_are_understood_both_ways() {
    for suite in ALL {
        let (mut ours, _) = pair(suite);
        let (mut sends, mut hears) = (theirs(&key(suite, 2)), theirs(&key(suite, 1)));
        for n in 0..200_u8 {
            let report = REPORT.map(|octet| if octet == 24 { n } else { octet });
            let sealed = seal_report(&mut ours, &report);
            assert_eq!(hears.decrypt_rtcp(&sealed).unwrap(), report.to_vec(), "{suite:?} {n}");
            let other = sends.encrypt_rtcp(&report).unwrap();
            assert_eq!(open_report(&mut ours, &other).unwrap(), report.to_vec(), "{suite:?} {n}");
        }
    }
}

#[test]
fn s_06_what_is_changed_anywhere_is_not_opened_and_leaves_the_right_one_welcome() {
    for suite in ALL {
        let (mut one, mut other) = pair(suite);
        let sealed = seal(&mut one, &packet(5, 77, &[3; 24])).unwrap();
        let report = seal_report(&mut one, &REPORT);
        for bit in 0..sealed.len() * 8 {
            let mut changed = sealed.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(open(&mut other, &changed).is_err(), "{suite:?} bit {bit}");
        }
        for bit in 0..report.len() * 8 {
            let mut changed = report.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(open_report(&mut other, &changed).is_err(), "{suite:?} bit {bit}");
        }
        for length in 0..sealed.len() {
            assert!(open(&mut other, &sealed[..length]).is_err(), "{suite:?} {length}");
        }
        for length in 0..report.len() {
            assert!(open_report(&mut other, &report[..length]).is_err(), "{suite:?} {length}");
        }
        assert!(open(&mut other, &sealed).is_ok() && open_report(&mut other, &report).is_ok());
    }
}

#[test]
fn s_06_a_report_that_says_it_is_not_encrypted_is_not_believed() {
    for suite in ALL {
        let (mut one, mut other) = pair(suite);
        let mut report = seal_report(&mut one, &REPORT);
        // What another implementation takes without looking at the tag.
        let word = report.len() - if suite.is_aead() { 4 } else { 14 };
        report[word] &= 0x7F;
        report[8..32].copy_from_slice(&REPORT[8..]);
        assert_eq!(open_report(&mut other, &report), Err(Rejected::Unauthentic));
    }
}

#[test]
fn s_06_a_packet_and_a_report_are_taken_once() {
    for suite in ALL {
        let (mut one, mut other) = pair(suite);
        let sealed =
            (65_400..65_700_u32).map(|n| seal(&mut one, &packet(n as u16, 77, &[1; 20])).unwrap());
        let sealed = sealed.collect::<Vec<_>>();
        for (n, packet) in sealed.iter().enumerate() {
            assert!(open(&mut other, packet).is_ok(), "{suite:?} {n}");
            assert_eq!(open(&mut other, packet), Err(Rejected::Replayed), "{suite:?} {n}");
        }
        for packet in &sealed {
            assert_eq!(open(&mut other, packet), Err(Rejected::Replayed));
        }
        let report = seal_report(&mut one, &REPORT);
        assert!(open_report(&mut other, &report).is_ok());
        assert_eq!(open_report(&mut other, &report), Err(Rejected::Replayed));
    }
}

#[test]
fn s_06_no_number_is_sent_twice_whatever_it_carries() {
    let (mut one, mut other) = pair(Suite::AesGcm128);
    let first = seal(&mut one, &packet(10, 77, &[1; 20])).unwrap();
    assert_eq!(seal(&mut one, &packet(10, 77, &[2; 20])), None, "one key stream, two texts");
    assert!(seal(&mut one, &packet(12, 77, &[2; 20])).is_some());
    assert!(seal(&mut one, &packet(11, 77, &[2; 20])).is_some(), "out of order is not twice");
    assert_eq!(seal(&mut one, &packet(11, 77, &[3; 20])), None);
    assert!(open(&mut other, &first).is_ok());
    // And without room behind it nothing is sent at all.
    let mut narrow = packet(13, 77, &[1; 20]);
    let length = narrow.len();
    assert_eq!(one.seal(0..length, &mut narrow), None);
    assert_eq!(narrow, packet(13, 77, &[1; 20]), "it is not half encrypted either");
}

#[test]
fn s_06_a_new_source_begins_anew_and_the_old_one_cannot_be_played_back() {
    let (mut one, mut other) = pair(Suite::AesCm128Sha1_80);
    let mut old = Vec::new();
    for n in (0..70_000_u32).step_by(10) {
        let sealed = seal(&mut one, &packet(n as u16, 77, &[1; 4])).unwrap();
        assert!(open(&mut other, &sealed).is_ok());
        old.push(sealed);
    }
    // The peer's next source counts from where it likes, in its first round.
    let mut fresh = Contexts::new(&keys(Suite::AesCm128Sha1_80, 1, 2));
    let sealed = seal(&mut fresh, &packet(40_000, 78, &[1; 4])).unwrap();
    assert!(open(&mut other, &sealed).is_ok());
    for packet in [&old[0], &old[4_000], &old[6_999]] {
        assert!(open(&mut other, packet).is_err());
    }
    // The old one goes on in its second round.
    let sealed = seal(&mut one, &packet(70_000_u32 as u16, 77, &[1; 4])).unwrap();
    assert!(open(&mut other, &sealed).is_ok());
}

#[test]
fn s_06_a_source_whose_first_packets_before_the_turn_were_lost_is_found() {
    let (mut one, mut other) = pair(Suite::AesGcm256);
    for sequence in [65_534, 65_535] {
        let _lost = seal(&mut one, &packet(sequence, 77, &[1; 4])).unwrap();
    }
    for sequence in [3, 4] {
        let sealed = seal(&mut one, &packet(sequence, 77, &[1; 4])).unwrap();
        assert!(open(&mut other, &sealed).is_ok(), "{sequence}");
    }
}

#[test]
fn s_06_a_new_key_counts_at_once_from_the_first_round_or_on() {
    let suite = Suite::AesCm128Sha1_80;
    for goes_on in [false, true] {
        let (mut one, mut other) = pair(suite);
        for n in (0..200_000_u32).step_by(20_000) {
            let sealed = seal(&mut one, &packet(n as u16, 77, &[1; 4])).unwrap();
            assert!(open(&mut other, &sealed).is_ok(), "{n}");
        }
        let late = seal(&mut one, &packet(181_000_u32 as u16, 77, &[1; 4])).unwrap();
        other.renew(&keys(suite, 2, 9));
        assert_eq!(open(&mut other, &late), Err(Rejected::Unauthentic), "the old key");
        // RFC 4568 §7.1.4 begins anew, RFC 3711 §3.3.1 goes on.
        let mut next = theirs(&key(suite, 9));
        if goes_on {
            for n in (0..200_000_u32).step_by(20_000) {
                next.encrypt_rtp(&packet(n as u16, 77, &[1; 4])).unwrap();
            }
        }
        for n in 200_000..200_010_u32 {
            let sealed = next.encrypt_rtp(&packet(n as u16, 77, &[1; 4])).unwrap();
            assert!(open(&mut other, &sealed).is_ok(), "{goes_on} {n}");
        }
        // What was agreed on again without a new key goes on, and still nothing counts twice.
        let sealed = next.encrypt_rtp(&packet(200_010_u32 as u16, 77, &[1; 4])).unwrap();
        assert!(open(&mut other, &sealed).is_ok());
        other.renew(&keys(suite, 2, 9));
        assert_eq!(open(&mut other, &sealed), Err(Rejected::Replayed));
    }
}

#[test]
fn s_06_our_own_key_that_stays_goes_on_and_another_begins() {
    let suite = Suite::AesGcm128;
    let (mut one, mut other) = pair(suite);
    let first = seal(&mut one, &packet(10, 77, &[1; 4])).unwrap();
    one.renew(&keys(suite, 1, 7));
    assert_eq!(seal(&mut one, &packet(10, 77, &[2; 4])), None, "the key is the same");
    one.renew(&keys(suite, 3, 7));
    let renewed = seal(&mut one, &packet(10, 77, &[1; 4])).unwrap();
    assert_ne!(first, renewed);
    assert!(open(&mut other, &renewed).is_err());
    other.renew(&keys(suite, 2, 3));
    assert!(open(&mut other, &renewed).is_ok());
}

#[test]
fn s_03_an_identifier_of_the_key_is_read_and_must_be_right() {
    for suite in ALL {
        let mut one = Contexts::new(&keys(suite, 1, 2));
        let receive = key_of(suite, 1, &[0, 0, 0, 7]);
        let mut other = Contexts::new(&Keys { send: key(suite, 2), receive });
        let with = |sealed: &[u8], behind: usize, mki: [u8; 4]| {
            let mut sealed = sealed.to_vec();
            sealed.splice(sealed.len() - behind..sealed.len() - behind, mki);
            sealed
        };
        let plain = packet(9, 77, &[5; 30]);
        let sealed = seal(&mut one, &plain).unwrap();
        let report = seal_report(&mut one, &REPORT);
        let (behind, behind_report) =
            if suite.is_aead() { (0, 0) } else { (suite.tag(), suite.report_tag()) };
        let wrong = with(&sealed, behind, [0, 0, 0, 8]);
        assert_eq!(open(&mut other, &wrong), Err(Rejected::Unauthentic));
        assert_eq!(open(&mut other, &sealed), Err(Rejected::Unauthentic), "none at all");
        let right = with(&sealed, behind, [0, 0, 0, 7]);
        assert_eq!(open(&mut other, &right).as_deref(), Ok(&plain[..]), "{suite:?}");
        let right = with(&report, behind_report, [0, 0, 0, 7]);
        assert_eq!(open_report(&mut other, &right).as_deref(), Ok(&REPORT[..]), "{suite:?}");
    }
}

#[test]
fn a_peer_with_ever_new_sources_is_heard_no_more_rather_than_believed_twice() {
    let (_, mut other) = pair(Suite::AesGcm128);
    let mut sends = theirs(&key(Suite::AesGcm128, 1));
    let heard = (0..100_u32)
        .filter(|ssrc| {
            let sealed = sends.encrypt_rtp(&packet(1, *ssrc, &[1; 4])).unwrap();
            open(&mut other, &sealed).is_ok()
        })
        .count();
    assert_eq!(heard, 32);
}

#[test]
fn random_bytes_are_never_opened_and_never_panic() {
    let mut chance = 0x1234_5678_9ABC_DEF1_u64;
    let mut next = || {
        chance ^= chance << 13;
        chance ^= chance >> 7;
        chance ^= chance << 17;
        chance
    };
    for suite in ALL {
        let (_, mut other) = pair(suite);
        for _ in 0..4_000 {
            let length = next() as usize % 80;
            let mut bytes: Vec<u8> = (0..length).map(|_| next() as u8).collect();
            if let Some(first) = bytes.first_mut() {
                *first = 0x80 | (*first & 0x1F);
            }
            assert!(open(&mut other, &bytes).is_err() && open_report(&mut other, &bytes).is_err());
        }
    }
}
