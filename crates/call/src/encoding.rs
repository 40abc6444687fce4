//! The stable text form of facts and evidence: one `name value` line each, readable in a court.

use std::fmt::{Display, Write};

/// Writes `name value` lines under a first line that names the form.
pub(crate) struct Encoder(String);

impl Encoder {
    /// Begins a text of the form `title`.
    pub(crate) fn new(title: &str) -> Self {
        Self(format!("{title}\n"))
    }

    /// Adds a line. A line end, another control character or `%` in a value is written `%XX`, so
    /// that no value can pretend to be a field.
    pub(crate) fn field(&mut self, name: &str, value: impl Display) {
        self.0.push_str(name);
        self.0.push(' ');
        for c in value.to_string().chars() {
            if c == '%' || c.is_control() {
                let mut bytes = [0; 4];
                for byte in c.encode_utf8(&mut bytes).bytes() {
                    let _never_fails = write!(self.0, "%{byte:02X}");
                }
            } else {
                self.0.push(c);
            }
        }
        self.0.push('\n');
    }

    /// The finished text.
    pub(crate) fn finish(self) -> Vec<u8> {
        self.0.into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::Encoder;

    #[test]
    fn a_value_cannot_pretend_to_be_a_field() {
        let mut text = Encoder::new("form/v1");
        text.field("name", "a\nverdict recorded 100%\u{85}");
        assert_eq!(text.finish(), b"form/v1\nname a%0Averdict recorded 100%25%C2%85\n");
    }
}
