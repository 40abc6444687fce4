//! Who may send, and the reports that both sides exchange.

use call::{Connection, Party};
use media::{Channel, Dropped, Event, Format, Remote, Verdict, parse_rtcp};

use crate::stage::{AGENT, CUSTOMER, START, Stage, address, ms, remote};

#[test]
fn s_01_packets_of_strangers_are_dropped_and_counted() {
    let mut stage = Stage::bare();
    stage.connect(Connection::Bridged);
    let right = address(Party::Customer);
    let mut wrong = [right; 2];
    wrong[0].set_port(4_002);
    wrong[1].set_ip([192, 0, 2, 2].into());
    for from in wrong {
        let mut bytes = stage.customer.raw(8, false, &[9; 160]);
        let verdict = stage.receive(Party::Customer, from, &mut bytes);
        assert_eq!(verdict, Verdict::Drop(Dropped::Foreign));
    }
    // A socket for both families writes an IPv4 address this way.
    let mapped = "[::ffff:192.0.2.1]:4000".parse().unwrap();
    let mut bytes = stage.customer.raw(8, false, &[9; 160]);
    let verdict = stage.receive(Party::Customer, mapped, &mut bytes);
    assert!(matches!(verdict, Verdict::Forward(_)), "{verdict:?}");
    let stats = stage.relay.stats().customer;
    assert_eq!((stats.foreign, stats.received), (2, 1));
}

#[test]
fn what_is_not_agreed_goes_nowhere() {
    let mut stage = Stage::bare();
    stage.connect(Connection::Bridged);
    let phone = &mut stage.customer;
    let (comfort_noise, empty) = (phone.raw(13, false, &[70]), phone.raw(8, false, &[]));
    let (other_codec, report) = (phone.raw(0, false, &[0xFF; 160]), vec![0x80, 200, 0, 1]);
    assert_eq!(stage.send(Party::Customer, comfort_noise), Verdict::Drop(Dropped::UnknownFormat));
    assert_eq!(stage.send(Party::Customer, empty), Verdict::Drop(Dropped::Malformed));
    assert_eq!(stage.send(Party::Customer, report), Verdict::Drop(Dropped::Malformed));
    // The other G.711 is understood and becomes the other leg's codec.
    assert!(matches!(stage.send(Party::Customer, other_codec), Verdict::Forward(_)));
    assert_eq!(stage.agent.heard.last().unwrap().header.payload_type, 8);
    assert_eq!(stage.agent.heard.last().unwrap().payload, [0xD5; 160]);
    let stats = stage.relay.stats().customer;
    assert_eq!((stats.unknown_format, stats.malformed), (1, 2));
}

#[test]
fn b_29_comfort_noise_is_no_loss_to_either_side() {
    let mut stage = Stage::bare();
    stage.connect(Connection::Bridged);
    for n in 0..20 {
        let noise = n % 3 == 0;
        let (payload_type, length) = if noise { (13, 1) } else { (8, 160) };
        let bytes = stage.customer.raw(payload_type, false, &[70; 160][..length]);
        let forwarded = matches!(stage.send(Party::Customer, bytes), Verdict::Forward(_));
        assert_eq!(forwarded, !noise);
        stage.run(ms(20));
    }
    assert_eq!(stage.relay.stats().customer.lost, 0);
    let heard = &stage.agent.heard;
    assert!(heard.windows(2).all(|p| p[1].header.sequence == p[0].header.sequence.wrapping_add(1)));
}

#[test]
fn b_29_comfort_noise_is_relayed_to_who_knows_it_under_its_own_number() {
    let mut stage = Stage::bare();
    let knows = |party, format, noise| Remote { noise: Some(noise), ..remote(party, format) };
    stage.relay.set_remote(START, Party::Customer, knows(Party::Customer, CUSTOMER, (13, 13)));
    stage.relay.set_remote(START, Party::Agent, knows(Party::Agent, AGENT, (97, 98)));
    stage.connect(Connection::Bridged);
    for n in 0..20 {
        let noise = n % 5 == 0;
        let (payload_type, length) = if noise { (13, 1) } else { (8, 160) };
        let bytes = stage.customer.raw(payload_type, false, &[70; 160][..length]);
        assert!(matches!(stage.send(Party::Customer, bytes), Verdict::Forward(_)));
        stage.run(ms(20));
    }
    let heard = &stage.agent.heard;
    let noise: Vec<_> = heard.iter().filter(|packet| packet.header.payload_type == 97).collect();
    assert!(noise.len() == 4 && noise.iter().all(|packet| packet.payload == [70]));
    for pair in heard.windows(2) {
        let (a, b) = (&pair[0].header, &pair[1].header);
        assert_eq!(b.sequence, a.sequence.wrapping_add(1));
        assert_eq!(b.timestamp, a.timestamp.wrapping_add(160));
    }
    assert_eq!(stage.relay.stats().customer.unknown_format, 0);
}

#[test]
fn b_34_a_packet_from_before_the_stream_began_is_late_and_counted() {
    let mut stage = Stage::bare();
    stage.connect(Connection::Bridged);
    let packets = [(); 3].map(|()| stage.customer.raw(8, false, &[1; 160]));
    let [first, second, third] = packets;
    assert!(matches!(stage.send(Party::Customer, third), Verdict::Forward(_)));
    assert_eq!(stage.send(Party::Customer, second), Verdict::Drop(Dropped::Late));
    assert_eq!(stage.send(Party::Customer, first), Verdict::Drop(Dropped::Late));
    assert_eq!(stage.relay.stats().customer.late, 2);
}

