//! What is said is what is heard: order, gaps, hold, codecs, metadata, export.

use std::io::Cursor;

use call::{Parties, Party};
use vault::*;

use crate::support::*;

const A: [Codec; 2] = [Codec::Pcma; 2];

#[test]
fn every_codec_comes_back_sample_for_sample() {
    let pairs = [A, [Codec::Pcmu; 2], [Codec::Pcm16; 2], [Codec::Pcmu, Codec::Pcma]];
    let uneven =
        [[Codec::Pcma, Codec::Pcm16], [Codec::Pcm16Wide; 2], [Codec::Pcm16Wide, Codec::Pcmu]];
    for codecs in pairs.into_iter().chain(uneven) {
        let mut bench = Bench::new();
        let samples = 8_000 * 3 + 1_234;
        bench.record(RECORDING, codecs, samples);
        let (sealed, object) = bench.store(RECORDING);
        assert_eq!(sealed.manifest.codecs, Some(codecs));
        assert_eq!((sealed.manifest.samples, sealed.manifest.missing_samples), (samples, 0));
        assert_eq!((sealed.seconds, sealed.length), (4, object.len() as u64));
        let heard = listen(&object, slip());
        for (at, sample) in (0..).zip(heard) {
            assert_eq!(sample, said(codecs, at), "{codecs:?} at {at}");
        }
        let report = verify(&object, &bench.trust()).unwrap();
        assert_eq!(report.findings, []);
        assert!(report.is_proved());
        assert_eq!((report.opened, report.erased, report.cut), (5, 0, 0));
    }
}

#[test]
fn packets_in_any_order_within_130_ms_make_the_same_sound() {
    let mut bench = Bench::new();
    let (permit, _call) = granted(RECORDING, Parties::BOTH);
    let config = WriterConfig { codecs: A, metadata: metadata() };
    let mut writer = Writer::create(&permit, seed(), &config).unwrap();
    let mut dice = Dice(20_261_122);
    // Each packet of 10 to 40 ms arrives up to 90 ms late, some twice.
    let mut packets = Vec::new();
    for party in [Party::Customer, Party::Agent] {
        let mut at = 0;
        while at < 40_000 {
            let count = [80, 160, 240, 320][dice.below(4) as usize].min(40_000 - at);
            let copies = 1 + u64::from(dice.below(10) == 0);
            packets.extend((0..copies).map(|_| (at + count + dice.below(720), party, at, count)));
            at += count;
        }
    }
    packets.sort_by_key(|(arrives, ..)| *arrives);
    for (arrives, party, at, count) in packets {
        writer.advance(arrives).unwrap();
        writer.push(party, at, Codec::Pcma, &payload(party, Codec::Pcma, at, count)).unwrap();
        bench.drain(&mut writer);
    }
    assert_eq!(writer.dropped_samples(), 0);
    bench.finish(writer, 40_000);
    let (sealed, object) = bench.store(RECORDING);
    assert_eq!(sealed.manifest.missing_samples, 0);
    for (at, sample) in (0..).zip(listen(&object, slip())) {
        assert_eq!(sample, said(A, at), "at {at}");
    }
}

