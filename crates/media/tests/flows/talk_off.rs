//! An hour of speech and music holds no key, and no fax calls in it. The sound is not ours: it is Debian's
//! (`asterisk-core-sounds-en-wav`, `asterisk-core-sounds-fr-wav`, `asterisk-moh-opsound-wav`), read where
//! those packages put it, and `tests/run long` installs them; or below `SOUNDS`.

mod long {
    mod sounds {
        use std::{env, fs, path::Path};

        use call::{Connection, Kept, Party};
        use media::{Codec, Encoder, Event};

        use crate::stage::{CUSTOMER, Stage, address, ms, remote};

        /// All WAV files of 8 kHz below a folder.
        fn sounds(folder: &Path, all: &mut Vec<Vec<i16>>) {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    sounds(&path, all);
                } else if path.extension().is_some_and(|ending| ending == "wav") {
                    let bytes = fs::read(&path).unwrap();
                    let data = bytes.windows(4).position(|word| word == b"data").unwrap();
                    let samples = bytes[data + 8..].as_chunks::<2>().0;
                    all.push(samples.iter().map(|pair| i16::from_le_bytes(*pair)).collect());
                }
            }
        }

        #[test]
        fn d_17_an_hour_of_speech_and_music_from_debian_holds_no_key_and_no_fax() {
            let folder = env::var("SOUNDS").unwrap_or_else(|_| "/usr/share/asterisk".to_owned());
            let mut all = Vec::new();
            sounds(Path::new(&folder), &mut all);
            let seconds = all.iter().map(Vec::len).sum::<usize>() / 8_000;
            assert!(seconds >= 3_600, "{seconds} s of sound below {folder}; install the packages");
            let (mut heard, mut faxes) = (0, 0);
            // At the end a key and a fax: who hears nothing at all would pass otherwise.
            let wave =
                |hz: f64, n: u32| (std::f64::consts::TAU * hz * f64::from(n) / 8_000.0).sin();
            let key = |n: u32| ((wave(770.0, n) + wave(1_336.0, n)) * 6_000.0) as i16;
            all.push((0..1_600).map(key).collect());
            all.push(vec![0; 1_600]);
            all.push((0..4_000).map(|n| (wave(1_100.0, n) * 6_000.0) as i16).collect());
            all.push(vec![0; 1_600]);
            for codec in [Codec::Pcma, Codec::Pcmu] {
                let mut encoder = Encoder::new(codec);
                let mut stage = Stage::bare();
                let mut plain = remote(Party::Customer, CUSTOMER);
                (plain.receive.codec, plain.receive.event_payload_type) = (codec, None);
                plain.receive.payload_type = codec.usual_payload_type();
                stage.relay.set_remote(stage.now, Party::Customer, plain);
                stage.relay.keep(Party::Customer, Kept::All);
                stage.connect(Connection::Bridged);
                for packet in all.iter().flat_map(|samples| samples.chunks_exact(160)) {
                    let payload: Vec<u8> =
                        packet.iter().map(|sample| encoder.encode(*sample)).collect();
                    let mut bytes = stage.customer.raw(codec.usual_payload_type(), false, &payload);
                    let from = address(Party::Customer);
                    let _sent_on = stage.receive(Party::Customer, from, &mut bytes);
                    while let Some(event) = stage.relay.poll_event() {
                        heard += u32::from(matches!(event, Event::Digit(..)));
                        faxes += u32::from(event == Event::Fax);
                    }
                    stage.now = stage.now + ms(20);
                }
            }
            assert_eq!(heard, 2, "keys in {seconds} s of speech and music and one key, twice");
            assert_eq!(faxes, 2, "faxes in {seconds} s of speech and music and one fax, twice");
        }
    }
}
