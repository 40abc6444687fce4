//! A message that a test is writing; it goes out as it stands, right or wrong.

/// A SIP message to be sent. `Content-Length` is added unless the test writes one.
#[derive(Clone, Debug)]
pub struct Draft {
    start: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

impl Draft {
    /// A message with this start line and nothing else.
    #[must_use]
    pub fn new(start: impl Into<String>) -> Self {
        Self { start: start.into(), headers: Vec::new(), body: Vec::new() }
    }

    /// Another start line.
    #[must_use]
    pub fn starting(mut self, start: impl Into<String>) -> Self {
        self.start = start.into();
        self
    }

    /// Adds a header below the others.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    /// Adds a header above the others.
    #[must_use]
    pub fn above(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.insert(0, (name.to_owned(), value.as_ref().to_vec()));
        self
    }

    /// Takes all headers of this name out.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self
    }

    /// Puts one header in the place of all of this name.
    #[must_use]
    pub fn set(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let place = self.headers.iter().position(|(known, _)| known.eq_ignore_ascii_case(name));
        self = self.without(name);
        let place = place.unwrap_or(self.headers.len()).min(self.headers.len());
        self.headers.insert(place, (name.to_owned(), value.as_ref().to_vec()));
        self
    }

    /// The body and its type; an empty type writes none.
    #[must_use]
    pub fn body(mut self, kind: &str, body: impl AsRef<[u8]>) -> Self {
        self = self.without("Content-Type");
        if !kind.is_empty() {
            self = self.with("Content-Type", kind);
        }
        self.body = body.as_ref().to_vec();
        self
    }

    /// A session description as the body.
    #[must_use]
    pub fn sdp(self, body: impl AsRef<[u8]>) -> Self {
        self.body("application/sdp", body)
    }

    /// The first header of this name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let of = |(known, _): &&(String, Vec<u8>)| known.eq_ignore_ascii_case(name);
        self.headers.iter().find(of).and_then(|(_, value)| std::str::from_utf8(value).ok())
    }

    /// The octets on the wire.
    #[must_use]
    pub fn wire(&self) -> Vec<u8> {
        let mut out = format!("{}\r\n", self.start).into_bytes();
        for (name, value) in &self.headers {
            out.extend(name.as_bytes());
            out.extend(b": ");
            out.extend(value);
            out.extend(b"\r\n");
        }
        if self.header("Content-Length").is_none() && self.header("l").is_none() {
            out.extend(format!("Content-Length: {}\r\n", self.body.len()).as_bytes());
        }
        out.extend(b"\r\n");
        out.extend(&self.body);
        out
    }
}
