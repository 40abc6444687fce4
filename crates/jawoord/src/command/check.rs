//! `jawoord check`: judges a configuration and says what it would do.

use std::path::Path;

use serde_json::{Value, json};

use crate::config::{
    judge::{self, Settings},
    problem::{Problem, Problems},
    read,
};

/// Reads and judges a configuration file.
///
/// # Errors
/// Every problem found.
pub fn settings(config: &Path, data: Option<&Path>) -> Result<Settings, Vec<Problem>> {
    judge::judge(read::read(config, data)?, data)
}

/// Judges a configuration; the text, the same as JSON, and whether `serve` would take it.
#[must_use]
pub fn run(config: &Path, data: Option<&Path>) -> (String, Value, bool) {
    match settings(config, data) {
        Ok(settings) => {
            let lines: Vec<Value> = settings
                .lines
                .iter()
                .map(|line| {
                    json!({
                        "line": line.id.as_str(),
                        "tenant": line.tenant.as_str(),
                        "number": line.pattern.to_string(),
                        "policy": line.policy.id.as_str(),
                        "version": line.policy.version,
                        "recorded": matches!(line.policy.recording, call::Recording::Ask(_)),
                    })
                })
                .collect();
            let mut text = String::new();
            for warning in &settings.warnings {
                text.push_str(&format!("warning: {warning}\n"));
            }
            for line in settings.lines.iter() {
                let recorded = match &line.policy.recording {
                    call::Recording::Ask(asking) => format!(
                        "asks in {} on the ground {}, kept {} s",
                        asking.language,
                        asking.ground,
                        asking.retention.keep.as_secs()
                    ),
                    call::Recording::Never => "is never recorded".to_owned(),
                };
                text.push_str(&format!("line {} ({}) {recorded}\n", line.id, line.pattern));
            }
            text.push_str("the configuration is good\n");
            let value = json!({
                "good": true,
                "configuration": settings.hash.to_string(),
                "warnings": settings.warnings,
                "lines": lines,
            });
            (text, value, true)
        }
        Err(problems) => {
            let said: Vec<String> = problems.iter().map(Problem::to_string).collect();
            (Problems(&problems).to_string(), json!({ "good": false, "problems": said }), false)
        }
    }
}
