//! Writing a message: every value passes one gate that lets no line break through.

use std::borrow::Cow;
use std::sync::Arc;

use super::method::Method;

/// A body and what it is. Whoever keeps a copy of it shares its octets.
#[derive(Clone, PartialEq, Eq)]
pub struct Body {
    content_type: Cow<'static, str>,
    octets: Arc<[u8]>,
}

impl Body {
    /// Any body.
    pub fn new(content_type: &str, octets: Vec<u8>) -> Body {
        Body { content_type: content_type.to_owned().into(), octets: octets.into() }
    }

    /// A session description.
    pub fn sdp(octets: Vec<u8>) -> Body {
        Body { content_type: "application/sdp".into(), octets: octets.into() }
    }

    /// The media type with its parameters.
    pub fn content_type(&self) -> &str {
        &self.content_type
    }

    /// The octets.
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Body({}, {} octets)", self.content_type, self.octets.len())
    }
}

/// A message in the making.
pub(crate) struct Builder {
    out: Vec<u8>,
}

impl Builder {
    pub(crate) fn request(method: &Method, uri: &[u8]) -> Builder {
        let mut builder = Builder { out: Vec::with_capacity(1024) };
        builder.push(method.name());
        builder.out.push(b' ');
        builder.push(uri);
        builder.out.extend_from_slice(b" SIP/2.0\r\n");
        builder
    }

    pub(crate) fn response(status: u16, reason: &[u8]) -> Builder {
        let mut builder = Builder { out: Vec::with_capacity(1024) };
        builder.out.extend_from_slice(format!("SIP/2.0 {status} ").as_bytes());
        builder.push(reason);
        builder.out.extend_from_slice(b"\r\n");
        builder
    }

    /// One header line.
    pub(crate) fn header(&mut self, name: &[u8], value: &[u8]) -> &mut Builder {
        self.push(name);
        self.out.extend_from_slice(b": ");
        self.push(value);
        self.out.extend_from_slice(b"\r\n");
        self
    }

    /// The end of the headers and the body.
    pub(crate) fn finish(mut self, body: Option<&Body>) -> Vec<u8> {
        let octets = body.map_or(&b""[..], |body| body.octets());
        if let Some(body) = body {
            self.header(b"Content-Type", body.content_type.as_bytes());
        }
        self.header(b"Content-Length", octets.len().to_string().as_bytes());
        self.out.extend_from_slice(b"\r\n");
        self.out.extend_from_slice(octets);
        self.out
    }

    /// The gate (row S-16): a line break or NUL becomes a space, whatever brought it here.
    fn push(&mut self, text: &[u8]) {
        self.out.extend(
            text.iter().map(|&octet| if matches!(octet, b'\r' | b'\n' | 0) { b' ' } else { octet }),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s_16_no_value_starts_a_line_of_its_own() {
        let mut builder = Builder::request(&Method::INVITE, b"sip:a\r\nX: y@b");
        builder.header(b"Subject", b"hello\r\n\r\nX-Evil: 1\0");
        let text =
            String::from_utf8(builder.finish(Some(&Body::sdp(b"v=0\r\n".to_vec())))).unwrap();
        let lines: Vec<&str> = text.split("\r\n").collect();
        assert_eq!(lines[0], "INVITE sip:a  X: y@b SIP/2.0");
        assert_eq!(lines[1], "Subject: hello    X-Evil: 1 ");
        assert_eq!(
            &lines[2..],
            ["Content-Type: application/sdp", "Content-Length: 5", "", "v=0", ""]
        );
    }
}
