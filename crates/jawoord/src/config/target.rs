//! Where requests to a peer go: its targets as they are written, and as they are judged.

use std::{fmt, net::IpAddr, sync::Arc, time::Duration};

use serde::{
    Deserialize, Deserializer,
    de::{self, SeqAccess, Visitor, value::SeqAccessDeserializer},
};

use sip::Credentials;

use super::{
    account::Proof, exit::Exit, inside::Holds, latching::Latching, problem::Problem, srtp::Srtp,
};
use crate::rewrite::Rewrites;

/// One `[[trunk.target]]` or `[[pbx.target]]`.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Written {
    /// A name, an IPv4 or an IPv6 address.
    pub host: String,
    /// Its port. A name without a port is looked up as SRV first (RFC 3263 §4.2).
    pub port: Option<u16>,
    /// How messages travel.
    #[serde(default)]
    pub transport: Transport,
    /// Lower is tried first; by default the place in the file.
    pub priority: Option<u16>,
    /// The share of calls among targets of one priority (RFC 2782).
    #[serde(default = "one")]
    pub weight: u16,
}

const fn one() -> u16 {
    1
}

/// How messages travel to a target.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// Datagrams.
    #[default]
    Udp,
    /// A stream.
    Tcp,
    /// A stream under TLS.
    Tls,
}

impl Transport {
    /// The same in the protocol's words.
    #[must_use]
    pub const fn on_the_wire(self) -> sip::Transport {
        match self {
            Self::Udp => sip::Transport::Udp,
            Self::Tcp => sip::Transport::Tcp,
            Self::Tls => sip::Transport::Tls,
        }
    }

    /// The port of a target that names none (RFC 3261 §19.1.2).
    #[must_use]
    pub const fn port(self) -> u16 {
        match self {
            Self::Udp | Self::Tcp => 5060,
            Self::Tls => 5061,
        }
    }

    /// The name in the configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
        }
    }
}

/// `target = "host:port"`, or any number of `[[…target]]` tables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Targets(pub Vec<Written>);

impl<'de> Deserialize<'de> for Targets {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Targets;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text such as \"192.0.2.1:5060\", or tables with a `host` each")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Targets, E> {
                Ok(Targets(vec![Written::short(text)]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, tables: A) -> Result<Targets, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(tables)).map(Targets)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl Written {
    /// The one-line form: `host`, `host:port`, `192.0.2.1:5060`, `[2001:db8::1]:5060`.
    #[must_use]
    pub fn short(text: &str) -> Self {
        let split = text.rsplit_once(':').filter(|(host, _)| {
            // The colons of a bare IPv6 address are no port's.
            !host.contains(':') || host.starts_with('[') && host.ends_with(']')
        });
        let (host, port) = match split {
            Some((host, port)) => match port.parse() {
                Ok(port) => (host, Some(port)),
                // Judged as a whole, so that the fault is named as it was written.
                Err(_) => (text, None),
            },
            None => (text, None),
        };
        Self {
            host: host.to_owned(),
            port,
            transport: Transport::Udp,
            priority: None,
            weight: one(),
        }
    }
}

/// The host of a target.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Host {
    /// A numeric address: DNS is never asked.
    Ip(IpAddr),
    /// A name in lower case, without a dot at its end.
    Name(Arc<str>),
}

impl Host {
    /// Reads a host; `None` for what is neither an address nor a host name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match sip::Host::parse(text)? {
            sip::Host::Ip(ip) => Some(Self::Ip(ip.to_canonical())),
            sip::Host::Name(name) => {
                let name = name.trim_end_matches('.').to_ascii_lowercase();
                let label = |label: &str| {
                    (1..=63).contains(&label.len())
                        && !label.starts_with('-')
                        && !label.ends_with('-')
                };
                // A name of digits and dots is an address with a mistake in it.
                let numeric = name.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
                (name.len() <= 253 && !numeric && name.split('.').all(label))
                    .then(|| Self::Name(name.into()))
            }
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(IpAddr::V6(ip)) => write!(f, "[{ip}]"),
            Self::Ip(ip) => ip.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// One target, judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Its host.
    pub host: Host,
    /// Its port, if it is written.
    pub port: Option<u16>,
    /// How messages travel.
    pub transport: Transport,
    /// Lower is tried first.
    pub priority: u16,
    /// The share among targets of one priority.
    pub weight: u16,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.host.fmt(f)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        write!(f, "/{}", self.transport.as_str())
    }
}

