//! Whether a peer's sound is SRTP, and by which way its keys may travel.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Visitor, value::MapAccessDeserializer},
};

/// `srtp = "require"`, or a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    pub(super) wanted: Wanted,
    pub(super) keys_in_clear: bool,
}

/// The table.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    r#use: Wanted,
    #[serde(default)]
    keys_in_clear: bool,
}

/// Whether a peer's sound is SRTP.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(super) enum Wanted {
    /// Never.
    #[default]
    Off,
    /// If it can: taken, and offered beside plain sound (RFC 8643).
    Offer,
    /// Always, or there is no call.
    Require,
}

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Written;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "\"off\", \"offer\", \"require\" or { use = \"…\", keys_in_clear = true }",
                )
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Written, E> {
                let wanted = Wanted::deserialize(de::value::StrDeserializer::new(text))?;
                Ok(Written { wanted, keys_in_clear: false })
            }

            fn visit_map<A: MapAccess<'de>>(self, table: A) -> Result<Written, A::Error> {
                let Table { r#use, keys_in_clear } =
                    Table::deserialize(MapAccessDeserializer::new(table))?;
                Ok(Written { wanted: r#use, keys_in_clear })
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// The same, judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Srtp {
    pub(super) wanted: sip::Srtp,
    pub(super) keys_in_clear: bool,
}

impl Srtp {
    /// What a leg has whose signalling takes this transport: keys are told under TLS alone, unless the
    /// configuration says otherwise. `None`: SRTP is required and cannot be.
    #[must_use]
    pub fn over(self, transport: sip::Transport) -> Option<sip::Srtp> {
        let told = self.keys_in_clear || transport == sip::Transport::Tls;
        match self.wanted {
            wanted if told => Some(wanted),
            sip::Srtp::Off | sip::Srtp::Offer => Some(sip::Srtp::Off),
            sip::Srtp::Require => None,
        }
    }

    /// In words, unless it is off.
    #[must_use]
    pub fn told(self) -> Option<&'static str> {
        let how = match self.wanted {
            sip::Srtp::Off => return None,
            sip::Srtp::Offer => [
                "SRTP where the other side has it",
                "SRTP where the other side has it, its keys told in the clear",
            ],
            sip::Srtp::Require => ["always SRTP", "always SRTP, its keys told in the clear"],
        };
        how.get(usize::from(self.keys_in_clear)).copied()
    }
}
