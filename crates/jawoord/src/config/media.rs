//! `[media]`: the ranges of ports that sound comes and goes by, and what callers hear there.

use std::{net::IpAddr, sync::Arc, time::Duration};

use serde::Deserialize;
use sip::Codec;

use super::{listener::is_link_local, problem::Problem};

/// Media ports and threads.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Written {
    /// The address RTP sockets bind to.
    pub bind: IpAddr,
    /// What peers are told instead, behind a 1:1 NAT.
    pub advertised_address: Option<IpAddr>,
    /// First UDP port (even).
    pub port_min: u16,
    /// Last UDP port.
    pub port_max: u16,
    /// Further ranges, for peers that are reached by another address.
    pub range: Vec<WrittenRange>,
    /// Media threads; 0 is by the machine's cores.
    pub workers: usize,
    /// The codecs that are spoken, best first: `pcma`, `pcmu`, `g722`, `opus`.
    pub codecs: Vec<WrittenCodec>,
    /// Country whose ring-back and busy tones callers hear: `nl`, `de`, `fr`, `gb`.
    pub tones: String,
    /// Whether tones in the sound are keys also where telephone events are agreed.
    pub tones_beside_events: bool,
    /// What becomes of telephone events on a payload type that was not agreed.
    pub stray_events: Stray,
    /// How a side that has not agreed on telephone events is given the other's keys.
    pub keys_without_events: Keys,
    /// A bridged call in which neither party sends anything for so long is ended; 0 never.
    pub dead_call_s: u32,
    /// The same for a call on hold.
    pub dead_hold_s: u32,
}

impl Default for Written {
    fn default() -> Self {
        Self {
            bind: IpAddr::from([127, 0, 0, 1]),
            advertised_address: None,
            port_min: 20_000,
            port_max: 29_999,
            range: Vec::new(),
            workers: 0,
            codecs: vec![WrittenCodec::Pcma, WrittenCodec::Pcmu, WrittenCodec::G722],
            tones: "nl".to_owned(),
            tones_beside_events: false,
            stray_events: Stray::Ignore,
            keys_without_events: Keys::Tones,
            dead_call_s: 60,
            dead_hold_s: 900,
        }
    }
}

/// What becomes of telephone events on a payload type that was not agreed (row D-12).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stray {
    /// They are ignored.
    #[default]
    Ignore,
    /// They are keys.
    Accept,
}

/// How a side without telephone events is given keys (row D-19).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keys {
    /// As tones in the sound, which every peer can hear.
    #[default]
    Tones,
    /// By SIP INFO (`application/dtmf-relay`).
    Info,
}

/// A codec as it is written.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum WrittenCodec {
    /// G.711 A-law.
    Pcma,
    /// G.711 µ-law.
    Pcmu,
    /// G.722 at 64 kbit/s.
    G722,
    /// Opus, passed on between two sides that both speak it.
    Opus,
}

/// A range of media ports with an address of its own.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrittenRange {
    /// Its name, for the trunks and PBXs that use it.
    pub name: String,
    /// The address RTP sockets bind to.
    pub bind: IpAddr,
    /// What peers are told instead, behind a 1:1 NAT.
    pub advertised_address: Option<IpAddr>,
    /// First UDP port (even).
    pub port_min: u16,
    /// Last UDP port.
    pub port_max: u16,
}

/// A range of ports of one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    /// Its name; the first one, that of [media] itself, has none.
    pub name: Option<Box<str>>,
    /// Where sockets bind.
    pub bind: IpAddr,
    /// What peers are told.
    pub advertised: IpAddr,
    /// Even RTP ports from the first to the last.
    pub ports: (u16, u16),
}

/// Media addresses, ports and threads.
#[derive(Clone, Debug)]
pub struct MediaSettings {
    /// The ranges; that of [media] itself is the first one.
    pub ranges: Vec<Range>,
    /// Threads; 0 is by the machine's cores.
    pub workers: usize,
    /// What is spoken, best first.
    pub codecs: Arc<[Codec]>,
    /// Whose tones are heard.
    pub tones: Box<str>,
    /// How a side without telephone events is given keys.
    pub keys: Keys,
    /// Whether tones are keys beside telephone events (row D-18).
    pub tones_beside_events: bool,
    /// What becomes of telephone events on a payload type that was not agreed (row D-12).
    pub stray: Stray,
    /// How long neither party of a bridged call may send nothing (row B-33).
    pub dead_call: Option<Duration>,
    /// The same on hold.
    pub dead_hold: Option<Duration>,
}

