//! Session descriptions (RFC 8866): lines as octets in their order, read without judging them.

use std::fmt;
use std::net::IpAddr;

/// Most media lines in one description.
pub const MAX_MEDIA: usize = 32;

/// A description that cannot be read; answered 400 (rows S-14, B-26).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SdpError {
    /// The first line is not `v=0`.
    Version,
    /// This line (from 1) is not of the form `x=value`.
    Line(usize),
    /// This media line (from 1) lacks a port, a protocol or a format.
    Media(usize),
    /// More than [`MAX_MEDIA`] media lines.
    TooManyMedia,
}

impl fmt::Display for SdpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SdpError::Version => f.write_str("the session description does not start with v=0"),
            SdpError::Line(line) => {
                write!(f, "line {line} of the session description is not x=value")
            }
            SdpError::Media(line) => {
                write!(f, "media line {line} of the session description is not complete")
            }
            SdpError::TooManyMedia => {
                write!(f, "the session description has more than {MAX_MEDIA} media lines")
            }
        }
    }
}

impl std::error::Error for SdpError {}

/// Which way media goes, seen from the one who wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Both ways.
    SendRecv,
    /// The writer sends only.
    SendOnly,
    /// The writer receives only.
    RecvOnly,
    /// Neither.
    Inactive,
}

impl Direction {
    /// From two permissions.
    pub fn of(sends: bool, receives: bool) -> Direction {
        match (sends, receives) {
            (true, true) => Direction::SendRecv,
            (true, false) => Direction::SendOnly,
            (false, true) => Direction::RecvOnly,
            (false, false) => Direction::Inactive,
        }
    }

    /// May the writer send?
    pub fn sends(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::SendOnly)
    }

    /// Does the writer want to receive?
    pub fn receives(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::RecvOnly)
    }

    /// The same seen from the other side.
    pub fn reversed(self) -> Direction {
        Direction::of(self.receives(), self.sends())
    }

    /// What both allow.
    pub fn and(self, other: Direction) -> Direction {
        Direction::of(self.sends() && other.sends(), self.receives() && other.receives())
    }

    /// The attribute's name.
    pub fn name(self) -> &'static str {
        match self {
            Direction::SendRecv => "sendrecv",
            Direction::SendOnly => "sendonly",
            Direction::RecvOnly => "recvonly",
            Direction::Inactive => "inactive",
        }
    }
}

/// One line: its letter and its value.
#[derive(Clone, PartialEq, Eq)]
struct Line {
    letter: u8,
    value: Vec<u8>,
}

/// A group of lines: those of the session, or those of one media line.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Section {
    lines: Vec<Line>,
}

impl Section {
    /// The values of every line with this letter, in order.
    pub fn lines(&self, letter: u8) -> impl Iterator<Item = &[u8]> {
        self.lines
            .iter()
            .filter(move |line| line.letter == letter)
            .map(|line| line.value.as_slice())
    }

    /// The values of an attribute, in order; empty for a flag.
    pub fn attributes<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.lines(b'a').filter_map(move |line| {
            let end = line.iter().position(|&octet| octet == b':').unwrap_or(line.len());
            let same = line.get(..end)?.trim_ascii().eq_ignore_ascii_case(name.as_bytes());
            same.then(|| line.get(end + 1..).unwrap_or_default().trim_ascii())
        })
    }

    /// The direction, if the section states one (the last one counts).
    pub fn direction(&self) -> Option<Direction> {
        let all =
            [Direction::SendRecv, Direction::SendOnly, Direction::RecvOnly, Direction::Inactive];
        let named = |line: &[u8]| {
            all.into_iter()
                .find(|way| line.trim_ascii().eq_ignore_ascii_case(way.name().as_bytes()))
        };
        self.lines(b'a').filter_map(named).last()
    }

    /// The address of the first `c=` line: `Some(None)` when it is a name or cannot be read.
    pub fn connection(&self) -> Option<Option<IpAddr>> {
        self.lines(b'c').next().map(address)
    }
}

