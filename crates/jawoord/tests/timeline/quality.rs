//! How a recording sounds beside what was said: speech that espeak-ng makes, judged by PESQ (ITU-T P.862).

mod espeak {
    mod pesq {
        use std::{fs, path::Path, process::Command, sync::Arc};

        use call::Party;
        use media::Codec;

        use crate::{
            line::{Line, Recorded, Speech},
            support::Folder,
        };

        /// What is said, again and again; the text is ours.
        const TEXT: &str = "Good morning, you are speaking with the desk. How may I help you today? \
            The parcel left our house on Tuesday, and it should be with you before the weekend. \
            If it has not come by then, please call us again, and we shall send you another one. \
            Would you like to hear the number of the parcel once more, or shall I write it down?";
        /// Seconds of an excerpt.
        const EXCERPT_S: f64 = 10.0;
        /// How fast or slow the clocks of customer and agent are, in millionths.
        const PPM: [i64; 2] = [200, -200];

        /// Speech at 8,000 Hz.
        fn speech(voice: &str, folder: &Folder) -> Arc<Vec<i16>> {
            let file = folder.join(&format!("{voice}.wav"));
            let made =
                Command::new("espeak-ng").args(["-v", voice, "-w"]).arg(&file).arg(TEXT).status();
            assert!(made.unwrap().success());
            let bytes = fs::read(&file).unwrap();
            let rate = f64::from(u32::from_le_bytes(bytes[24..28].try_into().unwrap()));
            let samples: Vec<f64> = bytes[44..]
                .chunks_exact(2)
                .map(|two| f64::from(i16::from_le_bytes([two[0], two[1]])))
                .collect();
            // A mean over the time of a sample of ours keeps what is above 4,000 Hz small.
            let step = rate / 8_000.0;
            let count = (samples.len() as f64 / step) as usize - 1;
            let mean = |n: usize| {
                let part =
                    &samples[(n as f64 * step) as usize..((n + 1) as f64 * step) as usize + 1];
                (part.iter().sum::<f64>() / part.len() as f64 * 0.7) as i16
            };
            Arc::new((0..count).map(mean).collect())
        }

        fn repeated(speech: &Arc<Vec<i16>>) -> Speech {
            let speech = Arc::clone(speech);
            Box::new(move |at| speech[usize::try_from(at).unwrap() % speech.len()])
        }

        /// The mean opinion score of what was recorded of a side from `from` on, in seconds of the call.
        fn score(
            recorded: &Recorded,
            side: usize,
            said: &[i16],
            from: f64,
            folder: &Folder,
        ) -> f64 {
            let clock = 8_000.0 * (1.0 + PPM[side] as f64 / 1e6);
            let length = (EXCERPT_S * 8_000.0) as usize;
            let first = (from * clock) as usize;
            let source: Vec<i16> =
                (first..first + length).map(|at| said[at % said.len()]).collect();
            let place = ((from - recorded.started) * 8_000.0) as usize;
            let taped = &recorded.samples[side][place..place + length];
            let (one, two) = (folder.join("source.raw"), folder.join("recorded.raw"));
            for (file, samples) in [(&one, &source[..]), (&two, taped)] {
                let bytes: Vec<u8> =
                    samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
                fs::write(file, bytes).unwrap();
            }
            let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/timeline/score.py");
            let python = std::env::var_os("PYTHON").unwrap_or_else(|| "python3".into());
            let told = Command::new(python).arg(script).args([one, two]).output().unwrap();
            let said = String::from_utf8_lossy(&told.stdout);
            assert!(told.status.success(), "{said}{}", String::from_utf8_lossy(&told.stderr));
            said.trim().parse().unwrap()
        }

        /// Notice, bridge, hold, resume, another codec: the seconds at which a stretch of talk begins.
        fn call(line: &mut Line) -> [f64; 3] {
            line.run(4.0);
            line.record();
            line.run(26.0);
            line.hold(true);
            line.run(8.0);
            line.hold(false);
            line.run(22.0);
            line.speak(Party::Customer, Codec::Pcmu);
            line.run(30.0);
            [10.0, 44.0, 70.0]
        }

        #[test]
        fn speech_through_jitter_drift_hold_and_another_codec_sounds_as_it_was_said() {
            let folder = Folder::new();
            let voices = [speech("en-gb", &folder), speech("en-us", &folder)];
            let mut line = Line::new([repeated(&voices[0]), repeated(&voices[1])], PPM);
            line.jitter_us = 60_000;
            let begins = call(&mut line);
            let recorded = line.end();
            for from in begins {
                for (side, said) in voices.iter().enumerate() {
                    let score = score(&recorded, side, said, from, &folder);
                    assert!(score >= 4.2, "side {side} from {from} s: {score}");
                }
            }
            // Nothing that was said on hold is in it.
            let held = |second: f64| ((second - recorded.started) * 8_000.0) as usize;
            let on_hold = held(30.2)..held(37.8);
            assert!(recorded.samples.iter().all(|side| {
                side[on_hold.clone()].iter().all(|sample| sample.unsigned_abs() <= 8)
            }));
            // What was on its way when the hold, the talk after it or the end began may be missing.
            let near = |gap: u64, second: f64| (gap as usize).abs_diff(held(second)) < 800;
            let lost = |gap: &&(usize, u64, u64)| {
                ![4.0, 30.0, 38.0, 90.0].iter().any(|at| near(gap.1, *at))
            };
            assert_eq!(recorded.gaps.iter().find(lost), None);
        }

        #[test]
        fn with_two_percent_of_loss_the_gaps_are_those_and_the_rest_sounds_as_before() {
            let folder = Folder::new();
            let voices = [speech("en-gb", &folder), speech("en-us", &folder)];
            let mut line = Line::new([repeated(&voices[0]), repeated(&voices[1])], PPM);
            line.jitter_us = 60_000;
            line.loses = Box::new(|_, number| number % 50 == 7);
            call(&mut line);
            let recorded = line.end();
            let length = recorded.samples[0].len() as f64 / 8_000.0;
            assert!((length - (90.0 - recorded.started)).abs() <= 0.020, "{length} s");
            for side in [0, 1] {
                let gaps: Vec<_> = recorded.gaps.iter().filter(|gap| gap.0 == side).collect();
                let inside = gaps.iter().filter(|gap| gap.1 > 8_000 && gap.1 < 8_000 * 84);
                let lengths: Vec<u64> = inside.map(|gap| gap.2).collect();
                // One packet in fifty: one each second, but for the eight seconds on hold.
                assert!((74..=78).contains(&lengths.len()), "{}", lengths.len());
                let odd = lengths.iter().filter(|length| length.abs_diff(160) > 8).count();
                assert!(odd <= 2, "{lengths:?}");
            }
        }
    }
}
