//! What stands in the small sections, from `[headers]` to `[trace]`: keys, units and defaults.

use std::{net::SocketAddr, path::PathBuf};

use serde::{Deserialize, Serialize};

use crate::identity::rules;

/// How much of a message's headers goes to the other side.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Headers {
    /// Octets of one value; a longer one is left out.
    pub value_octets: usize,
    /// Octets of all of them; what comes behind is left out.
    pub total_octets: usize,
}

impl Default for Headers {
    fn default() -> Self {
        let rules::Limits { value_octets, total_octets } = rules::Limits::default();
        Self { value_octets, total_octets }
    }
}

/// The residency profile.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Residency {
    /// `nl-only`, `eu` or `eea`.
    pub profile: String,
}

impl Default for Residency {
    fn default() -> Self {
        Self { profile: "eea".to_owned() }
    }
}

/// An HTTP listener; without `bind` there is none.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Http {
    /// A loopback address and port.
    pub bind: Option<SocketAddr>,
}

/// `[limits]` as it is written. 0 is no limit, but for `calls`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limiting {
    /// Calls at a time; 0 is what the media ports allow, less the reserve.
    pub calls: usize,
    /// Calls beyond it that only emergencies may make.
    pub emergency_reserve: usize,
    /// New calls a second from everybody together.
    pub calls_per_s: u32,
    /// Calls at a time from one address.
    pub source_calls: usize,
    /// New requests a second from one address.
    pub source_per_s: u32,
    /// Calls of one address that it has not acknowledged.
    pub source_half_open: usize,
    /// What a call too many is told: `503`, `500` or `drop`.
    pub answer: String,
    /// The least of a Retry-After, in seconds.
    pub retry_after_min_s: u32,
    /// The most of it.
    pub retry_after_max_s: u32,
    /// What unknown addresses are told: `403` or `drop`.
    pub strangers: String,
    /// So many answers a second to one unknown address; the rest is dropped.
    pub stranger_per_s: u32,
}

impl Default for Limiting {
    fn default() -> Self {
        Self {
            calls: 0,
            emergency_reserve: 4,
            calls_per_s: 0,
            source_calls: 0,
            source_per_s: 200,
            source_half_open: 500,
            answer: "503".to_owned(),
            retry_after_min_s: 1,
            retry_after_max_s: 4,
            strangers: "403".to_owned(),
            stranger_per_s: 5,
        }
    }
}

/// `[drain]` as it is written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Draining {
    /// Where new calls are sent while the node is emptied (302); without it they get 503.
    pub partner: Option<String>,
    /// How long calls may go on after the first SIGTERM.
    pub limit_s: u32,
}

impl Default for Draining {
    fn default() -> Self {
        Self { partner: None, limit_s: 60 }
    }
}

/// Emergency numbers.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Emergency {
    /// Patterns; an empty list is refused (row E-07).
    pub numbers: Vec<String>,
    /// Patterns of the numbers that emergency services call back from.
    pub callback_numbers: Vec<String>,
}

impl Default for Emergency {
    fn default() -> Self {
        let numbers = ["112", "0112", "911", "999"].map(str::to_owned).to_vec();
        Self { numbers, callback_numbers: Vec::new() }
    }
}

/// The SIP of the latest calls, held in memory with numbers and names masked.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Trace {
    /// How much of it, in MiB; 0 holds nothing.
    pub memory_mb: u16,
}

impl Default for Trace {
    fn default() -> Self {
        Self { memory_mb: 32 }
    }
}

/// Prompt audio.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Prompts {
    /// A folder such as `prompts/`; without it the set inside the program is used.
    pub path: Option<PathBuf>,
    /// Lets placeholder voices speak to callers outside this machine.
    pub allow_placeholder_voice: bool,
}

/// Another language of a line, as it is written.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Language {
    /// The policy that speaks it.
    pub policy: String,
    /// Numbers of customers who speak it, or their beginnings and `*`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub numbers: Vec<String>,
}