#[test]
fn what_did_not_come_is_silence_and_listed() {
    let mut bench = Bench::new();
    let (permit, _call) = granted(RECORDING, Parties::BOTH);
    let config = WriterConfig { codecs: [Codec::Pcma, Codec::Pcmu], metadata: metadata() };
    let mut writer = Writer::create(&permit, seed(), &config).unwrap();
    // The customer is lost from 1,000 to 1,100 and comes too late at 2,000; the agent is silent
    // until 1,600.
    let came = |party, at: u64| match party {
        Party::Customer => !(1_000..1_100).contains(&at) && !(2_000..2_040).contains(&at),
        Party::Agent => at >= 1_600,
    };
    for at in (0..12_000).step_by(20) {
        writer.advance(at).unwrap();
        for (party, codec) in [(Party::Customer, Codec::Pcma), (Party::Agent, Codec::Pcmu)] {
            if came(party, at) {
                writer.push(party, at, codec, &payload(party, codec, at, 20)).unwrap();
            }
        }
        if at == 4_000 {
            let late = payload(Party::Customer, Codec::Pcma, 2_000, 40);
            writer.push(Party::Customer, 2_000, Codec::Pcma, &late).unwrap();
        }
    }
    assert_eq!(writer.dropped_samples(), 40);
    bench.finish(writer, 12_000);
    let (sealed, object) = bench.store(RECORDING);
    assert_eq!(sealed.manifest.missing_samples, 100 + 40 + 1_600);
    let mut reader = Reader::open(Cursor::new(&object), slip()).unwrap();
    let Heard::Sound(second) = reader.second(0).unwrap() else { panic!("second 0 is there") };
    let gap = |channel, first, samples| Gap { channel, reason: Absence::NoAudio, first, samples };
    let mut gaps = second.gaps.clone();
    gaps.sort_by_key(|gap| (gap.channel, gap.first));
    assert_eq!(gaps, [gap(0, 1_000, 100), gap(0, 2_000, 40), gap(1, 0, 1_600)]);
    let peaks = second.peaks.unwrap();
    assert_eq!(peaks[1][..4], [0; 4], "the agent was silent for 200 ms");
    let loudest = |from: u64| {
        (from..from + 400).map(|at| spoken(Party::Agent, Codec::Pcmu, at).unsigned_abs()).max()
    };
    assert_eq!(Some(peaks[1][4]), loudest(1_600));
    assert_eq!(Some(peaks[1][19]), loudest(7_600));
    let [a, u] = [Codec::Pcma, Codec::Pcmu].map(|codec| codec.decode(codec.silence()));
    for (at, [customer, agent]) in (0..).zip(listen(&object, slip())) {
        let expected = |party, codec, silence| {
            if came(party, at) { spoken(party, codec, at) } else { silence }
        };
        assert_eq!(customer, expected(Party::Customer, Codec::Pcma, a), "customer at {at}");
        assert_eq!(agent, expected(Party::Agent, Codec::Pcmu, u), "agent at {at}");
    }
}

#[test]
fn more_gaps_than_can_be_listed_are_all_within_a_listed_one() {
    let mut bench = Bench::new();
    let (permit, _call) = granted(RECORDING, Parties::BOTH);
    let config = WriterConfig { codecs: A, metadata: metadata() };
    let mut writer = Writer::create(&permit, seed(), &config).unwrap();
    // Holes of 9 samples: those of 8 are joints and no gaps.
    let missing = |at: u64| at % 12 >= 3;
    for at in 0..8_000 {
        if !missing(at) {
            let sound = payload(Party::Customer, Codec::Pcma, at, 1);
            writer.push(Party::Customer, at, Codec::Pcma, &sound).unwrap();
        }
        let sound = payload(Party::Agent, Codec::Pcma, at, 1);
        writer.push(Party::Agent, at, Codec::Pcma, &sound).unwrap();
    }
    bench.finish(writer, 8_000);
    let (sealed, object) = bench.store(RECORDING);
    assert_eq!(
        sealed.manifest.missing_samples,
        (0..8_000).filter(|at| missing(*at)).count() as u64
    );
    let mut reader = Reader::open(Cursor::new(&object), slip()).unwrap();
    let Heard::Sound(second) = reader.second(0).unwrap() else { panic!("second 0 is there") };
    assert_eq!(second.gaps.len(), 50);
    let listed = |at| {
        let within = |gap: &Gap| (gap.first..gap.first + gap.samples).contains(&at);
        second.gaps.iter().any(|gap| gap.channel == 0 && within(gap))
    };
    assert!((0..8_000).filter(|at| missing(u64::from(*at))).all(listed));
}

