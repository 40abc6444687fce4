//! What detectors of others find in a recording: row D-23.

mod multimon {
    mod spandsp {
        use std::{
            fs,
            io::Write,
            path::Path,
            process::{Command, Output, Stdio},
            time::Duration,
        };

        use support::{
            node::{Change, root},
            sound::share,
            stage::{Stage, sdp, wait},
        };

        /// Every key there is.
        const KEYS: &str = "0123456789*#ABCD";
        /// The withdrawal key of a customer ends a recording, so that the customer has none of it.
        const CUSTOMER: &str = "0123456789#ABCD";
        /// What both speak of between the keys, in hertz.
        const TALK: (f64, f64) = (500.0, 2_100.0);

        fn bytes(samples: &[i16]) -> Vec<u8> {
            samples.iter().flat_map(|sample| sample.to_le_bytes()).collect()
        }

        fn said(name: &str, output: &Output) -> String {
            let error = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{name}: {error}");
            String::from_utf8_lossy(&output.stdout).into_owned()
        }

        /// The digits that multimon-ng hears. It takes 22,050 Hz: each sample stands where it was.
        fn multimon(samples: &[i16], file: &Path) -> String {
            let step = 8_000.0 / 22_050.0;
            let count = (samples.len() as f64 / step) as usize;
            let between = |n: usize| {
                let (at, part) = ((n as f64 * step) as usize, (n as f64 * step).fract());
                let of = |at: usize| f64::from(samples.get(at).copied().unwrap_or(0));
                (of(at) * (1.0 - part) + of(at + 1) * part) as i16
            };
            fs::write(file, bytes(&(0..count).map(between).collect::<Vec<_>>())).expect("a file");
            let output = Command::new("multimon-ng")
                .args(["-q", "-a", "DTMF", "-t", "raw"])
                .arg(file)
                .output()
                .expect("multimon-ng starts");
            let text = said("multimon-ng", &output);
            text.lines().filter_map(|line| line.strip_prefix("DTMF: ")).map(str::trim).collect()
        }

        /// The digits that spandsp hears.
        fn spandsp(samples: &[i16]) -> String {
            let python = std::env::var_os("PYTHON").unwrap_or_else(|| "python3".into());
            let mut child = Command::new(python)
                .arg(root().join("tests/flows/spandsp.py"))
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .expect("Python starts");
            child.stdin.take().expect("a pipe").write_all(&bytes(samples)).expect("it reads");
            said("spandsp", &child.wait_with_output().expect("it ends")).trim().to_owned()
        }

        /// What both detectors find in each channel of a recorded call in which both sides press keys by
        /// tones, and for how many milliseconds each side's talk is in it.
        fn found(blank: bool) -> ([[String; 2]; 2], [usize; 2]) {
            let change = Change::default()
                .with("confirm = \"first\"", "confirm = \"off\"")
                .with("blank_keys = false", format!("blank_keys = {blank}"));
            let mut stage = Stage::with(change);
            let (mut a, _) = stage.asked();
            stage.ear.press('1');
            let invite = stage.pbx.expect_within(Duration::from_secs(30), "INVITE");
            let b = stage.pbx.called(&invite);
            stage.pbx.send(&b.reply(&invite, 200).sdp(sdp(stage.desk.own)));
            stage.pbx.expect("ACK");
            stage.desk.talk_to(invite.sound());
            stage.ear.speak(TALK.0);
            stage.desk.speak(TALK.1);
            wait(400);
            for key in KEYS.chars() {
                if CUSTOMER.contains(key) {
                    stage.ear.dial(key);
                }
                wait(30);
                stage.desk.dial(key);
                wait(270);
            }
            wait(400);
            stage.caller.send(&a.request("BYE"));
            stage.caller.expect((200, "BYE"));
            let stored = |rows: &serde_json::Value| rows[0]["state"] == "stored";
            let list = stage.node.until(&["recordings", "list"], stored);
            let (left, right) = stage.node.export(list[0]["recording"].as_str().expect("an id"));
            let file = stage.node.temporary().join("sound.raw");
            let talk = |samples: &[i16], hz| {
                samples.chunks_exact(160).filter(|part| share(part, hz) > 0.9).count() * 20
            };
            let talks = [talk(&left, TALK.0), talk(&right, TALK.1)];
            let heard = [&left, &right].map(|samples| [multimon(samples, &file), spandsp(samples)]);
            (heard, talks)
        }

        #[test]
        fn d_23_two_detectors_of_others_find_every_key_in_a_recording_and_none_where_keys_are_kept_out()
         {
            std::thread::scope(|scope| {
                let [plain, without] = [false, true].map(|blank| scope.spawn(move || found(blank)));
                let (heard, _) = plain.join().expect("a recorded call");
                for (channel, keys) in heard.iter().zip([CUSTOMER, KEYS]) {
                    assert_eq!(
                        channel,
                        &[keys, keys],
                        "multimon-ng and spandsp, keys in the sound"
                    );
                }
                let (heard, talks) = without.join().expect("a recorded call");
                assert_eq!(heard.concat().concat(), "", "multimon-ng and spandsp, keys kept out");
                assert!(talks.iter().all(|ms| *ms > 1_500), "the talk is in it: {talks:?} ms");
            });
        }
    }
}
