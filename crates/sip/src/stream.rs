//! Messages out of a byte stream: framing by Content-Length however the octets arrive (row S-08).
//!
//! ```
//! use sip::{Frame, Framer};
//!
//! let mut framer = Framer::new();
//! framer.feed(b"\r\n\r\nOPTIONS sip:a@192.0.2.1 SIP/2.0\r\nContent-Le");
//! assert_eq!(framer.poll(), Ok(Some(Frame::Ping)));
//! assert_eq!(framer.poll(), Ok(None));
//! framer.feed(b"ngth: 2\r\n\r\nok");
//! assert!(matches!(framer.poll(), Ok(Some(Frame::Message(octets))) if octets.ends_with(b"ok")));
//! ```

use crate::wire::message::Fault;
use crate::wire::parse::{MAX_MESSAGE, NotSip, parse, stated_length};

/// What a client sends while it has nothing to say (RFC 5626 §3.5.1), and what a connection that we
/// keep alive carries.
pub const PING: &[u8] = b"\r\n\r\n";
/// The answer to it (RFC 5626 §4.4.1).
pub const PONG: &[u8] = b"\r\n";

/// One thing that a stream held.
#[derive(Clone, PartialEq, Eq)]
pub enum Frame {
    /// A whole message, for [`crate::Endpoint::receive`].
    Message(Vec<u8>),
    /// A keep-alive that wants [`PONG`].
    Ping,
}

impl std::fmt::Debug for Frame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Frame::Message(octets) => write!(f, "Message({} octets)", octets.len()),
            Frame::Ping => f.write_str("Ping"),
        }
    }
}

/// Why nothing more can be read from a stream: nobody knows where the next message starts. It is
/// closed once what it still has to carry is sent.
#[derive(Clone, PartialEq, Eq)]
pub enum Broken {
    /// A head without a usable Content-Length. The endpoint answers its octets with 400.
    Unframed(Vec<u8>),
    /// A message longer than [`MAX_MESSAGE`].
    TooLong,
    /// No SIP.
    Foreign,
}

impl std::fmt::Debug for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Broken::Unframed(octets) => write!(f, "Unframed({} octets)", octets.len()),
            Broken::TooLong => f.write_str("TooLong"),
            Broken::Foreign => f.write_str("Foreign"),
        }
    }
}

/// Cuts a stream into messages. It holds at most one message and what was fed after it, so feed it
/// no more than a few kilobytes at a time and poll it empty in between.
#[derive(Default)]
pub struct Framer {
    buffer: Vec<u8>,
    /// Where the message in hand starts; what lies before it is done with.
    start: usize,
    /// How much of it has been searched for the end of its head.
    searched: usize,
    /// Where it ends, once its head has been read.
    end: Option<usize>,
    /// Its first line has been looked at.
    greeted: bool,
    /// Half a keep-alive has been read.
    half: bool,
    broken: Option<Broken>,
}

impl std::fmt::Debug for Framer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Framer({} octets)", self.buffer.len().saturating_sub(self.start))
    }
}

impl Framer {
    /// A framer at the beginning of a stream.
    pub fn new() -> Framer {
        Framer::default()
    }

    /// Takes what has arrived.
    pub fn feed(&mut self, octets: &[u8]) {
        self.buffer.drain(..self.start);
        self.searched -= self.start;
        self.end = self.end.map(|end| end - self.start);
        self.start = 0;
        if self.broken.is_none() {
            self.buffer.extend_from_slice(octets);
        }
    }

    /// Has a message begun that is not complete? Who leaves one standing costs us its memory.
    pub fn is_midway(&self) -> bool {
        self.broken.is_none() && self.start < self.buffer.len()
    }

    /// The next frame, if one is complete. May change after [`Framer::feed`].
    ///
    /// # Errors
    /// The stream is broken; from here on it stays so.
    pub fn poll(&mut self) -> Result<Option<Frame>, Broken> {
        if let Some(broken) = &self.broken {
            return Err(broken.clone());
        }
        let found = self.advance();
        if let Err(broken) = &found {
            self.broken = Some(broken.clone());
            self.buffer = Vec::new();
            (self.start, self.searched, self.end) = (0, 0, None);
        }
        found
    }