/// When a target counts as down and as up again (row R-17).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watch {
    /// Time between OPTIONS; `None` sends none and takes the target for up.
    pub keepalive: Option<Duration>,
    /// So many in a row unanswered, and it is down.
    pub down_after: u8,
    /// So many in a row answered, and it is up again.
    pub up_after: u8,
}

/// How long a call stays with one target while there is another one to go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Without any response to the INVITE, not even 100.
    pub silent: Duration,
    /// Without an answer; `None` lets it ring for as long as the line's policy does, and takes the
    /// target's word for it when it says 408 or 480 (row B-20).
    pub no_answer: Option<Duration>,
}

/// How a peer is reached.
#[derive(Clone, Debug)]
pub struct Reach {
    /// The targets, in the order of the file.
    pub targets: Vec<Target>,
    /// How they are watched.
    pub watch: Watch,
    /// How long each is waited for.
    pub patience: Patience,
    /// How numbers are written there.
    pub rewrites: Rewrites,
    /// By which way.
    pub exit: Exit,
    /// What its challenges are answered with.
    pub digest: Option<Arc<Credentials>>,
    /// What its calls must prove.
    pub challenge: Option<Arc<Proof>>,
    /// How often its calls are refreshed; `None` for no timer.
    pub session: Option<sip::SessionTimer>,
    /// What becomes of its holds.
    pub holds: Holds,
    /// Whether its sound is SRTP.
    pub srtp: Srtp,
    /// What is learned of where it sends from.
    pub latching: Option<Latching>,
}

impl Reach {
    /// What holds for a leg of this peer whose signalling takes this transport to or from this address;
    /// `None` when it must be SRTP and its keys would travel in the clear.
    #[must_use]
    pub fn terms(&self, transport: sip::Transport, address: IpAddr) -> Option<Terms> {
        let srtp = self.srtp.over(transport)?;
        let latching = self.latching.map(|latching| latching.of(address));
        Some(Terms { holds: self.holds, srtp, latching })
    }
}

/// What holds for one leg.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// What becomes of its side's holds.
    pub holds: Holds,
    /// Whether it is SRTP.
    pub srtp: sip::Srtp,
    /// What is learned of where its side sends from.
    pub latching: Option<media::Latching>,
}

/// The keys that a trunk and a PBX have alike.
pub struct Keys<'a> {
    /// The targets as written.
    pub targets: &'a [Written],
    /// `keepalive_s`.
    pub keepalive_s: u32,
    /// `down_after`.
    pub down_after: u8,
    /// `up_after`.
    pub up_after: u8,
    /// `silent_after_s`.
    pub silent_after_s: u32,
    /// `no_answer_s`.
    pub no_answer_s: u32,
}

impl Keys<'_> {
    /// Judges them; what is wrong is added to `problems`.
    pub fn judge(&self, place: &str, problems: &mut Vec<Problem>) -> Reach {
        let mut at_least_one = |key: &'static str, value: u8| {
            if value == 0 {
                problems.push(Problem::value(place, key, value, "use 1 or more"));
            }
            value.max(1)
        };
        let watch = Watch {
            keepalive: seconds(self.keepalive_s),
            down_after: at_least_one("down_after", self.down_after),
            up_after: at_least_one("up_after", self.up_after),
        };
        let silent = seconds(self.silent_after_s).unwrap_or_else(|| {
            let mend = "use 1 or more; a silent target would hold the call";
            problems.push(Problem::value(place, "silent_after_s", self.silent_after_s, mend));
            Duration::from_secs(1)
        });
        let patience = Patience { silent, no_answer: seconds(self.no_answer_s) };
        let mut targets = Vec::new();
        for (index, written) in self.targets.iter().enumerate() {
            match target(written, index) {
                Some(target) if targets.contains(&target) => {
                    let mend = "the same target stands there twice; leave one out";
                    problems.push(Problem::value(place, "target", target, mend));
                }
                Some(target) => targets.push(target),
                None => {
                    let mend = "use a host name or an address, and a port from 1 to 65535, such \
                                as \"192.0.2.1:5060\"";
                    problems.push(Problem::value(place, "target", &written.host, mend));
                }
            }
        }
        Reach {
            targets,
            watch,
            patience,
            rewrites: Rewrites::default(),
            exit: Exit::default(),
            digest: None,
            challenge: None,
            session: None,
            holds: Holds::default(),
            srtp: Srtp::default(),
            latching: None,
        }
    }
}

