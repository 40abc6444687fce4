//! `jawoord check --live`: asks the running node to look at itself, or looks while none runs.

use std::{io, path::Path, time::Duration};

use serde_json::json;

use super::{
    Site, check,
    request::{Reply, Request},
};
use crate::{
    config::{judge::Settings, problem::Problem, read},
    control,
    live::{
        alone,
        finding::{Finding, Report},
        wanted::Wanted,
    },
};

/// How long a node that holds the folder may take: every target's patience and a call.
const PATIENCE: Duration = Duration::from_secs(180);

/// Looks at everything, and places the call that is wanted; the text, and whether nothing fails.
///
/// # Errors
/// Nothing could be looked at; why, as text or as JSON.
pub async fn run(site: &Site, wanted: Option<Wanted>) -> Result<(String, bool), String> {
    let report = look(site, wanted).await.map_err(|problems| {
        if site.json {
            format!("{:#}\n", json!({ "good": false, "problems": problems }))
        } else {
            problems.iter().map(|problem| format!("{problem}\n")).collect()
        }
    })?;
    let text = match serde_json::to_value(&report) {
        Ok(value) if site.json => format!("{value:#}\n"),
        Ok(_) | Err(_) => report.text(),
    };
    Ok((text, report.good))
}

async fn look(site: &Site, wanted: Option<Wanted>) -> Result<Report, Vec<String>> {
    let (config, data) = (&*site.config, site.data.as_deref());
    let said = |problems: Vec<Problem>| problems.iter().map(Problem::to_string).collect::<Vec<_>>();
    // A node may run on what this command cannot judge, such as a secret in its environment.
    let written = read::read(config, data).map_err(said)?.file.data.path;
    let folder = data.unwrap_or(&written);
    let judged = check::settings(config, data);
    match ask(folder, wanted.as_ref()).await.map_err(|fault| vec![fault])? {
        Some(report) => Ok(compared(report, judged)),
        None => Ok(alone::look(judged.map_err(said)?, wanted.as_ref()).await),
    }
}

/// What the node says that holds a folder; `None` when none runs there.
async fn ask(folder: &Path, wanted: Option<&Wanted>) -> Result<Option<Report>, String> {
    let request = Request::CheckLive { call: wanted.cloned() };
    let asked = control::ask(folder, &request, io::sink());
    let reply = match tokio::time::timeout(PATIENCE, asked).await {
        Ok(Ok(None)) => return Ok(None),
        Ok(Ok(Some(reply))) => reply,
        Ok(Err(error)) => return Err(format!("the node went away in the middle: {error}")),
        Err(_) => {
            return Err(
                "the node that holds the data folder does not answer; look at its log, or \
                        stop it and try again"
                    .to_owned(),
            );
        }
    };
    let Reply { value, error, .. } = reply;
    if let Some(error) = error {
        return Err(error);
    }
    let other = |_| "the node is of another version; update both programs".to_owned();
    serde_json::from_value(value).map(Some).map_err(other)
}

/// The node's report, with what has become of the file since the node read it.
fn compared(mut report: Report, judged: Result<Settings, Vec<Problem>>) -> Report {
    let mend =
        "the node works with what it read before; run `jawoord check`, then `jawoord reload`";
    match judged {
        Ok(settings) if report.configuration != Some(settings.hash.to_string()) => {
            let found = "the file has changed since the node read it";
            report.findings.insert(0, Finding::warn("configuration", found, mend));
        }
        Ok(_) => {}
        Err(problems) => {
            let found = problems
                .iter()
                .map(|problem| Finding::warn("configuration", format!("here, {problem}"), mend));
            report.findings.splice(0..0, found.collect::<Vec<_>>());
        }
    }
    report
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_the_node_has_not_read_as_it_is_now_is_told_of() {
        let lab = concat!(env!("CARGO_MANIFEST_DIR"), "/../../config/lab.toml");
        let settings = || check::settings(lab.as_ref(), None);
        let own = settings().unwrap().hash.to_string();
        let report = |hash: &str| Report::of(Some(hash.to_owned()), Vec::new());
        assert_eq!(compared(report(&own), settings()).findings, []);
        let other = compared(report("0"), settings());
        assert!(other.good && other.findings[0].found.contains("has changed"), "{other:?}");
        let problem = Problem::value("media", "workers", 300, "use 1 to 256");
        let bad = compared(report(&own), Err(vec![problem]));
        assert!(bad.good && bad.findings[0].found.contains("`workers`"), "{bad:?}");
    }
}