    fn advance(&mut self) -> Result<Option<Frame>, Broken> {
        if self.end.is_none() {
            if self.skip_blank() {
                return Ok(Some(Frame::Ping));
            }
            self.read_head()?;
        }
        let Some(end) = self.end.filter(|end| *end <= self.buffer.len()) else { return Ok(None) };
        let octets = self.buffer.get(self.start..end).unwrap_or_default().to_vec();
        (self.start, self.searched, self.end, self.greeted) = (end, end, None, false);
        Ok(Some(Frame::Message(octets)))
    }

    /// Passes over the line breaks before a message (RFC 3261 §7.5); `true` at each second one.
    fn skip_blank(&mut self) -> bool {
        while let Some(octet) = self.buffer.get(self.start) {
            match octet {
                b'\r' => self.start += 1,
                b'\n' => {
                    self.start += 1;
                    self.half = !self.half;
                    if !self.half {
                        self.searched = self.start;
                        return true;
                    }
                }
                _ => {
                    self.half = false;
                    break;
                }
            }
        }
        self.searched = self.searched.max(self.start);
        false
    }

    /// Finds the end of the head and reads from it where the message ends.
    fn read_head(&mut self) -> Result<(), Broken> {
        let Some(body) = self.find_body() else {
            self.greet()?;
            let held = self.buffer.len() - self.start;
            return if held > MAX_MESSAGE { Err(Broken::TooLong) } else { Ok(()) };
        };
        let head = self.buffer.get(self.start..body).unwrap_or_default();
        let message = parse(head).map_err(|error| match error {
            NotSip::TooLong => Broken::TooLong,
            NotSip::KeepAlive | NotSip::Foreign => Broken::Foreign,
        })?;
        // A table of headers that was cut short may lack the one that matters.
        let whole = message.fault() != Some(Fault::HeaderLimit);
        match stated_length(&message) {
            Ok(Some(length)) if whole && length > MAX_MESSAGE - head.len() => Err(Broken::TooLong),
            Ok(Some(length)) if whole => {
                self.end = Some(body + length);
                Ok(())
            }
            Ok(_) | Err(_) => Err(Broken::Unframed(head.to_vec())),
        }
    }

    /// Where the body starts: behind the first empty line.
    fn find_body(&mut self) -> Option<usize> {
        let mut at = self.searched.max(self.start);
        loop {
            let rest = self.buffer.get(at..).unwrap_or_default();
            let line = at + rest.iter().position(|&octet| octet == b'\n')?;
            match self.buffer.get(line + 1..).unwrap_or_default() {
                [b'\n', ..] => return Some(line + 2),
                [b'\r', b'\n', ..] => return Some(line + 3),
                // The octets that decide have not come yet.
                [] | [b'\r'] => {
                    self.searched = line;
                    return None;
                }
                _ => at = line + 1,
            }
            self.searched = at;
        }
    }