fn seconds(written: u32) -> Option<Duration> {
    (written > 0).then(|| Duration::from_secs(u64::from(written)))
}

fn target(written: &Written, index: usize) -> Option<Target> {
    // No port at all is left to DNS or the default; port 0 cannot be meant.
    if written.port == Some(0) {
        return None;
    }
    Some(Target {
        host: Host::parse(&written.host)?,
        port: written.port,
        transport: written.transport,
        priority: written.priority.unwrap_or_else(|| u16::try_from(index).unwrap_or(u16::MAX)),
        weight: written.weight,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn short(text: &str) -> Option<String> {
        target(&Written::short(text), 0).map(|target| target.to_string())
    }

    #[test]
    fn a_target_on_one_line_is_a_host_with_or_without_a_port() {
        for (text, reads) in [
            ("192.0.2.1:5070", "192.0.2.1:5070/udp"),
            ("192.0.2.1", "192.0.2.1/udp"),
            ("[2001:db8::1]:5070", "[2001:db8::1]:5070/udp"),
            ("2001:db8::1", "[2001:db8::1]/udp"),
            ("PBX.example.net.:5070", "pbx.example.net:5070/udp"),
            ("pbx", "pbx/udp"),
        ] {
            assert_eq!(short(text).as_deref(), Some(reads), "{text}");
        }
        for text in ["", ":5060", "pbx:0", "pbx:70000", "192.0.2.300:5060", "a b", "-a.example"] {
            assert_eq!(short(text), None, "{text}");
        }
    }

    #[test]
    fn targets_without_a_priority_are_tried_in_the_order_of_the_file() {
        #[derive(Deserialize)]
        struct File {
            target: Targets,
        }
        let text = "[[target]]\nhost = \"192.0.2.1\"\n[[target]]\nhost = \"b.example\"\n\
                    transport = \"tls\"\n[[target]]\nhost = \"192.0.2.1\"\npriority = 0\nweight = 9\n";
        let file: File = toml::from_str(text).unwrap();
        let mut problems = Vec::new();
        let keys = Keys {
            targets: &file.target.0,
            keepalive_s: 30,
            down_after: 2,
            up_after: 1,
            silent_after_s: 8,
            no_answer_s: 0,
        };
        let reach = keys.judge("pbx \"a\"", &mut problems);
        assert_eq!(problems, []);
        let read = |target: &Target| (target.priority, target.weight, target.transport);
        assert_eq!(
            reach.targets.iter().map(read).collect::<Vec<_>>(),
            [(0, 1, Transport::Udp), (1, 1, Transport::Tls), (0, 9, Transport::Udp)]
        );
        let error = toml::from_str::<File>("target = 7").err().unwrap().to_string();
        assert!(error.contains("a text such as"), "{error}");
    }

    #[test]
    fn what_cannot_be_meant_is_named_with_its_mend() {
        let keys = Keys {
            targets: &[Written::short("192.0.2.300:5060")],
            keepalive_s: 30,
            down_after: 0,
            up_after: 1,
            silent_after_s: 0,
            no_answer_s: 0,
        };
        let mut problems = Vec::new();
        let _judged = keys.judge("trunk \"a\"", &mut problems);
        let said: Vec<String> = problems.iter().map(Problem::to_string).collect();
        assert_eq!(said.len(), 3, "{said:?}");
        assert!(said[0].starts_with("trunk \"a\": `down_after` is \"0\"; use 1"), "{said:?}");
        assert!(
            said[2].contains("192.0.2.300:5060") || said[2].contains("192.0.2.300"),
            "{said:?}"
        );
    }
}
