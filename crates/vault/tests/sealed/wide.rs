//! Sound of 16,000 samples a second: decoded in order, beside 8,000, through changes of codec and crashes.

use std::{f64::consts::TAU, fs, io::Cursor};

use call::{Erasure, Parties, Party};
use vault::*;

use crate::support::*;

const A: [Codec; 2] = [Codec::Pcma; 2];
const WIDE: Codec = Codec::Pcm16Wide;

fn begin(codecs: [Codec; 2]) -> (Writer, call::Call) {
    let (permit, call) = granted(RECORDING, Parties::BOTH);
    let config = WriterConfig { codecs, metadata: metadata() };
    let mut writer = Writer::create(&permit, seed(), &config).unwrap();
    writer.decode_with(echo);
    (writer, call)
}

fn codecs(reader: &mut Reader<Cursor<&Vec<u8>>>) -> Vec<[Codec; 2]> {
    let seconds = reader.seconds();
    let codecs = |chunk| match reader.second(chunk).unwrap() {
        Heard::Sound(second) => second.codecs,
        Heard::Absent(_) | Heard::Erased => panic!("second {chunk} is there"),
    };
    (0..seconds).map(codecs).collect()
}

#[test]
fn what_is_coded_is_decoded_in_the_order_of_its_samples_and_stored_wide() {
    /// Each position is one more than the one before: order is heard.
    #[derive(Default)]
    struct Sum(i16);
    impl Decode for Sum {
        fn decode(&mut self, code: u8) -> Decoded {
            self.0 += i16::from(code);
            Decoded { wide: [self.0 * 2, self.0 * 2 + 1], narrow: 0 }
        }
    }
    let mut bench = Bench::new();
    let (mut writer, _call) = begin(A);
    writer.decode_with(|| Box::<Sum>::default());
    for at in [160, 0, 480, 320] {
        writer.push_coded(Party::Customer, at, &[1; 160]).unwrap();
        let sound = payload(Party::Agent, Codec::Pcma, at, 160);
        writer.push(Party::Agent, at, Codec::Pcma, &sound).unwrap();
    }
    bench.finish(writer, 640);
    let (sealed, object) = bench.store(RECORDING);
    assert_eq!(sealed.manifest.missing_samples, 0);
    assert_eq!(sealed.manifest.codecs, Some([WIDE, Codec::Pcma]));
    let mut reader = Reader::open(Cursor::new(&object), slip()).unwrap();
    assert_eq!((reader.rate_hz(), reader.samples(), reader.frames()), (16_000, 640, 1_280));
    let Heard::Sound(second) = reader.second(0).unwrap() else { panic!("second 0 is there") };
    assert_eq!((second.codecs, second.positions()), ([WIDE, Codec::Pcma], 640));
    assert_eq!(second.pcm[0][..], (2..=1_281).collect::<Vec<i16>>());
    // The loudest of 50 ms is the second sample of its last position.
    assert_eq!(second.peaks.unwrap()[0][..3], [801, 1_281, 0]);
}

#[test]
fn a_call_of_g_711_makes_no_decoder() {
    let mut bench = Bench::new();
    let (mut writer, _call) = begin(A);
    writer.decode_with(|| panic!("nobody speaks G.722"));
    for party in [Party::Customer, Party::Agent] {
        writer.push(party, 0, Codec::Pcma, &payload(party, Codec::Pcma, 0, 1_600)).unwrap();
    }
    bench.finish(writer, 1_600);
    let (_, object) = bench.store(RECORDING);
    let (rate_hz, heard) = listen_at_rate(&object, slip());
    assert_eq!((rate_hz, heard.len()), (8_000, 1_600));
}

#[test]
fn without_a_decoder_what_is_coded_is_silence_that_counts_as_missing() {
    let mut bench = Bench::new();
    let (permit, _call) = granted(RECORDING, Parties::BOTH);
    let config = WriterConfig { codecs: A, metadata: metadata() };
    let mut writer = Writer::create(&permit, seed(), &config).unwrap();
    writer.push_coded(Party::Customer, 0, &[1; 160]).unwrap();
    bench.finish(writer, 160);
    let (sealed, object) = bench.store(RECORDING);
    assert_eq!(sealed.manifest.missing_samples, 320);
    assert!(listen(&object, slip()).iter().all(|[customer, _]| *customer == 0));
}

