//! A received message: the octets as they came and a table of where its headers are.

use std::fmt;
use std::ops::Range;

use super::header::{key, same_name, split_list};
use super::method::Method;

/// The first line.
#[derive(Clone, PartialEq, Eq)]
pub enum Start {
    /// A request: method and Request-URI as written.
    Request {
        /// The method.
        method: Method,
        /// The Request-URI as written.
        uri: Vec<u8>,
    },
    /// A response: status and reason phrase as written.
    Response {
        /// 100 to 699.
        status: u16,
        /// The reason phrase, any octets.
        reason: Vec<u8>,
    },
}

/// Where a header's value is: in the received octets, or unfolded beside them.
#[derive(Clone)]
pub(crate) enum Value {
    /// On one line.
    Raw(Range<usize>),
    /// Was folded over several lines (RFC 3261 §7.3.1); each fold is one space here.
    Unfolded(Vec<u8>),
}

/// One row of the header table.
#[derive(Clone)]
pub(crate) struct Field {
    pub(crate) name: Range<usize>,
    /// The [`key`] of its name.
    pub(crate) key: u32,
    pub(crate) value: Value,
}

/// What is wrong with a message that is SIP but not right. A request with a fault is answered 400,
/// a response with one is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The request line or status line.
    StartLine,
    /// Another version than SIP/2.0 (answered 505).
    Version,
    /// A header line without a colon or with a name that is no token.
    HeaderLine,
    /// A carriage return inside a line.
    BareReturn,
    /// More headers than the limit, or a longer one.
    HeaderLimit,
    /// No empty line after the headers.
    Truncated,
    /// Content-Length is not a number, differs from another one, or exceeds the datagram.
    ContentLength,
    /// A header that every message needs is missing.
    Missing(&'static str),
    /// A header that may be there once is there more often.
    Repeated(&'static str),
    /// A header that cannot be read.
    Unreadable(&'static str),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::StartLine => f.write_str("Bad Request Line"),
            Fault::Version => f.write_str("Version Not Supported"),
            Fault::HeaderLine => f.write_str("Bad Header Line"),
            Fault::BareReturn => f.write_str("Bare Carriage Return"),
            Fault::HeaderLimit => f.write_str("Too Many Or Too Long Headers"),
            Fault::Truncated => f.write_str("Truncated Message"),
            Fault::ContentLength => f.write_str("Bad Content-Length"),
            Fault::Missing(name) => write!(f, "Missing {name}"),
            Fault::Repeated(name) => write!(f, "Repeated {name}"),
            Fault::Unreadable(name) => write!(f, "Bad {name}"),
        }
    }
}

impl std::error::Error for Fault {}

/// A message as received. Its `Debug` shows its shape and no value of it.
#[derive(Clone)]
pub struct Message {
    pub(crate) raw: Vec<u8>,
    pub(crate) start: Start,
    pub(crate) fields: Vec<Field>,
    pub(crate) body: Range<usize>,
    pub(crate) fault: Option<Fault>,
}

impl Message {
    /// The first line.
    pub fn start(&self) -> &Start {
        &self.start
    }

    /// The method, if it is a request.
    pub fn method(&self) -> Option<&Method> {
        match &self.start {
            Start::Request { method, .. } => Some(method),
            Start::Response { .. } => None,
        }
    }

    /// The Request-URI as written; empty for a response.
    pub fn request_uri(&self) -> &[u8] {
        match &self.start {
            Start::Request { uri, .. } => uri,
            Start::Response { .. } => b"",
        }
    }

    /// The status code, if it is a response.
    pub fn status(&self) -> Option<u16> {
        match &self.start {
            Start::Request { .. } => None,
            Start::Response { status, .. } => Some(*status),
        }
    }

    /// The first thing that is wrong with the message, if anything is.
    pub fn fault(&self) -> Option<Fault> {
        self.fault
    }

    /// Over a stream only Content-Length says where a message ends (RFC 3261 §18.3, §20.14).
    pub(crate) fn must_state_its_length(&mut self) {
        if self.fault.is_none() && self.first("Content-Length").is_none() {
            self.fault = Some(Fault::Missing("Content-Length"));
        }
    }

    /// The octets as received.
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// The body, cut to Content-Length.
    pub fn body(&self) -> &[u8] {
        self.raw.get(self.body.clone()).unwrap_or_default()
    }

    /// Name and value of every header line in order; names as written, values unfolded.
    pub fn headers(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.fields.iter().map(|field| (self.name(field), self.value(field)))
    }

    fn name(&self, field: &Field) -> &[u8] {
        self.raw.get(field.name.clone()).unwrap_or_default()
    }

    fn value<'a>(&'a self, field: &'a Field) -> &'a [u8] {
        match &field.value {
            Value::Raw(range) => self.raw.get(range.clone()).unwrap_or_default(),
            Value::Unfolded(value) => value.as_slice(),
        }
    }

    /// The values of every line of a header, in order, as written. Compact forms count.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        let key = key(name.as_bytes());
        let named = move |field: &&Field| self.is(field, key, name);
        self.fields.iter().filter(named).map(|field| self.value(field))
    }

    fn is(&self, field: &Field, key: u32, name: &str) -> bool {
        field.key == key && same_name(self.name(field), name.as_bytes())
    }

    /// The value of the first line of a header, as written.
    pub fn first(&self, name: &str) -> Option<&[u8]> {
        let key = key(name.as_bytes());
        let found = self.fields.iter().find(|field| self.is(field, key, name));
        found.map(|field| self.value(field))
    }

    /// The elements of a comma-separated header over all its lines, in order.
    pub fn list<'a>(&'a self, name: &'a str) -> Vec<&'a [u8]> {
        self.all(name).flat_map(split_list).collect()
    }

    /// Is an option tag or method in a list header (`Supported`, `Require`, `Allow`)?
    pub fn lists(&self, name: &str, item: &str) -> bool {
        self.list(name).iter().any(|found| found.eq_ignore_ascii_case(item.as_bytes()))
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.start {
            Start::Request { method, .. } => {
                write!(f, "Request({}", String::from_utf8_lossy(method.name()))?;
            }
            Start::Response { status, .. } => write!(f, "Response({status}")?,
        }
        write!(f, ", {} headers, {} octets of body)", self.fields.len(), self.body.len())
    }
}

impl fmt::Debug for Start {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Start::Request { method, .. } => write!(f, "{method:?}"),
            Start::Response { status, .. } => write!(f, "{status}"),
        }
    }
}