#[test]
fn b_34_a_hole_of_a_millisecond_between_packets_is_a_joint_and_no_gap() {
    let mut bench = Bench::new();
    let (permit, _call) = granted(RECORDING, Parties::BOTH);
    let config = WriterConfig { codecs: A, metadata: metadata() };
    let mut writer = Writer::create(&permit, seed(), &config).unwrap();
    let code = Codec::Pcma.encode(1_000) as u8;
    for n in 0..47 {
        // The customer's packets leave 8 samples between them, the agent's 9.
        for (party, hole) in [(Party::Customer, 8), (Party::Agent, 9)] {
            writer.push(party, n * 168, Codec::Pcma, &[code; 168][..168 - hole]).unwrap();
        }
    }
    bench.finish(writer, 7_896 - 9);
    let (sealed, object) = bench.store(RECORDING);
    assert_eq!(sealed.manifest.missing_samples, 46 * 9);
    let mut reader = Reader::open(Cursor::new(&object), slip()).unwrap();
    let Heard::Sound(second) = reader.second(0).unwrap() else { panic!("second 0 is there") };
    assert_eq!(second.gaps.len(), 46);
    assert!(second.gaps.iter().all(|gap| gap.channel == 1 && gap.samples == 9));
    let said = Codec::Pcma.decode(u16::from(code));
    assert!(second.pcm[0][..7_880].iter().all(|customer| *customer == said));
}

#[test]
fn l_03_what_is_heard_of_late_takes_what_is_not_sealed_yet_with_it() {
    let mut bench = Bench::new();
    let (permit, _call) = granted(RECORDING, Parties::BOTH);
    let config = WriterConfig { codecs: A, metadata: metadata() };
    let mut writer = Writer::create(&permit, seed(), &config).unwrap();
    for at in (0..24_000).step_by(160) {
        if at == 12_000 {
            writer.pause_since(12_000, Absence::NoAgent);
        }
        if at == 16_000 {
            writer.resume(16_000);
        }
        for party in [Party::Customer, Party::Agent] {
            let sound = payload(party, Codec::Pcma, at, 160);
            writer.push(party, at, Codec::Pcma, &sound).unwrap();
        }
        writer.advance(at + 160).unwrap();
        bench.drain(&mut writer);
    }
    bench.finish(writer, 24_000);
    let (sealed, object) = bench.store(RECORDING);
    assert_eq!(sealed.manifest.missing_samples, 0, "it is no loss");
    let silence = Codec::Pcma.decode(Codec::Pcma.silence());
    // 120 ms before the word came are gone, and what comes late from there stays out.
    for (at, sample) in (0..).zip(listen(&object, slip())) {
        let expected = if (11_040..16_000).contains(&at) { [silence; 2] } else { said(A, at) };
        assert_eq!(sample, expected, "at {at}");
    }
}

#[test]
fn l_03_what_is_said_on_hold_is_not_recorded_and_is_no_loss() {
    let mut bench = Bench::new();
    let (permit, _call) = granted(RECORDING, Parties::BOTH);
    let config = WriterConfig { codecs: A, metadata: metadata() };
    let mut writer = Writer::create(&permit, seed(), &config).unwrap();
    let held = 12_000..36_100;
    for at in (0..48_000).step_by(160) {
        if at == 12_000 {
            writer.pause(12_000, Absence::Hold);
        }
        if at == 36_000 {
            writer.resume(36_100);
        }
        for party in [Party::Customer, Party::Agent] {
            let sound = payload(party, Codec::Pcma, at, 160);
            writer.push(party, at, Codec::Pcma, &sound).unwrap();
        }
        writer.advance(at + 160).unwrap();
        bench.drain(&mut writer);
    }
    bench.finish(writer, 48_000);
    let (sealed, object) = bench.store(RECORDING);
    assert_eq!(sealed.manifest.missing_samples, 0);
    let mut reader = Reader::open(Cursor::new(&object), slip()).unwrap();
    let states: Vec<State> = reader.rows().iter().map(|row| row.state).collect();
    let (here, hold) = (State::Sealed, State::Absent(Absence::Hold));
    assert_eq!(states, [here, here, hold, hold, here, here, here]);
    assert!(matches!(reader.second(2).unwrap(), Heard::Absent(Absence::Hold)));
    let silence = Codec::Pcma.decode(Codec::Pcma.silence());
    for (at, sample) in (0..).zip(listen(&object, slip())) {
        let expected = match at {
            16_000..32_000 => [0; 2],
            _ if held.contains(&at) => [silence; 2],
            _ => said(A, at),
        };
        assert_eq!(sample, expected, "at {at}");
    }
}

