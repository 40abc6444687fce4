//! How the sound of a call was: what its media counted, as the catalogue and listings have it.

use ledger::{CallQuality, Coding, LegQuality, Score};
use media::{CallStats, Codec, LegStats, Quality};
use serde_json::{Value, json};

/// The columns of [`rows`].
pub const COLUMNS: &[&str] = &[
    "leg",
    "codec",
    "way",
    "mos",
    "loss_percent",
    "jitter_ms",
    "round_trip_ms",
    "unheard_ms",
    "unheard",
];

/// What the catalogue keeps of it.
#[must_use]
pub fn kept(stats: &CallStats) -> CallQuality {
    CallQuality { customer: leg(&stats.customer), agent: leg(&stats.agent) }
}

fn leg(stats: &LegStats) -> LegQuality {
    let millis = |time: std::time::Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let coding = |codec| match codec {
        Codec::Pcma => Coding::Pcma,
        Codec::Pcmu => Coding::Pcmu,
        Codec::G722 => Coding::G722,
        Codec::Opus => Coding::Opus,
    };
    LegQuality {
        codec: stats.codec.map(coding),
        received: stats.heard.map(score),
        sent: stats.told.map(score),
        round_trip_us: stats.round_trip_us,
        unheard: stats.unheard.map(|(why, time)| (why, millis(time))),
    }
}

const fn score(quality: Quality) -> Score {
    let Quality { lost_of_10000, jitter_us, mos_hundredths } = quality;
    Score { lost_of_10000, jitter_us, mos_hundredths }
}

/// Each leg, what was received of it and what was sent to it, in the units that people use.
#[must_use]
pub fn rows(quality: &CallQuality) -> Value {
    let legs = [("customer", &quality.customer), ("agent", &quality.agent)];
    let ways = |(name, leg): (&'static str, &LegQuality)| {
        let trip = leg.round_trip_us.map(tenths);
        let received = json!({
            "leg": name,
            "codec": leg.codec.map(Coding::as_str),
            "way": "received",
            "mos": leg.received.map(mos),
            "loss_percent": leg.received.map(loss),
            "jitter_ms": leg.received.map(jitter),
            "round_trip_ms": trip,
            "unheard_ms": leg.unheard.map(|(_, millis)| millis),
            "unheard": leg.unheard.map(|(why, _)| why.as_str()),
        });
        let sent = json!({
            "leg": name,
            "codec": leg.codec.map(Coding::as_str),
            "way": "sent",
            "mos": leg.sent.map(mos),
            "loss_percent": leg.sent.map(loss),
            "jitter_ms": leg.sent.map(jitter),
            "round_trip_ms": trip,
        });
        [received, sent]
    };
    legs.into_iter().flat_map(ways).collect()
}

fn mos(score: Score) -> f64 {
    f64::from(score.mos_hundredths) / 100.0
}

fn loss(score: Score) -> f64 {
    f64::from(score.lost_of_10000) / 100.0
}

fn jitter(score: Score) -> f64 {
    tenths(score.jitter_us.into())
}

/// Microseconds as milliseconds with one decimal.
fn tenths(micros: u64) -> f64 {
    (micros as f64 / 100.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use call::Unheard;

    use super::*;

    #[test]
    fn what_media_counted_is_listed_in_the_units_of_people() {
        let heard = Quality { lost_of_10000: 150, jitter_us: 4_449, mos_hundredths: 427 };
        let customer = LegStats {
            codec: Some(Codec::Pcma),
            heard: Some(heard),
            round_trip_us: Some(31_250),
            unheard: Some((Unheard::Elsewhere, Duration::from_millis(12_020))),
            ..LegStats::default()
        };
        let told = Some(Quality { mos_hundredths: 101, ..heard });
        let agent = LegStats { told, ..LegStats::default() };
        let rows = rows(&kept(&CallStats { customer, agent, faults: 0 }));
        assert_eq!(
            rows[0],
            json!({
                "leg": "customer", "codec": "pcma", "way": "received", "mos": 4.27, "loss_percent": 1.5,
                "jitter_ms": 4.4, "round_trip_ms": 31.3, "unheard_ms": 12_020,
                "unheard": "elsewhere",
            })
        );
        assert_eq!((&rows[1]["mos"], &rows[1]["round_trip_ms"]), (&Value::Null, &json!(31.3)));
        assert_eq!((&rows[2]["mos"], &rows[2]["unheard"]), (&Value::Null, &Value::Null));
        assert_eq!((&rows[3]["way"], &rows[3]["mos"]), (&json!("sent"), &json!(1.01)));
    }
}
