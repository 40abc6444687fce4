//! A message as it came in, and the questions that a test asks about it.

use std::{net::SocketAddr, time::Instant};

use crate::exchange::message;

/// A SIP message that a peer has received.
#[derive(Clone, Debug)]
pub struct Seen {
    /// When.
    pub at: Instant,
    /// From where.
    pub from: SocketAddr,
    /// As it came.
    pub octets: Vec<u8>,
    /// The same as text; what is not UTF-8 is replaced.
    pub text: String,
}

impl Seen {
    /// The status of a response.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        message::status(&self.text)
    }

    /// The method of a request.
    #[must_use]
    pub fn method(&self) -> Option<&str> {
        let first = self.text.split(' ').next()?;
        (first != "SIP/2.0").then_some(first)
    }

    /// The Request-URI.
    ///
    /// # Panics
    /// It is a response.
    #[must_use]
    pub fn uri(&self) -> &str {
        assert!(self.method().is_some(), "no request:\n{}", self.text);
        self.text.split(' ').nth(1).expect("a request line")
    }

    /// The first header of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        message::header(&self.text, name)
    }

    /// The first header of this name, which must be there.
    ///
    /// # Panics
    /// It is not.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.get(name).unwrap_or_else(|| panic!("no {name} in\n{}", self.text))
    }

    /// All headers of this name in order, one entry a line.
    #[must_use]
    pub fn headers(&self, name: &str) -> Vec<&str> {
        let head = self.text.split("\r\n\r\n").next().unwrap_or_default();
        let lines = head.lines().skip(1).filter_map(|line| line.split_once(':'));
        let of = lines.filter(|(found, _)| found.trim().eq_ignore_ascii_case(name));
        of.map(|(_, value)| value.trim()).collect()
    }

    /// Number and method of `CSeq`.
    ///
    /// # Panics
    /// It has none.
    #[must_use]
    pub fn cseq(&self) -> (u32, &str) {
        let (number, method) = self.header("CSeq").split_once(' ').expect("a number and a method");
        (number.parse().expect("a number"), method.trim())
    }

    /// The tag of `To` or `From`.
    #[must_use]
    pub fn tag(&self, name: &str) -> Option<&str> {
        let (_, tag) = self.header(name).split_once(";tag=")?;
        tag.split(';').next()
    }

    /// The URI of `Contact`.
    ///
    /// # Panics
    /// There is none.
    #[must_use]
    pub fn contact(&self) -> &str {
        message::uri(self.header("Contact"))
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> &str {
        self.text.split_once("\r\n\r\n").map_or("", |(_, body)| body)
    }

    /// The value of the first line of the session description that starts so.
    #[must_use]
    pub fn line(&self, start: &str) -> Option<&str> {
        self.body().lines().find_map(|line| line.strip_prefix(start)).map(str::trim)
    }

    /// Where the session description wants its sound.
    ///
    /// # Panics
    /// It has no address.
    #[must_use]
    pub fn sound(&self) -> SocketAddr {
        message::address_of(self.body())
            .unwrap_or_else(|| panic!("no place for sound in\n{}", self.text))
    }
}