#[test]
fn b_04_a_channel_that_becomes_wide_and_narrow_again_keeps_its_place_sample_by_sample() {
    let mut bench = Bench::new();
    let (mut writer, _call) = begin(A);
    let end = 56_000;
    for at in (0..end).step_by(160) {
        let said = payload(Party::Customer, Codec::Pcma, at, 160);
        if (12_000..28_000).contains(&at) || at >= 44_000 {
            writer.push_coded(Party::Customer, at, &said).unwrap();
        } else {
            writer.push(Party::Customer, at, Codec::Pcma, &said).unwrap();
        }
        let said = payload(Party::Agent, Codec::Pcma, at, 160);
        writer.push(Party::Agent, at, Codec::Pcma, &said).unwrap();
        writer.advance(at + 160).unwrap();
        bench.drain(&mut writer);
    }
    bench.finish(writer, end);
    let (sealed, object) = bench.store(RECORDING);
    assert_eq!((sealed.manifest.samples, sealed.manifest.missing_samples), (end, 0));
    assert_eq!(sealed.manifest.codecs, Some([WIDE, Codec::Pcma]));
    assert!(verify(&object, &bench.trust()).unwrap().is_proved());
    let mut reader = Reader::open(Cursor::new(&object), slip()).unwrap();
    let customer: Vec<_> = codecs(&mut reader).into_iter().map(|[customer, _]| customer).collect();
    let narrow = Codec::Pcma;
    assert_eq!(customer, [narrow, narrow, WIDE, WIDE, narrow, narrow, WIDE]);
    let (rate_hz, whole) = listen_at_rate(&object, slip());
    assert_eq!((rate_hz, whole.len() as u64), (16_000, end * 2));
    for (at, pair) in (0..).zip(whole.chunks(2)) {
        assert_eq!(pair[0], said(A, at), "at {at}");
        if (16_000..28_000).contains(&at) || at >= 48_000 {
            assert_eq!(pair[1][0], said(A, at)[0].saturating_mul(2), "at {at}");
        }
    }
    // Any part is what the whole has there, neighbours or not.
    let mut dice = Dice(7);
    for _ in 0..60 {
        let (from, count) = (dice.below(end * 2), 1 + dice.below(20_000));
        let mut part = vec![[1; 2]; usize::try_from(count).unwrap()];
        let mut reader = Reader::open(Cursor::new(&object), slip()).unwrap();
        let read = reader.read(from, &mut part).unwrap();
        let from = usize::try_from(from).unwrap();
        assert!(part[..read] == whole[from..from + read], "{read} from {from}");
    }
    let mut file = Cursor::new(Vec::new());
    export_wav(&mut reader, &mut file).unwrap();
    let bytes = file.into_inner();
    assert_eq!(bytes[..WAV_HEADER_LENGTH], wav_header(end * 2, 16_000).unwrap());
    let samples = whole.iter().flatten().flat_map(|sample| sample.to_le_bytes());
    assert!(bytes[WAV_HEADER_LENGTH..].iter().copied().eq(samples));
}

#[test]
fn what_is_narrow_beside_or_within_wide_sound_is_smooth_across_seconds() {
    let sine = |at: f64| (at / 8_000.0 * 1_000.0 * TAU).sin() * 10_000.0;
    let mut bench = Bench::new();
    let (mut writer, _call) = begin([WIDE, Codec::Pcm16]);
    for at in (0..24_000).step_by(160) {
        let linear: Vec<u8> =
            (at..at + 160).flat_map(|at| (sine(at as f64) as i16).to_le_bytes()).collect();
        // The customer's first second begins wide and goes on narrow.
        if at < 4_000 {
            let said = payload(Party::Customer, Codec::Pcma, at, 160);
            writer.push_coded(Party::Customer, at, &said).unwrap();
        } else {
            writer.push(Party::Customer, at, Codec::Pcm16, &linear).unwrap();
        }
        writer.push(Party::Agent, at, Codec::Pcm16, &linear).unwrap();
        writer.advance(at + 160).unwrap();
        bench.drain(&mut writer);
    }
    bench.finish(writer, 24_000);
    let (_, object) = bench.store(RECORDING);
    let mut reader = Reader::open(Cursor::new(&object), slip()).unwrap();
    let narrow = Codec::Pcm16;
    assert_eq!(codecs(&mut reader), [[WIDE, narrow], [narrow; 2], [narrow; 2]]);
    let (_, whole) = listen_at_rate(&object, slip());
    for (frame, heard) in whole.iter().enumerate() {
        let (at, meant) = (frame / 2, sine(frame as f64 / 2.0));
        for (channel, from) in [(0, 4_016), (1, 16)] {
            if (from..24_000 - 16).contains(&at) {
                let off = (f64::from(heard[channel]) - meant).abs();
                assert!(off < 12.0, "channel {channel} at {at}: {off}");
            }
        }
    }
}

