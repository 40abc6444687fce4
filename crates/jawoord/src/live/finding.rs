//! What was looked at, what was found, and what mends it; as lines for people and as JSON.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How a finding is to be taken.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Grade {
    /// As it should be.
    Ok,
    /// It works, and somebody should look at it.
    Warn,
    /// It does not work.
    Fail,
}

impl Grade {
    /// The first word of its line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "FAIL",
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Finding {
    /// How it is to be taken.
    pub grade: Grade,
    /// What was looked at, such as `trunk "carrier" 192.0.2.1:5060/udp`.
    pub place: String,
    /// What was found.
    pub found: String,
    /// What mends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mend: Option<String>,
    /// The same in numbers, for programs.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub facts: Value,
}

impl Finding {
    /// It is as it should be.
    #[must_use]
    pub fn ok(place: impl Into<String>, found: impl Into<String>) -> Self {
        let (place, found) = (place.into(), found.into());
        Self { grade: Grade::Ok, place, found, mend: None, facts: Value::Null }
    }

    /// It works, and this would make it better.
    #[must_use]
    pub fn warn(
        place: impl Into<String>,
        found: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        Self { grade: Grade::Warn, mend: Some(mend.into()), ..Self::ok(place, found) }
    }

    /// It does not work until this is done.
    #[must_use]
    pub fn fail(
        place: impl Into<String>,
        found: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        Self { grade: Grade::Fail, ..Self::warn(place, found, mend) }
    }

    /// The same with its numbers.
    #[must_use]
    pub fn with(self, facts: Value) -> Self {
        Self { facts, ..self }
    }
}

/// Everything that was found.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Report {
    /// Whether nothing fails.
    pub good: bool,
    /// Whether a running node has looked at itself.
    pub running: bool,
    /// The configuration that a running node works with, as `jawoord check --json` names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configuration: Option<String>,
    /// In the order in which a call would need them.
    pub findings: Vec<Finding>,
}

impl Report {
    /// A report of these; `configuration` is that of a running node.
    #[must_use]
    pub fn of(configuration: Option<String>, findings: Vec<Finding>) -> Self {
        let good = findings.iter().all(|finding| finding.grade != Grade::Fail);
        Self { good, running: configuration.is_some(), configuration, findings }
    }

    /// A line for each, and one that counts them.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        for Finding { grade, place, found, mend, facts: _ } in &self.findings {
            text.push_str(&format!("{:<4}  {place}: {found}", grade.as_str()));
            if let Some(mend) = mend {
                text.push_str(&format!("; {mend}"));
            }
            text.push('\n');
        }
        let count = |grade| self.findings.iter().filter(|finding| finding.grade == grade).count();
        let by = if self.running { "the node looked at itself" } else { "no node runs here" };
        text.push_str(&format!(
            "{by}: {} ok, {} to look at, {} failed\n",
            count(Grade::Ok),
            count(Grade::Warn),
            count(Grade::Fail)
        ));
        text
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_report_is_a_line_for_each_finding_and_good_until_one_fails() {
        let fine = Finding::ok("store", "takes it").with(json!({ "free_mb": 5 }));
        let odd = Finding::warn("keys", "are old", "rotate them");
        let report = Report::of(None, vec![fine.clone(), odd.clone()]);
        let text = report.text();
        assert!(report.good);
        assert!(text.starts_with("ok    store: takes it\nwarn  keys: are old; rotate them\n"));
        let bad = Report::of(
            Some("0f".to_owned()),
            vec![fine, odd, Finding::fail("a", "is off", "switch it on")],
        );
        assert!(!bad.good);
        assert!(bad.text().ends_with(
            "FAIL  a: is off; switch it on\nthe node looked at itself: 1 ok, 1 to look at, 1 failed\n"
        ));
    }

    #[test]
    fn a_report_crosses_the_control_socket_as_it_is() {
        let report = Report::of(
            Some("0f".to_owned()),
            vec![Finding::warn("a", "b", "c").with(json!({ "ms": 1 }))],
        );
        let value = serde_json::to_value(&report).unwrap();
        assert_eq!(value["findings"][0]["grade"], "warn");
        assert_eq!(serde_json::from_value::<Report>(value).unwrap(), report);
    }
}