    /// Turns away who speaks another protocol at its first line, and not 64 kilobytes later.
    fn greet(&mut self) -> Result<(), Broken> {
        if self.greeted {
            return Ok(());
        }
        let held = self.buffer.get(self.start..).unwrap_or_default();
        let Some(end) = held.iter().position(|&octet| octet == b'\n') else { return Ok(()) };
        self.greeted = true;
        match parse(held.get(..=end).unwrap_or_default()) {
            Err(NotSip::Foreign) => Err(Broken::Foreign),
            Ok(_) | Err(NotSip::KeepAlive | NotSip::TooLong) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everything a stream holds when it arrives in these pieces.
    fn read(pieces: &[&[u8]]) -> (Vec<Frame>, Option<Broken>) {
        let (mut framer, mut frames) = (Framer::new(), Vec::new());
        for piece in pieces {
            framer.feed(piece);
            loop {
                match framer.poll() {
                    Ok(Some(frame)) => frames.push(frame),
                    Ok(None) => break,
                    Err(broken) => return (frames, Some(broken)),
                }
            }
        }
        (frames, None)
    }

    fn message(body: &str, length: &str) -> String {
        format!("INFO sip:a@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/TCP a\r\n{length}\r\n\r\n{body}")
    }

    /// A stream of everything that may stand in one: messages with and without a body, a body that
    /// looks like a message, compact and folded lengths, bare line feeds, keep-alives between them.
    fn stream() -> Vec<u8> {
        let mut octets = b"\r\n".to_vec();
        octets.extend_from_slice(message("", "Content-Length: 0").as_bytes());
        octets.extend_from_slice(PING);
        octets.extend_from_slice(message("ab\r\n\r\ncd", "l : 8").as_bytes());
        let inner = message("x", "Content-Length: 1");
        octets.extend_from_slice(message(&inner, &format!("L:\r\n {}", inner.len())).as_bytes());
        octets.extend_from_slice(b"\r\n\r\n\r\n");
        octets
            .extend_from_slice(b"SIP/2.0 200 OK\nVia: SIP/2.0/TCP a\nContent-Length: 3\n\n\r\n\r");
        octets.extend_from_slice(message("end", "content-length:3").as_bytes());
        octets
    }

    #[test]
    fn s_08_any_cut_into_three_gives_the_same_messages() {
        let stream = stream();
        let whole = read(&[&stream]);
        assert_eq!(whole.0.len(), 7, "{whole:?}");
        assert_eq!(whole.1, None);
        let pings = whole.0.iter().filter(|frame| **frame == Frame::Ping).count();
        assert_eq!(pings, 2, "four line breaks are two, three are one");
        for first in 0..stream.len() {
            for second in first..stream.len() {
                let pieces = [&stream[..first], &stream[first..second], &stream[second..]];
                assert_eq!(read(&pieces), whole, "cut at {first} and {second}");
            }
        }
    }

    #[test]
    fn s_08_octet_by_octet_gives_the_same_messages() {
        let stream = stream();
        let pieces: Vec<&[u8]> = stream.chunks(1).collect();
        assert_eq!(read(&pieces), read(&[&stream]));
    }

    #[test]
    fn s_08_a_message_without_a_usable_length_breaks_the_stream_and_is_handed_over() {
        for length in ["X: 1", "Content-Length: x", "Content-Length: 1\r\nl: 2", "l: -1", "l:"] {
            let text = message("", length);
            let stream = format!("{text}{}", message("", "l: 0"));
            assert_eq!(read(&[stream.as_bytes()]), (vec![], Some(Broken::Unframed(text.into()))));
        }
        let many = vec!["X: 1"; 300].join("\r\n") + "\r\nl: 0";
        assert!(matches!(read(&[message("", &many).as_bytes()]).1, Some(Broken::Unframed(_))));
    }

    #[test]
    fn s_15_what_is_no_sip_or_too_long_is_turned_away_before_it_is_held() {
        assert_eq!(read(&[b"GET / HTTP/1.1\r\n"]).1, Some(Broken::Foreign));
        assert_eq!(read(&[b"\x16\x03\x01\n"]).1, Some(Broken::Foreign));
        let large = message("", "Content-Length: 70000");
        assert_eq!(read(&[large.as_bytes()]).1, Some(Broken::TooLong));
        let huge = message("", "Content-Length: 99999999999999999999999");
        assert!(matches!(read(&[huge.as_bytes()]).1, Some(Broken::Unframed(_))));
        let endless = [b'A'; 4096];
        let mut framer = Framer::new();
        let fed = (1..100).find(|_| {
            framer.feed(&endless);
            framer.poll().is_err()
        });
        assert_eq!(fed, Some(16), "64 KiB and not more");
        assert!(!framer.is_midway(), "nothing is kept");
    }

    #[test]
    fn s_15_a_message_that_is_not_complete_is_told_from_a_pause_between_two() {
        let mut framer = Framer::new();
        framer.feed(b"\r\n");
        assert_eq!((framer.poll(), framer.is_midway()), (Ok(None), false));
        framer.feed(b"INFO");
        assert_eq!((framer.poll(), framer.is_midway()), (Ok(None), true));
    }
}