#[test]
fn an_erased_second_beside_a_wide_one_is_silence_and_its_neighbours_are_heard() {
    let mut bench = Bench::new();
    bench.record(RECORDING, [WIDE, Codec::Pcma], 24_000);
    let (_, object) = bench.store(RECORDING);
    let (_, whole) = listen_at_rate(&object, slip());
    let erased = slip().erase(Erasure { from: 1, to: 2 });
    let (rate_hz, heard) = listen_at_rate(&object, erased);
    assert_eq!((rate_hz, heard.len()), (16_000, 48_000));
    assert!(heard[16_000..32_000].iter().all(|pair| *pair == [0; 2]));
    // What was between the seconds is made without the one that is gone.
    assert!(heard[..16_000 - 32] == whole[..16_000 - 32]);
    assert!(heard[32_000 + 32..] == whole[32_000 + 32..]);
}

#[test]
fn a_hole_of_a_millisecond_in_wide_sound_is_a_joint_that_its_last_sample_fills() {
    let mut bench = Bench::new();
    let (mut writer, _call) = begin([WIDE, Codec::Pcma]);
    let code = Codec::Pcma.encode(1_000) as u8;
    for n in 0..47 {
        writer.push_coded(Party::Customer, n * 168, &[code; 160]).unwrap();
    }
    bench.finish(writer, 47 * 168 - 8);
    let (_, object) = bench.store(RECORDING);
    let mut reader = Reader::open(Cursor::new(&object), slip()).unwrap();
    let Heard::Sound(second) = reader.second(0).unwrap() else { panic!("second 0 is there") };
    assert!(second.gaps.iter().all(|gap| gap.channel == 1), "{:?}", second.gaps);
    let said = Codec::Pcma.decode(code.into());
    let within = |at: usize| at % 168 < 160;
    for (at, pair) in second.pcm[0].chunks(2).enumerate().take(47 * 168 - 8) {
        let expected = if within(at) { [said, said * 2] } else { [said * 2; 2] };
        assert_eq!(pair, expected, "at {at}");
    }
}

#[test]
fn a_crash_leaves_of_wide_sound_what_was_sealed_and_says_how_long_it_is() {
    let mut bench = Bench::new();
    let (mut writer, _call) = begin([WIDE, Codec::Pcma]);
    for at in (0..13_600).step_by(160) {
        let said = payload(Party::Customer, Codec::Pcma, at, 160);
        writer.push_coded(Party::Customer, at, &said).unwrap();
        let said = payload(Party::Agent, Codec::Pcma, at, 160);
        writer.push(Party::Agent, at, Codec::Pcma, &said).unwrap();
        writer.advance(at + 160).unwrap();
        bench.drain(&mut writer);
    }
    let found = recover(&bench.spool_folder()).unwrap();
    let tape = &found.tapes[0];
    // 960 samples wait for what overtook them, and less than a segment for the rest of it.
    let samples = tape.samples();
    assert!((13_600 - 960 - 1_120..=13_600 - 960).contains(&samples), "{samples}");
    let sealed = tape.finalise(tags(RECORDING), &bench.keys, &bench.store).unwrap();
    assert_eq!(sealed.manifest.codecs, Some([WIDE, Codec::Pcma]));
    let object = fs::read(bench.store.path(RECORDING)).unwrap();
    let report = verify(&object, &bench.trust()).unwrap();
    assert!(report.is_proved(), "{:?}", report.findings);
    assert_eq!(report.cut, 1);
    let heard = listen(&object, slip());
    assert_eq!(heard.len() as u64, samples);
    for (at, heard) in (0..).zip(heard) {
        assert_eq!(heard, said(A, at), "at {at}");
    }
}
