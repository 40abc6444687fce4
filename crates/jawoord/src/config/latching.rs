//! Whether a peer behind a NAT is learned from its packets (row S-02).

use std::{fmt, net::IpAddr, time::Duration};

use media::Near;
use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Visitor, value::MapAccessDeserializer},
};

use super::problem::Problem;

/// `latching = "same-ip"`, or a table.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
struct Table {
    from: From,
    /// For how long after a description, in milliseconds.
    #[serde(default = "window")]
    window_ms: u32,
    /// How many packets of one stream it takes.
    #[serde(default = "packets")]
    packets: u8,
}

const fn window() -> u32 {
    5_000
}

const fn packets() -> u8 {
    4
}

/// From how near.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
enum From {
    /// Nothing is learned.
    #[default]
    Off,
    /// From the address in the description or that of signalling.
    SameIp,
    /// From the /24 of either, or the /64 of IPv6.
    #[serde(rename = "same-24")]
    Same24,
    /// From anywhere.
    Any,
}

/// The key as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written(Table);

impl Default for Written {
    fn default() -> Self {
        Self::of(From::Off)
    }
}

impl Written {
    const fn of(from: From) -> Self {
        Self(Table { from, window_ms: window(), packets: packets() })
    }
}

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Written;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "\"off\", \"same-ip\", \"same-24\", \"any\" or { from = \"…\", packets = 4 }",
                )
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Written, E> {
                From::deserialize(de::value::StrDeserializer::new(text)).map(Written::of)
            }

            fn visit_map<A: MapAccess<'de>>(self, table: A) -> Result<Written, A::Error> {
                Table::deserialize(MapAccessDeserializer::new(table)).map(Written)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// The same, judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Latching {
    near: Near,
    window: Duration,
    packets: u8,
}

impl Latching {
    /// For a leg whose signalling comes from this address.
    #[must_use]
    pub const fn of(self, signalling: IpAddr) -> media::Latching {
        let Self { near, window, packets } = self;
        media::Latching { near, signalling, window, packets }
    }
}

/// Judges it; `None` when nothing is learned.
pub(super) fn latching(
    written: Written,
    place: &str,
    problems: &mut Vec<Problem>,
) -> Option<Latching> {
    let Table { from, window_ms, packets } = written.0;
    let near = match from {
        From::Off => return None,
        From::SameIp => Near::SameAddress,
        From::Same24 => Near::SameNetwork,
        From::Any => Near::Anywhere,
    };
    if !(100..=60_000).contains(&window_ms) {
        let mend = "use 100 to 60000 milliseconds; the longer, the more time an intruder has";
        problems.push(Problem::value(place, "latching", window_ms, mend));
    }
    if !(2..=100).contains(&packets) {
        let mend = "use 2 to 100 packets; one packet proves no stream";
        problems.push(Problem::value(place, "latching", packets, mend));
    }
    Some(Latching { near, window: Duration::from_millis(u64::from(window_ms)), packets })
}

impl Written {
    /// Whether anybody could be taken for the peer.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self.0.from, From::Any)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Peer {
        latching: Written,
    }

    fn judged(value: &str) -> Result<(Option<Latching>, usize), toml::de::Error> {
        let Peer { latching: written } = toml::from_str(&format!("latching = {value}"))?;
        let mut problems = Vec::new();
        Ok((latching(written, "trunk", &mut problems), problems.len()))
    }

    #[test]
    fn s_02_what_is_learned_of_a_peer_is_said_in_a_word_or_a_table() {
        assert_eq!(judged("\"off\"").unwrap(), (None, 0));
        let usual = |near| Latching { near, window: Duration::from_secs(5), packets: 4 };
        for (word, near) in [
            ("same-ip", Near::SameAddress),
            ("same-24", Near::SameNetwork),
            ("any", Near::Anywhere),
        ] {
            assert_eq!(judged(&format!("\"{word}\"")).unwrap(), (Some(usual(near)), 0));
            assert_eq!(
                judged(&format!("{{ from = \"{word}\" }}")).unwrap(),
                (Some(usual(near)), 0)
            );
        }
        let (own, _) = judged("{ from = \"any\", window_ms = 900, packets = 9 }").unwrap();
        let wanted =
            Latching { near: Near::Anywhere, window: Duration::from_millis(900), packets: 9 };
        assert_eq!(own, Some(wanted));
    }

    #[test]
    fn what_cannot_be_meant_is_named() {
        for bad in ["\"yes\"", "true", "{}", "{ packets = 4 }", "{ from = \"any\", port = 1 }"] {
            assert!(judged(bad).is_err(), "{bad}");
        }
        for bad in ["packets = 1", "packets = 101", "window_ms = 99", "window_ms = 60001"] {
            assert_eq!(judged(&format!("{{ from = \"any\", {bad} }}")).unwrap().1, 1, "{bad}");
        }
    }
}
