//! `jawoord check`: judges a configuration and says what it would do.

use std::path::Path;

use call::{Direction, Line, Outbound, Recording};
use serde_json::{Value, json};

use super::route::{self, Trial};
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

/// Judges a configuration; the text, the same as JSON, and whether `serve` would take it. With a
/// call to try out, says what that would get instead.
#[must_use]
pub fn run(config: &Path, data: Option<&Path>, trial: Option<&Trial<'_>>) -> (String, Value, bool) {
    let judged = settings(config, data);
    if let (Ok(settings), Some(trial)) = (&judged, trial) {
        return route::explain(settings, trial);
    }
    match judged {
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
                        "recorded": matches!(line.policy.recording, Recording::Ask(_)),
                        "direction": line.direction.map_or("both", Direction::as_str),
                        "outbound": outbound(line),
                    })
                })
                .collect();
            let mut text = String::new();
            for warning in &settings.warnings {
                text.push_str(&format!("warning: {warning}\n"));
            }
            for (peer, how) in secured(&settings) {
                text.push_str(&format!("{peer} has {how}\n"));
            }
            for line in settings.lines.iter() {
                text.push_str(&format!("line {} ({}) {}\n", line.id, line.pattern, does(line)));
            }
            text.push_str("the configuration is good\n");
            let value = json!({
                "good": true,
                "configuration": settings.hash.to_string(),
                "warnings": settings.warnings,
                "srtp": secured(&settings).map(|(peer, how)| json!({ "peer": peer, "has": how })).collect::<Vec<_>>(),
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

/// The peers whose sound is SRTP, and how.
fn secured(settings: &Settings) -> impl Iterator<Item = (String, &'static str)> {
    let trunks = settings.trunks.iter().map(|trunk| ("trunk", &trunk.name, &trunk.reach));
    let pbxs = settings.pbxs.iter().map(|pbx| ("pbx", &pbx.name, &pbx.reach));
    trunks
        .chain(pbxs)
        .filter_map(|(kind, name, reach)| Some((format!("{kind} \"{name}\""), reach.srtp.told()?)))
}

/// What a line does with its calls, in words.
fn does(line: &Line) -> String {
    let Recording::Ask(asking) = &line.policy.recording else {
        return "is never recorded".to_owned();
    };
    let whom = match (line.direction, outbound(line)) {
        (Some(Direction::Inbound), _) => "asks callers".to_owned(),
        (Some(Direction::Outbound), how) => format!("calls out ({how})"),
        (None, how) => format!("asks callers and calls out ({how})"),
    };
    format!(
        "{whom} in {} on the ground {}, kept {} s",
        asking.language,
        asking.ground,
        asking.retention.keep.as_secs()
    )
}

/// How the customers of a line's outgoing calls come to be asked, as the configuration says it.
fn outbound(line: &Line) -> &'static str {
    match &line.policy.recording {
        Recording::Never => "never",
        Recording::Ask(_) if line.direction == Some(Direction::Inbound) => "never",
        Recording::Ask(asking) => match asking.outbound {
            Outbound::AgentAsks { .. } => "agent_asks",
            Outbound::Join => "join",
            Outbound::HoldBack => "hold_back",
            Outbound::Never => "never",
        },
    }
}
