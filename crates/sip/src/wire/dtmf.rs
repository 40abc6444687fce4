//! A telephone key in the body of an INFO: what exchanges write, in all the spellings seen.

use std::str;

use super::body::media_type;
use super::build::Body;
use super::header::trim;
use super::message::Message;

/// A key in an INFO. Its `Debug` shows nothing: what a person pressed is personal data.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Pressed {
    /// `0`-`9`, `*`, `#` or `A`-`D`.
    pub key: char,
    /// For how many milliseconds it was held, if the sender says.
    pub held_ms: Option<u16>,
}

impl std::fmt::Debug for Pressed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pressed([private])")
    }
}

/// The key that the body of an INFO holds: `application/dtmf-relay` (`Signal=5`, row D-13) or
/// `application/dtmf` (the key alone, row D-14). `None` for another type, another body, and for what
/// is no key, such as a flash of the hook (16).
pub fn pressed(message: &Message) -> Option<Pressed> {
    let (kind, _) = media_type(message.first("Content-Type")?);
    if kind.eq_ignore_ascii_case(b"application/dtmf-relay") {
        let value = |wanted: &[u8]| {
            message.body().split(|octet| matches!(octet, b'\r' | b'\n')).find_map(|line| {
                let equals = line.iter().position(|octet| *octet == b'=')?;
                let (name, value) = line.split_at_checked(equals)?;
                let same = trim(name).eq_ignore_ascii_case(wanted);
                same.then(|| value.get(1..).map(trim)).flatten()
            })
        };
        let held = value(b"Duration").and_then(|text| str::from_utf8(text).ok());
        let held_ms = held.and_then(|text| text.parse().ok());
        return Some(Pressed { key: signal(value(b"Signal")?)?, held_ms });
    }
    let plain = kind.eq_ignore_ascii_case(b"application/dtmf");
    let key = plain.then(|| signal(message.body().trim_ascii())).flatten()?;
    Some(Pressed { key, held_ms: None })
}

/// A key by its character or by the number of its event (RFC 4733 §3.2: 10 is `*`, 11 is `#`).
fn signal(text: &[u8]) -> Option<char> {
    match text {
        [key @ (b'0'..=b'9' | b'*' | b'#')] => Some(char::from(*key)),
        [letter @ (b'A'..=b'D' | b'a'..=b'd')] => Some(char::from(letter.to_ascii_uppercase())),
        b"10" => Some('*'),
        b"11" => Some('#'),
        b"12" => Some('A'),
        b"13" => Some('B'),
        b"14" => Some('C'),
        b"15" => Some('D'),
        _ => None,
    }
}

/// The body of an INFO that tells of a key: `application/dtmf-relay`, which every exchange that
/// reads keys in INFO knows.
pub fn pressing(pressed: Pressed) -> Body {
    let Pressed { key, held_ms } = pressed;
    let mut text = format!("Signal={key}\r\n");
    if let Some(held_ms) = held_ms {
        text.push_str(&format!("Duration={held_ms}\r\n"));
    }
    Body::new("application/dtmf-relay", text.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(kind: &str, body: &str) -> Option<(char, Option<u16>)> {
        let text = format!(
            "INFO sip:a@192.0.2.1 SIP/2.0\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let message = crate::wire::parse::parse(text.as_bytes()).unwrap();
        pressed(&message).map(|pressed| (pressed.key, pressed.held_ms))
    }

    #[test]
    fn d_13_every_spelling_of_dtmf_relay_is_read() {
        for (body, key, held) in [
            ("Signal=1\r\nDuration=160\r\n", '1', Some(160)),
            ("Signal= 1\r\nDuration= 160", '1', Some(160)),
            ("signal=*", '*', None),
            ("SIGNAL = #\n", '#', None),
            ("Duration=250\nSignal=d\n", 'D', Some(250)),
            ("Signal=10\r\n", '*', None),
            ("Signal=11\r\nDuration=long", '#', None),
            ("Signal=0\rDuration=99999\r", '0', None),
        ] {
            assert_eq!(read("application/dtmf-relay", body), Some((key, held)), "{body:?}");
            assert_eq!(read("Application/DTMF-Relay;charset=utf-8", body), Some((key, held)));
        }
        for body in ["", "Signal=", "Signal=16", "Signal=12x", "Signal", "1", "Signals=1", "=1"] {
            assert_eq!(read("application/dtmf-relay", body), None, "{body:?}");
        }
    }

    #[test]
    fn d_14_the_plain_key_is_read_by_character_and_by_number() {
        let mut keys = String::new();
        for body in ["0", "9\r\n", " 1 ", "*", "#", "10", "11", "12", "b", "C\n", "15"] {
            keys.push(read("application/dtmf", body).unwrap().0);
        }
        assert_eq!(keys, "091*#*#ABCD");
        for body in ["", "16", "12345", "e", "1 2", "Signal=1"] {
            assert_eq!(read("application/dtmf", body), None, "{body:?}");
        }
        assert_eq!(read("text/plain", "1"), None);
    }

    #[test]
    fn what_we_write_is_what_we_read_and_prints_nothing() {
        for key in "0123456789*#ABCD".chars() {
            let pressed = Pressed { key, held_ms: Some(100) };
            let body = String::from_utf8(pressing(pressed).octets().to_vec()).unwrap();
            assert_eq!(read("application/dtmf-relay", &body), Some((key, Some(100))));
            assert_eq!(format!("{pressed:?}"), "Pressed([private])");
        }
    }
}
