//! What was compared and what was found, as it is written, hashed and signed.

use std::collections::BTreeMap;

use call::Time;
use serde::Serialize;

use super::finding::{About, Mismatch};

/// The form of the file.
pub const REPORT_FORM: &str = "jawoord/reconciliation/v1";
/// How many findings a report names; the others are counted.
const NAMED: usize = 1_000;

/// What calls to look at: those that began at `from` or later, and before `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// From this moment on.
    pub from: Time,
    /// Until before this one.
    pub to: Time,
}

impl Period {
    /// Whether a moment lies in it.
    #[must_use]
    pub fn holds(&self, at: Time) -> bool {
        self.from <= at && at < self.to
    }
}

/// A reconciliation: how much was looked at, and every mismatch. No personal data, ids only.
#[derive(Clone, Debug, Serialize)]
pub struct Reconciliation {
    /// [`REPORT_FORM`].
    pub form: &'static str,
    /// When it was made.
    #[serde(serialize_with = "shown")]
    pub made_at: Time,
    /// From when on the calls began that were looked at.
    #[serde(serialize_with = "shown")]
    pub from: Time,
    /// Those that began from here on were not.
    #[serde(serialize_with = "shown")]
    pub to: Time,
    /// How many calls began in the period.
    pub calls: u64,
    /// How many of them run.
    pub running: u64,
    /// How many recordings were permitted in the period, also those that are deleted.
    pub recordings: u64,
    /// How many objects the store holds, of whatever period.
    pub objects: u64,
    /// How many key slips there are, of whatever period.
    pub slips: u64,
    /// How many mismatches there are.
    pub mismatches: u64,
    /// How many of each kind.
    pub kinds: BTreeMap<&'static str, u64>,
    /// The first 1,000 of them.
    pub findings: Vec<Finding>,
}

/// A mismatch, named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Its name.
    pub mismatch: &'static str,
    /// The call it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call: Option<String>,
    /// The recording it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recording: Option<String>,
    /// What it means.
    pub says: &'static str,
}

impl Reconciliation {
    /// Nothing was looked at yet.
    pub(crate) const fn new(made_at: Time, period: Period) -> Self {
        let Period { from, to } = period;
        Self {
            form: REPORT_FORM,
            made_at,
            from,
            to,
            calls: 0,
            running: 0,
            recordings: 0,
            objects: 0,
            slips: 0,
            mismatches: 0,
            kinds: BTreeMap::new(),
            findings: Vec::new(),
        }
    }

    /// Adds a mismatch.
    pub(crate) fn find(&mut self, about: About, mismatch: Mismatch) {
        self.mismatches += 1;
        *self.kinds.entry(mismatch.as_str()).or_default() += 1;
        if self.findings.len() < NAMED {
            let (call, recording) = match about {
                About::Call(call) => (Some(call.to_string()), None),
                About::Recording(recording) => (None, Some(recording.to_string())),
            };
            let (mismatch, says) = (mismatch.as_str(), mismatch.says());
            self.findings.push(Finding { mismatch, call, recording, says });
        }
    }

    /// Whether everything agrees.
    #[must_use]
    pub const fn agrees(&self) -> bool {
        self.mismatches == 0
    }
}

fn shown<S: serde::Serializer>(time: &Time, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(time)
}

#[cfg(test)]
mod tests {
    use call::CallId;

    use super::*;

    #[test]
    fn a_report_counts_all_and_names_the_first_thousand() {
        let period = Period { from: Time::default(), to: Time::from_micros(5) };
        let mut report = Reconciliation::new(Time::from_micros(9), period);
        assert!(report.agrees());
        for _ in 0..1_200 {
            report.find(About::Call(CallId::from_bytes([7; 16])), Mismatch::CallOpen);
        }
        assert_eq!((report.mismatches, report.kinds["call-open"]), (1_200, 1_200));
        assert_eq!(report.findings.len(), 1_000);
        let finding = serde_json::to_string(&report.findings[0]).unwrap();
        assert_eq!(
            finding,
            "{\"mismatch\":\"call-open\",\"call\":\"07070707070707070707070707070707\",\
             \"says\":\"the call was opened, does not run, and has never ended\"}"
        );
        assert!(!report.agrees() && period.holds(Time::default()) && !period.holds(period.to));
    }
}
