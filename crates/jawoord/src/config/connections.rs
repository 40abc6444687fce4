//! `[connections]`: how many streams there may be, and how long they wait for what.

use std::time::Duration;

use serde::Deserialize;

use super::problem::Problem;
use crate::net::{Bounds, connection::Patience, table::Limits};

/// Bounds of SIP connections (TCP and TLS) as written.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Written {
    /// In all; half of them are kept for trunks and PBXs.
    pub max: usize,
    /// From one address that no trunk and no PBX has.
    pub max_per_source: usize,
    /// That have not shown a whole message yet.
    pub max_half_open: usize,
    /// Milliseconds until one of ours must stand, handshake included.
    pub connect_timeout_ms: u32,
    /// Seconds that a message may take, and a new connection until its first one.
    pub message_timeout_s: u32,
    /// Seconds between messages or keep-alives.
    pub idle_timeout_s: u32,
    /// Seconds between our keep-alives on connections of ours; 0 sends none.
    pub keepalive_s: u32,
}

impl Default for Written {
    fn default() -> Self {
        Self {
            max: 2_000,
            max_per_source: 32,
            max_half_open: 200,
            connect_timeout_ms: 3_000,
            message_timeout_s: 10,
            idle_timeout_s: 3_600,
            keepalive_s: 60,
        }
    }
}

/// Judges them.
pub(super) fn bounds(written: Written, problems: &mut Vec<Problem>) -> Bounds {
    let mut least = |key: &'static str, value: u64, least: u64, mend: &'static str| {
        if value < least {
            problems.push(Problem::value("connections", key, value, mend));
        }
    };
    let count = |value: usize| value as u64;
    least("max", count(written.max), 2, "use 2 or more");
    least("max_per_source", count(written.max_per_source), 1, "use 1 or more");
    least("max_half_open", count(written.max_half_open), 1, "use 1 or more");
    let slow = "use 100 or more; a handshake needs two round trips";
    least("connect_timeout_ms", written.connect_timeout_ms.into(), 100, slow);
    least("message_timeout_s", written.message_timeout_s.into(), 1, "use 1 or more");
    least("idle_timeout_s", written.idle_timeout_s.into(), 10, "use 10 or more");
    let seconds = |value: u32| Duration::from_secs(value.into());
    Bounds {
        limits: Limits {
            total: written.max,
            per_source: written.max_per_source,
            half_open: written.max_half_open,
        },
        patience: Patience {
            connect: Duration::from_millis(written.connect_timeout_ms.into()),
            message: seconds(written.message_timeout_s),
            idle: seconds(written.idle_timeout_s),
            keepalive: Some(seconds(written.keepalive_s)).filter(|wait| !wait.is_zero()),
        },
    }
}