/// More threads than these carry more calls than an address has ports: some 2,000 each, of four ports.
const MOST_THREADS: usize = 8;

impl MediaSettings {
    /// How many threads there are on a machine of so many cores: as many as are written, or one a core
    /// but one, which signalling, sealing and storing keep.
    #[must_use]
    pub const fn threads(&self, cores: usize) -> usize {
        match (self.workers, cores) {
            (0, 0..=2) => 1,
            (0, cores) if cores - 1 > MOST_THREADS => MOST_THREADS,
            (0, cores) => cores - 1,
            (written, _) => written,
        }
    }
}

/// Judges `[media]`.
pub(super) fn media(media: &Written, problems: &mut Vec<Problem>) -> MediaSettings {
    if media.workers > 256 {
        let mend = "use 1 to 256, or 0 for one a core but one";
        problems.push(Problem::value("media", "workers", media.workers, mend));
    }
    if media::Country::from_code(&media.tones.to_uppercase()).is_none() {
        let mend = "use `nl`, `de`, `fr` or `gb`";
        problems.push(Problem::value("media", "tones", &media.tones, mend));
    }
    let own = (media.bind, media.advertised_address, (media.port_min, media.port_max));
    let mut ranges = vec![range(None, own, problems)];
    for more in &media.range {
        let written = (more.bind, more.advertised_address, (more.port_min, more.port_max));
        let new = range(Some(&more.name), written, problems);
        let place = format!("media.range \"{}\"", more.name);
        if ranges.iter().any(|range| range.name == new.name) {
            let mend = "another range has this name; give each its own";
            problems.push(Problem::value(&place, "name", &more.name, mend));
        }
        let overlaps = |range: &Range| {
            let (ours, theirs) = (new.ports, range.ports);
            let both =
                range.bind == new.bind || range.bind.is_unspecified() || new.bind.is_unspecified();
            both && ours.0 <= theirs.1 && theirs.0 <= ours.1
        };
        if ranges.iter().any(overlaps) {
            let mend =
                "another range has some of these ports on the same address; give each its own";
            problems.push(Problem::value(&place, "port_min", more.port_min, mend));
        }
        ranges.push(new);
    }
    MediaSettings {
        ranges,
        workers: media.workers,
        codecs: codecs(&media.codecs, problems),
        tones: media.tones.as_str().into(),
        keys: media.keys_without_events,
        tones_beside_events: media.tones_beside_events,
        stray: media.stray_events,
        dead_call: patience("dead_call_s", media.dead_call_s, problems),
        dead_hold: patience("dead_hold_s", media.dead_hold_s, problems),
    }
}

/// What is spoken: each codec once, and G.711 among them, which every peer knows.
fn codecs(written: &[WrittenCodec], problems: &mut Vec<Problem>) -> Arc<[Codec]> {
    let named = |codec: &WrittenCodec| match codec {
        WrittenCodec::Pcma => Codec::Pcma,
        WrittenCodec::Pcmu => Codec::Pcmu,
        WrittenCodec::G722 => Codec::G722,
        WrittenCodec::Opus => Codec::Opus,
    };
    let codecs: Arc<[Codec]> = written.iter().map(named).collect();
    let twice = codecs
        .iter()
        .enumerate()
        .any(|(at, codec)| codecs.iter().skip(at + 1).any(|other| other == codec));
    let names: Vec<_> = codecs.iter().map(|codec| codec.name().to_lowercase()).collect();
    if twice {
        let mend = "one stands twice; name each codec once, the best first";
        problems.push(Problem::value("media", "codecs", names.join(", "), mend));
    }
    if !codecs.iter().any(|codec| matches!(codec, Codec::Pcma | Codec::Pcmu)) {
        let mend = "add `pcma` or `pcmu`, which every peer speaks";
        problems.push(Problem::value("media", "codecs", names.join(", "), mend));
    }
    codecs
}