#[test]
fn a_party_that_may_not_be_heard_is_silence() {
    let mut bench = Bench::new();
    let (permit, _call) = granted(RECORDING, Parties { customer: false, agent: true });
    let config = WriterConfig { codecs: A, metadata: metadata() };
    let mut writer = Writer::create(&permit, seed(), &config).unwrap();
    for party in [Party::Customer, Party::Agent] {
        writer.push(party, 0, Codec::Pcma, &payload(party, Codec::Pcma, 0, 1_600)).unwrap();
    }
    bench.drain(&mut writer);
    bench.finish(writer, 1_600);
    let (sealed, object) = bench.store(RECORDING);
    assert_eq!(sealed.manifest.missing_samples, 0);
    let silence = Codec::Pcma.decode(Codec::Pcma.silence());
    for (at, [customer, agent]) in (0..).zip(listen(&object, slip())) {
        assert_eq!((customer, agent), (silence, spoken(Party::Agent, Codec::Pcma, at)));
    }
}

#[test]
fn segments_leave_by_time_even_when_nobody_sends_any_more() {
    let (permit, _call) = granted(RECORDING, Parties::BOTH);
    let config = WriterConfig { codecs: A, metadata: metadata() };
    let mut writer = Writer::create(&permit, seed(), &config).unwrap();
    assert_eq!(writer.poll_record().map(|record| record.chunk), Some(METADATA_CHUNK));
    for party in [Party::Customer, Party::Agent] {
        writer.push(party, 0, Codec::Pcma, &payload(party, Codec::Pcma, 0, 160)).unwrap();
    }
    let first_at = (0..8_000).step_by(20).find(|now| {
        writer.advance(*now).unwrap();
        writer.poll_record().is_some()
    });
    // 20 ms of sound wait for at most a segment of whole frames and the reorder window.
    assert!(first_at.is_some_and(|at| at <= 8 * (260 + 150)), "{first_at:?}");
}

#[test]
fn a_codec_that_changes_within_a_second_is_heard_unchanged() {
    let mut bench = Bench::new();
    let (permit, _call) = granted(RECORDING, Parties::BOTH);
    let config = WriterConfig { codecs: A, metadata: metadata() };
    let mut writer = Writer::create(&permit, seed(), &config).unwrap();
    for at in (0..24_000).step_by(160) {
        let codec = if at < 12_000 { Codec::Pcma } else { Codec::Pcm16 };
        for party in [Party::Customer, Party::Agent] {
            // Values that both codecs can say exactly.
            let mut bytes = Vec::new();
            for place in at..at + 160 {
                let value = spoken(party, Codec::Pcma, place);
                bytes.extend_from_slice(&codec.encode(value).to_le_bytes()[..codec.width()]);
            }
            writer.push(party, at, codec, &bytes).unwrap();
        }
        writer.advance(at + 160).unwrap();
    }
    bench.finish(writer, 24_000);
    let (_, object) = bench.store(RECORDING);
    let mut reader = Reader::open(Cursor::new(&object), slip()).unwrap();
    let codecs: Vec<_> = (0..3)
        .map(|chunk| match reader.second(chunk).unwrap() {
            Heard::Sound(second) => second.codecs,
            Heard::Absent(_) | Heard::Erased => panic!("second {chunk} is there"),
        })
        .collect();
    assert_eq!(codecs, [A, A, [Codec::Pcm16; 2]]);
    for (at, sample) in (0..).zip(listen(&object, slip())) {
        assert_eq!(sample, said(A, at), "at {at}");
    }
}

#[test]
fn any_position_can_be_read_without_reading_what_is_before() {
    let mut bench = Bench::new();
    let object = bench.object(8_000 * 20);
    let mut reader = Reader::open(Cursor::new(&object), slip()).unwrap();
    let mut dice = Dice(4);
    for _ in 0..100 {
        let (from, count) = (dice.below(161_000), 1 + dice.below(20_000));
        let mut heard = vec![[1; 2]; usize::try_from(count).unwrap()];
        let read = reader.read(from, &mut heard).unwrap();
        assert_eq!(read as u64, 160_000_u64.saturating_sub(from).min(count));
        for (at, sample) in (from..).zip(&heard[..read]) {
            assert_eq!(*sample, said(A, at), "at {at}");
        }
    }
}