#[test]
fn nothing_passes_before_the_parties_are_connected() {
    let mut stage = Stage::bare();
    stage.agent.say(stage.now, 1);
    stage.customer.say(stage.now, 2);
    stage.run(ms(200));
    assert!(stage.agent.heard.is_empty() && stage.customer.heard.is_empty());
    assert_eq!(stage.relay.stats().agent.received, 10);
}

/// Runs the stage, collects the reports that leave and counts the packets of sound.
fn reports(stage: &mut Stage, seconds: u64) -> (Vec<(Party, Vec<u8>)>, u32) {
    let (mut reports, mut sound) = (Vec::new(), 0);
    let mut scratch = [0; 256];
    for _ in 0..seconds * 50 {
        stage.now = stage.now + ms(20);
        while let Some(transmit) = stage.relay.poll_transmit(stage.now, &mut scratch) {
            match transmit.channel {
                Channel::Rtcp => {
                    assert_eq!(transmit.to.port(), 4_001);
                    reports.push((transmit.party, scratch[transmit.bytes].to_vec()));
                }
                Channel::Rtp => sound += 1,
            }
        }
    }
    (reports, sound)
}

#[test]
fn b_31_each_leg_reports_for_itself_answers_the_peers_report_and_says_goodbye() {
    let mut stage = Stage::bare();
    stage.relay.hush(START);
    let mut bytes = stage.customer.raw(8, false, &[9; 160]);
    let _heard = stage.receive(Party::Customer, stage.customer.from, &mut bytes);
    let (first, _) = reports(&mut stage, 60);
    let of = |party| first.iter().filter(|(who, _)| *who == party).count();
    assert!((9..=17).contains(&of(Party::Customer)), "{}", of(Party::Customer));
    assert!((9..=17).contains(&of(Party::Agent)));
    // The customer hears silence, so we are a sender there; to the agent nothing is sent.
    let (_, customer) = first.iter().find(|(who, _)| *who == Party::Customer).unwrap();
    assert_eq!(customer[1], 200);
    let (_, agent) = first.iter().find(|(who, _)| *who == Party::Agent).unwrap();
    assert_eq!(agent[1], 201);
    // Our report comes back to us as the peer's: it is read, and answered with its time.
    let told = parse_rtcp(customer, 0).unwrap();
    let rtcp = remote(Party::Customer, CUSTOMER).rtcp;
    stage.report(rtcp, customer);
    stage.report(rtcp, &customer[..7]);
    stage.report("10.0.0.1:9".parse().unwrap(), customer);
    let stats = stage.relay.stats().customer;
    assert_eq!((stats.reports, stats.malformed_reports, stats.foreign), (1, 1, 1));
    // The peer's report about our stream, which it knows by our source.
    let mut about_us = vec![0x81, 201, 0, 7, 0, 0, 0, 9, 0xF0, 0xF0, 0xF0, 0xF0, 77];
    about_us.resize(32, 0);
    stage.report(rtcp, &about_us);
    assert_eq!(stage.relay.stats().customer.peer_fraction_lost, 77);
    let (next, _) = reports(&mut stage, 10);
    let (_, answer) = next.iter().find(|(who, _)| *who == Party::Customer).unwrap();
    let block = parse_rtcp(answer, stage.customer.ssrc).unwrap().about_us.unwrap();
    assert_eq!(Some(block.last_report), told.sender.map(|(_, middle)| middle));
    stage.relay.close(stage.now);
    let (last, sound) = reports(&mut stage, 30);
    assert_eq!(sound, 0, "nothing sounds after the goodbye");
    assert_eq!(last.len(), 2);
    assert!(last.iter().all(|(_, bytes)| parse_rtcp(bytes, 0).unwrap().goodbye));
    stage.take_events();
    assert!(matches!(stage.events.last(), Some(Event::Closed(_))));
}

#[test]
fn d_09_each_side_is_sent_what_it_declared_and_understood_by_what_we_declared() {
    let mut stage = Stage::bare();
    let odd = Remote {
        send: Format { event_payload_type: Some(97), ..AGENT },
        receive: Format { event_payload_type: Some(110), ..AGENT },
        ..remote(Party::Agent, AGENT)
    };
    stage.relay.set_remote(stage.now, Party::Agent, odd);
    stage.agent.format = odd.receive;
    stage.connect(Connection::Bridged);
    stage.press(Party::Customer, 5);
    let sent: Vec<u8> = stage.agent.heard.iter().map(|p| p.header.payload_type).collect();
    assert!(sent.iter().filter(|pt| **pt == 97).count() == 6, "{sent:?}");
    stage.press(Party::Agent, 6);
    let sent: Vec<u8> = stage.customer.heard.iter().map(|p| p.header.payload_type).collect();
    assert!(sent.iter().filter(|pt| **pt == 96).count() == 6, "{sent:?}");
    stage.press(Party::Agent, 7);
    assert_eq!(stage.keys(), "567");
    let stats = stage.relay.stats();
    assert_eq!((stats.customer.presses, stats.agent.presses), (1, 2));
}
