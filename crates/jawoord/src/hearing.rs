//! What the node counts of how calls sound, and of what is wrong with them. A trunk is called what the
//! configuration calls it; every other label is one of a few words.

use call::{DeadKeys, Party, Unheard};
use media::CallStats;
use prometheus::{
    HistogramOpts, HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
};

/// Mean opinion scores at which calls are told apart: poor up to 3.1, fair to 3.6, good to 4.03, and the
/// best that the E-model knows is 4.41 (ITU-T G.109).
const OPINIONS: [f64; 8] = [1.5, 2.6, 3.1, 3.6, 4.03, 4.2, 4.3, 4.4];

/// The counters of how calls sound.
#[derive(Clone, Debug)]
pub struct Hearing {
    opinions: HistogramVec,
    unheard: IntCounterVec,
    /// Legs of connected calls that are not heard now while the other party is.
    pub unheard_now: IntGauge,
    dead_keys: IntCounterVec,
    unanswered: IntGaugeVec,
}

impl Hearing {
    /// Registers them. What an alarm can be set on is there from the start.
    ///
    /// # Errors
    /// Two metrics of one name, which is a fault of this file.
    pub fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let unheard =
            Opts::new("jawoord_unheard_total", "Legs that were not heard while the other was.");
        let unheard = IntCounterVec::new(unheard, &["leg", "cause"])?;
        let dead_keys =
            Opts::new("jawoord_dead_keys_total", "Times that keys did not come through.");
        let dead_keys = IntCounterVec::new(dead_keys, &["cause"])?;
        let opinions =
            HistogramOpts::new("jawoord_call_mos", "Mean opinion scores of ended calls' legs.");
        let opinions = HistogramVec::new(opinions.buckets(OPINIONS.to_vec()), &["leg", "way"])?;
        let unanswered = "Questions in a row on a trunk that no key answered.";
        let unanswered = Opts::new("jawoord_unanswered_questions", unanswered);
        let unanswered = IntGaugeVec::new(unanswered, &["trunk"])?;
        let unheard_now = IntGauge::new("jawoord_unheard_legs", "Legs that are not heard now.")?;
        registry.register(Box::new(unheard.clone()))?;
        registry.register(Box::new(dead_keys.clone()))?;
        registry.register(Box::new(opinions.clone()))?;
        registry.register(Box::new(unanswered.clone()))?;
        registry.register(Box::new(unheard_now.clone()))?;
        for leg in [Party::Customer, Party::Agent].map(Party::as_str) {
            for cause in Unheard::ALL {
                unheard.with_label_values(&[leg, cause.as_str()]).reset();
            }
            for way in ["received", "sent"] {
                let _there_from_the_start = opinions.with_label_values(&[leg, way]);
            }
        }
        for cause in DeadKeys::ALL {
            dead_keys.with_label_values(&[cause.as_str()]).reset();
        }
        Ok(Self { opinions, unheard, unheard_now, dead_keys, unanswered })
    }

    /// Counts a party that is not heard.
    pub fn unheard(&self, party: Party, cause: Unheard) {
        self.unheard.with_label_values(&[party.as_str(), cause.as_str()]).inc();
    }

    /// Counts keys that do not come through.
    pub fn dead_keys(&self, cause: DeadKeys) {
        self.dead_keys.with_label_values(&[cause.as_str()]).inc();
    }

    /// Says how many questions in a row no key has answered on a trunk.
    pub fn unanswered(&self, trunk: &str, questions: u32) {
        self.unanswered.with_label_values(&[trunk]).set(questions.into());
    }

    /// Counts how the legs of an ended call sounded.
    pub fn ended(&self, stats: &CallStats) {
        for (party, leg) in [(Party::Customer, &stats.customer), (Party::Agent, &stats.agent)] {
            for (way, quality) in [("received", leg.heard), ("sent", leg.told)] {
                if let Some(quality) = quality {
                    let opinion = f64::from(quality.mos_hundredths) / 100.0;
                    self.opinions.with_label_values(&[party.as_str(), way]).observe(opinion);
                }
            }
        }
    }
}