#[test]
fn the_export_is_a_wav_with_the_customer_on_the_left() {
    let mut bench = Bench::new();
    let object = bench.object(8_000 * 2 + 77);
    let mut reader = Reader::open(Cursor::new(&object), slip()).unwrap();
    let mut file = Cursor::new(Vec::new());
    export_wav(&mut reader, &mut file).unwrap();
    let bytes = file.into_inner();
    assert_eq!(bytes[..WAV_HEADER_LENGTH], wav_header(16_077, 8_000).unwrap());
    let mut wav = hound::WavReader::new(Cursor::new(bytes)).unwrap();
    let spec = wav.spec();
    assert_eq!((spec.channels, spec.sample_rate, spec.bits_per_sample), (2, 8_000, 16));
    let samples: Vec<i16> = wav.samples().map(Result::unwrap).collect();
    assert_eq!(samples.len(), 2 * 16_077);
    for (at, pair) in (0..).zip(samples.chunks(2)) {
        assert_eq!(pair, said(A, at), "at {at}");
    }
}

#[test]
fn names_and_numbers_are_sealed_and_come_back() {
    let mut bench = Bench::new();
    let object = bench.object(8_000);
    let mut reader = Reader::open(Cursor::new(&object), slip()).unwrap();
    assert_eq!(reader.metadata().unwrap(), Some(metadata()));
    assert!(!reader.manifest().encode().contains(CALLER));
    assert_eq!(reader.manifest().tags, tags(RECORDING));
}

#[test]
fn no_file_holds_what_was_said_or_who_said_it() {
    let mut bench = Bench::new();
    let marker = b"a pattern that nobody else would ever say on the telephone";
    let (permit, _call) = granted(RECORDING, Parties::BOTH);
    let config = WriterConfig { codecs: A, metadata: metadata() };
    let mut writer = Writer::create(&permit, seed(), &config).unwrap();
    let mut looked_at = 0;
    let mut look = |bench: &Bench| {
        for (path, bytes) in bench.folder.files() {
            looked_at += 1;
            for needle in [&marker[..16], &marker[20..36], CALLER.as_bytes()] {
                let found = bytes.windows(needle.len()).any(|window| window == needle);
                assert!(!found, "{}", path.display());
            }
        }
    };
    for at in (0..16_000).step_by(160) {
        let sound: Vec<u8> = marker.iter().copied().cycle().take(160).collect();
        for party in [Party::Customer, Party::Agent] {
            writer.push(party, at, Codec::Pcma, &sound).unwrap();
        }
        writer.advance(at).unwrap();
        bench.drain(&mut writer);
        if at % 1_600 == 0 {
            look(&bench);
        }
    }
    bench.finish(writer, 16_000);
    look(&bench);
    bench.store(RECORDING);
    look(&bench);
    assert!(looked_at > 20);
}

#[test]
fn a_dead_permit_makes_no_writer() {
    let (permit, call) = granted(RECORDING, Parties::BOTH);
    drop(call);
    let config = WriterConfig { codecs: A, metadata: metadata() };
    let refused = Writer::create(&permit, seed(), &config).err();
    assert_eq!(refused, Some(WriterError::NotLive));
}

#[test]
fn a_broken_timestamp_far_ahead_is_dropped_and_not_an_hour_of_silence() {
    let (permit, _call) = granted(RECORDING, Parties::BOTH);
    let config = WriterConfig { codecs: A, metadata: metadata() };
    let mut writer = Writer::create(&permit, seed(), &config).unwrap();
    writer.push(Party::Agent, u64::MAX - 10, Codec::Pcma, &[0; 160]).unwrap();
    writer.push(Party::Agent, 8_000 * 3_600, Codec::Pcma, &[0; 160]).unwrap();
    assert_eq!((writer.dropped_samples(), writer.pushed_until()), (320, 0));
}