fn range(
    name: Option<&String>,
    (bind, advertised, (first, last)): (IpAddr, Option<IpAddr>, (u16, u16)),
    problems: &mut Vec<Problem>,
) -> Range {
    let place = name.map_or_else(|| "media".to_owned(), |name| format!("media.range \"{name}\""));
    let even = first.saturating_add(first % 2);
    if first < 1024 || last < even.saturating_add(7) {
        problems.push(Problem::value(
            &place,
            "port_max",
            last,
            "give a range above 1023 with at least eight ports; a call takes four",
        ));
    }
    if bind.is_unspecified() && advertised.is_none() {
        let mend = "media on every address needs the one that peers reach it by";
        problems.push(Problem::missing(&place, "advertised_address", mend));
    }
    let told = advertised.unwrap_or(bind);
    if is_link_local(told) {
        let mend = "a link-local address means nothing to another machine; use a routed one";
        problems.push(Problem::value(&place, "advertised_address", told, mend));
    }
    Range {
        name: name.map(|name| name.as_str().into()),
        bind,
        advertised: told,
        ports: (even, last),
    }
}

/// How long silence on the wire is borne; speech has pauses, and some phones send nothing in them.
fn patience(key: &'static str, seconds: u32, problems: &mut Vec<Problem>) -> Option<Duration> {
    if seconds > 0 && seconds < 5 {
        problems.push(Problem::value("media", key, seconds, "use 5 or more, or 0 for never"));
    }
    (seconds > 0).then(|| Duration::from_secs(u64::from(seconds)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(text: &str) -> Vec<String> {
        let mut problems = Vec::new();
        let _judged = media(&toml::from_str(text).unwrap(), &mut problems);
        problems.iter().map(Problem::to_string).collect()
    }

    #[test]
    fn a_core_is_left_to_the_others_and_more_threads_than_ports_are_none() {
        let threads = |text: &str, cores| {
            media(&toml::from_str(text).unwrap(), &mut Vec::new()).threads(cores)
        };
        assert_eq!([0, 1, 2, 3, 9, 10, 128].map(|cores| threads("", cores)), [1, 1, 1, 2, 8, 8, 8]);
        assert_eq!((threads("workers = 3", 1), threads("workers = 40", 2)), (3, 40));
        assert!(judged("workers = 257")[0].contains("`workers` is \"257\""));
    }

    #[test]
    fn codecs_are_named_once_and_g_711_is_among_them() {
        assert_eq!(judged("codecs = [\"g722\", \"pcmu\"]"), Vec::<String>::new());
        assert!(judged("codecs = [\"g722\"]")[0].contains("`pcma` or `pcmu`"));
        assert!(judged("codecs = []")[0].contains("`pcma` or `pcmu`"));
        assert!(judged("codecs = [\"pcma\", \"g722\", \"pcma\"]")[0].contains("twice"));
        assert_eq!(judged("codecs = [\"opus\", \"pcma\"]"), Vec::<String>::new());
        assert!(judged("codecs = [\"opus\"]")[0].contains("`pcma` or `pcmu`"));
        assert!(toml::from_str::<Written>("codecs = [\"silk\"]").is_err());
    }

    #[test]
    fn ranges_on_one_address_share_no_port_and_on_two_they_may() {
        let two = |bind: &str, port: u16| {
            judged(&format!(
                "bind = \"127.0.0.1\"\nport_min = 20000\nport_max = 20100\n[[range]]\nname = \
                 \"b\"\nbind = \"{bind}\"\nport_min = {port}\nport_max = 20200\n"
            ))
        };
        assert_eq!(two("::1", 20_000), Vec::<String>::new());
        assert_eq!(two("127.0.0.1", 20_102), Vec::<String>::new());
        assert!(two("127.0.0.1", 20_100)[0].contains("media.range \"b\": `port_min` is \"20100\""));
        assert_eq!(two("fe80::1", 20_000).len(), 1, "a link-local address is told to nobody");
        assert_eq!(
            two("::", 21_000).len(),
            2,
            "no end above the beginning, and no address to tell"
        );
    }
}
