//! What the node counts, for Prometheus. No label ever holds a number, name, address or id.

use call::Words;
use media::CallStats;
use prometheus::{
    Encoder, IntCounter, IntCounterVec, IntGauge, Opts, Registry, TextEncoder, core::Collector,
};

use crate::{gate::limits::Over, hearing::Hearing, load::Load};

/// The counters of a node.
#[derive(Clone, Debug)]
pub struct Metrics {
    registry: Registry,
    calls: IntCounterVec,
    outcomes: IntCounterVec,
    verdicts: IntCounterVec,
    /// Calls that run now.
    pub active: IntGauge,
    /// Recordings that run now.
    pub recording: IntGauge,
    /// Milliseconds of permitted audio that were lost.
    pub lost_ms: IntCounter,
    /// Pauses of recordings that nobody ended in their time.
    pub left_paused: IntCounter,
    /// Recordings that ended before their call, as the recorder could not go on.
    pub cut_short: IntCounter,
    /// Managers of PBXs that are not heard.
    pub managers_unheard: IntGauge,
    /// SIP requests from strangers that got no answer but 403.
    pub strangers: IntCounter,
    turned_away: IntCounterVec,
    stray_media: IntCounterVec,
    /// How many calls it carries and could carry.
    pub load: Load,
    /// How calls sound.
    pub hearing: Hearing,
    /// Targets that are known to be down; calls go to the others.
    pub targets_down: IntGauge,
    /// Mismatches between calls, recordings and objects, as the last reconciliation found them.
    pub mismatches: IntGauge,
    /// When that was, in seconds since the Unix epoch; zero before the first.
    pub reconciled_at: IntGauge,
    /// Recordings past their retention that still exist.
    pub overdue: IntGauge,
    /// Recordings that wait in journals for their store.
    pub spooled: IntGauge,
    /// Entries of the audit tree.
    pub tree: IntGauge,
    /// Deletions that failed and stay open.
    pub open_deletions: IntGauge,
}

impl Metrics {
    /// Registers every metric.
    ///
    /// # Errors
    /// Two metrics of one name, which is a fault of this file.
    pub fn new() -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        let words = |name: &str, help: &str, label: &str| {
            registered(&registry, IntCounterVec::new(Opts::new(name, help), &[label]))
        };
        let gauge = |name: &str, help: &str| registered(&registry, IntGauge::new(name, help));
        let counter = |name: &str, help: &str| registered(&registry, IntCounter::new(name, help));
        let turned_away =
            words("jawoord_turned_away_total", "Requests of peers beyond a limit.", "limit")?;
        // Every limit is there from the start, so that an alarm can be set on it.
        for over in Over::ALL {
            turned_away.with_label_values(&[over.as_str()]).reset();
        }
        let stray_media = words(
            "jawoord_stray_media_total",
            "Media packets of ended calls that were dropped unheard.",
            "reason",
        )?;
        for (reason, _) in stray(&CallStats::default()) {
            stray_media.with_label_values(&[reason]).reset();
        }
        Ok(Self {
            load: Load::new(&registry)?,
            hearing: Hearing::new(&registry)?,
            calls: words("jawoord_consent_total", "Ended calls by consent.", "consent")?,
            outcomes: words("jawoord_outcome_total", "Ended calls by outcome.", "outcome")?,
            verdicts: words("jawoord_verdict_total", "Ended calls by verdict.", "verdict")?,
            active: gauge("jawoord_calls_active", "Calls that run now.")?,
            recording: gauge("jawoord_recordings_active", "Recordings that run now.")?,
            lost_ms: counter("jawoord_lost_milliseconds_total", "Permitted audio lost.")?,
            left_paused: counter(
                "jawoord_recordings_left_paused_total",
                "Pauses of recordings that nobody ended in time.",
            )?,
            cut_short: counter(
                "jawoord_recordings_cut_short_total",
                "Recordings that the recorder could not go on with.",
            )?,
            managers_unheard: gauge("jawoord_managers_unheard", "Managers of PBXs not heard.")?,
            strangers: counter("jawoord_strangers_total", "Requests from unknown sources.")?,
            turned_away,
            stray_media,
            targets_down: gauge("jawoord_targets_down", "Targets that are known to be down.")?,
            mismatches: gauge(
                "jawoord_reconcile_mismatches",
                "Mismatches between calls, recordings and objects.",
            )?,
            reconciled_at: gauge(
                "jawoord_reconcile_timestamp_seconds",
                "When calls, recordings and objects were last compared.",
            )?,
            overdue: gauge("jawoord_retention_overdue", "Recordings past their retention.")?,
            spooled: gauge("jawoord_spool_recordings", "Recordings not yet stored.")?,
            tree: gauge("jawoord_audit_entries", "Entries of the audit tree.")?,
            open_deletions: gauge("jawoord_deletions_open", "Deletions that failed.")?,
            registry,
        })
    }

    /// Counts an ended call.
    pub fn ended(&self, words: Words) {
        self.calls.with_label_values(&[words.consent.as_str()]).inc();
        self.outcomes.with_label_values(&[words.outcome.as_str()]).inc();
        self.verdicts.with_label_values(&[words.verdict.as_str()]).inc();
    }

    /// Counts what came to the media ports of a call: how it sounded, and what was from others than its
    /// peers.
    pub fn media_ended(&self, stats: &CallStats) {
        self.hearing.ended(stats);
        for (reason, packets) in stray(stats) {
            self.stray_media.with_label_values(&[reason]).inc_by(packets);
        }
    }

    /// Counts a request that was turned away.
    pub fn turned_away(&self, over: Over) {
        self.turned_away.with_label_values(&[over.as_str()]).inc();
    }

    /// The text that Prometheus reads.
    #[must_use]
    pub fn render(&self) -> String {
        self.load.look();
        let mut text = Vec::new();
        match TextEncoder::new().encode(&self.registry.gather(), &mut text) {
            Ok(()) => String::from_utf8(text).unwrap_or_default(),
            Err(_) => String::new(),
        }
    }
}

/// A metric that the registry knows from here on.
fn registered<M>(registry: &Registry, made: prometheus::Result<M>) -> prometheus::Result<M>
where
    M: Collector + Clone + 'static,
{
    let metric = made?;
    registry.register(Box::new(metric.clone()))?;
    Ok(metric)
}

/// Packets that were dropped before anything was done with them, by reason: from another address, no RTP,
/// not under the peer's key, or a second time.
fn stray(stats: &CallStats) -> [(&'static str, u64); 4] {
    let CallStats { customer, agent, .. } = stats;
    [
        ("foreign", customer.foreign + agent.foreign),
        (
            "malformed",
            [customer, agent].iter().map(|leg| leg.malformed + leg.malformed_reports).sum(),
        ),
        ("unauthentic", customer.unauthentic + agent.unauthentic),
        ("replayed", customer.replayed + agent.replayed),
    ]
}