/// Reads `IN IP4 192.0.2.1` with an optional `/ttl`.
pub(crate) fn address(value: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(value).ok()?;
    let mut words = text.split_ascii_whitespace();
    if !words.next()?.eq_ignore_ascii_case("IN") {
        return None;
    }
    let family = words.next()?;
    let address: IpAddr = words.next()?.split('/').next()?.parse().ok()?;
    let stated = if address.is_ipv4() { "IP4" } else { "IP6" };
    family.eq_ignore_ascii_case(stated).then_some(address)
}

/// One media line and the lines below it.
#[derive(Clone, PartialEq, Eq)]
pub struct Media {
    /// `audio`, `video`, `image` … as written.
    pub kind: Vec<u8>,
    /// The port; 0 refuses or switches off.
    pub port: u16,
    /// `RTP/AVP` and its kin as written.
    pub protocol: Vec<u8>,
    /// The formats as written: payload types for RTP.
    pub formats: Vec<Vec<u8>>,
    /// The lines below it.
    pub section: Section,
}

impl Media {
    fn parse(value: &[u8]) -> Option<Media> {
        let mut words = value.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let kind = words.next()?.to_vec();
        let port = words.next()?.split(|&octet| octet == b'/').next()?;
        let port = std::str::from_utf8(port).ok()?.parse().ok()?;
        let protocol = words.next()?.to_vec();
        let formats: Vec<Vec<u8>> = words.map(<[u8]>::to_vec).collect();
        let section = Section::default();
        (!formats.is_empty()).then_some(Media { kind, port, protocol, formats, section })
    }

    /// Is it an audio line?
    pub fn is_audio(&self) -> bool {
        self.kind.eq_ignore_ascii_case(b"audio")
    }

    /// Name (in small letters) and clock rate of a payload type: of its `rtpmap`, or of RFC 3551
    /// table 4 for those that need none here.
    pub fn encoding(&self, payload: u8) -> Option<(Vec<u8>, u32)> {
        let own = self.section.attributes("rtpmap").find_map(|value| {
            let mut words = value.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
            (number(words.next()?)? == u32::from(payload)).then_some(())?;
            let mut parts = words.next()?.split(|&octet| octet == b'/');
            let name = parts.next()?.to_ascii_lowercase();
            Some((name, number(parts.next()?)?))
        });
        own.or(match payload {
            0 => Some((b"pcmu".to_vec(), 8000)),
            8 => Some((b"pcma".to_vec(), 8000)),
            9 => Some((b"g722".to_vec(), 8000)),
            13 => Some((b"cn".to_vec(), 8000)),
            _ => None,
        })
    }
}

/// A number of digits only.
pub(crate) fn number(text: &[u8]) -> Option<u32> {
    let digits = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(text).ok().filter(|_| digits)?.parse().ok()
}

/// A whole description. `Debug` shows its shape only: addresses and names are in it.
#[derive(Clone, PartialEq, Eq)]
pub struct Description {
    /// The lines above the first media line.
    pub session: Section,
    /// The media lines in order.
    pub media: Vec<Media>,
}

impl Description {
    /// Reads a description. Line ends are CRLF or LF; unknown lines and octets that are no UTF-8 stay
    /// as they are; what is missing is judged by offer and answer.
    ///
    /// # Errors
    /// [`SdpError`] names the line.
    pub fn parse(octets: &[u8]) -> Result<Description, SdpError> {
        let mut found = Description { session: Section::default(), media: Vec::new() };
        let mut first = true;
        for (at, line) in octets.split(|&octet| octet == b'\n').enumerate() {
            let line = line.trim_ascii_end();
            if line.is_empty() {
                continue;
            }
            let (letter, value) = match line {
                [letter, b'=', value @ ..] if letter.is_ascii_alphabetic() => (*letter, value),
                _ => return Err(if first { SdpError::Version } else { SdpError::Line(at + 1) }),
            };
            if first && (letter != b'v' || value.trim_ascii() != b"0") {
                return Err(SdpError::Version);
            }
            first = false;
            if letter == b'm' {
                if found.media.len() >= MAX_MEDIA {
                    return Err(SdpError::TooManyMedia);
                }
                found.media.push(Media::parse(value).ok_or(SdpError::Media(at + 1))?);
            } else {
                let section =
                    found.media.last_mut().map_or(&mut found.session, |media| &mut media.section);
                section.lines.push(Line { letter, value: value.to_vec() });
            }
        }
        if first { Err(SdpError::Version) } else { Ok(found) }
    }

    /// The `o=` line: two descriptions of a dialog with the same one are the same (row B-10).
    pub fn origin(&self) -> Option<&[u8]> {
        self.session.lines(b'o').next()
    }
}

impl fmt::Debug for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Description({} media lines)", self.media.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_keep_their_order_and_octets() {
        let text = b"v=0\no=J\xe9r 1 1 IN IP4 192.0.2.1\r\ns=\nb=AS:\nm=audio 4000/2  RTP/AVP 8  101 \na=x:1\na=ptime: 20\na=x:2\n";
        let read = Description::parse(text).unwrap();
        assert_eq!(read.origin(), Some(&b"J\xe9r 1 1 IN IP4 192.0.2.1"[..]));
        let audio = &read.media[0];
        assert_eq!((audio.port, audio.formats.len()), (4000, 2));
        assert_eq!(audio.section.attributes("x").collect::<Vec<_>>(), [b"1", b"2"]);
        assert_eq!(audio.section.attributes("ptime").next(), Some(&b"20"[..]));
    }

    #[test]
    fn s_14_what_is_no_description_is_named() {
        assert_eq!(Description::parse(b""), Err(SdpError::Version));
        assert_eq!(Description::parse(b"hello"), Err(SdpError::Version));
        assert_eq!(Description::parse(b"v=1\r\n"), Err(SdpError::Version));
        assert_eq!(Description::parse(b"v=0\r\nnonsense\r\n"), Err(SdpError::Line(2)));
        assert_eq!(Description::parse(b"v=0\r\nm=audio x RTP/AVP 0\r\n"), Err(SdpError::Media(2)));
        assert_eq!(
            Description::parse(b"v=0\r\nm=audio 70000 RTP/AVP 0\r\n"),
            Err(SdpError::Media(2))
        );
        assert_eq!(Description::parse(b"v=0\r\nm=audio 4000 RTP/AVP\r\n"), Err(SdpError::Media(2)));
        let many = format!("v=0\r\n{}", "m=audio 0 RTP/AVP 0\r\n".repeat(33));
        assert_eq!(Description::parse(many.as_bytes()), Err(SdpError::TooManyMedia));
    }

    #[test]
    fn an_address_must_be_of_its_family() {
        assert_eq!(address(b"IN IP4 192.0.2.1/127"), "192.0.2.1".parse().ok());
        assert_eq!(address(b"IN IP6 2001:db8::1"), "2001:db8::1".parse().ok());
        assert_eq!(address(b"IN IP4 2001:db8::1"), None);
        assert_eq!(address(b"IN IP4 host.example"), None);
        assert_eq!(address(b"IN IP4"), None);
    }

    #[test]
    fn a_payload_type_is_what_its_rtpmap_says() {
        let text = b"v=0\r\nm=audio 4000 RTP/AVP 0 97 96\r\na=rtpmap:97 PCMA/8000/1\r\na=rtpmap:96 telephone-event/48000\r\n";
        let audio = Description::parse(text).unwrap().media.remove(0);
        assert_eq!(audio.encoding(0), Some((b"pcmu".to_vec(), 8000)));
        assert_eq!(audio.encoding(97), Some((b"pcma".to_vec(), 8000)));
        assert_eq!(audio.encoding(96), Some((b"telephone-event".to_vec(), 48_000)));
        assert_eq!(audio.encoding(98), None);
    }
}
