//! `jawoord check --live`: asks the running node to look at itself, or looks while none runs.

use std::{io, time::Duration};

use super::{
    Site, check,
    request::{Reply, Request},
};
use crate::{
    config::problem::Problems,
    control,
    live::{alone, finding::Report, wanted::Wanted},
};

/// How long a node that holds the folder may take: every target's patience and a call.
const PATIENCE: Duration = Duration::from_secs(180);

/// Looks at everything, and places the call that is wanted; the text, and whether nothing fails.
pub async fn run(site: &Site, wanted: Option<Wanted>) -> (String, bool) {
    let settings = match check::settings(&site.config, site.data.as_deref()) {
        Ok(settings) => settings,
        Err(problems) => return (Problems(&problems).to_string(), false),
    };
    let request = Request::CheckLive { call: wanted.clone() };
    let asked = control::ask(&settings.data.path, &request, io::sink());
    let report = match tokio::time::timeout(PATIENCE, asked).await {
        Ok(Ok(Some(reply))) => match read(reply) {
            Ok(report) => report,
            Err(said) => return (said, false),
        },
        Ok(Ok(None)) => alone::look(settings, wanted.as_ref()).await,
        Ok(Err(error)) => {
            return (format!("the node went away in the middle: {error}\n"), false);
        }
        Err(_) => {
            let said = "the node that holds the data folder does not answer; look at its log, or \
                        stop it and try again\n";
            return (said.to_owned(), false);
        }
    };
    shown(&report, site.json)
}

/// The report in a node's answer.
fn read(reply: Reply) -> Result<Report, String> {
    if let Some(error) = reply.error {
        return Err(format!("{error}\n"));
    }
    serde_json::from_value(reply.value)
        .map_err(|_| "the node is of another version; update both programs\n".to_owned())
}

fn shown(report: &Report, json: bool) -> (String, bool) {
    let text = match serde_json::to_value(report) {
        Ok(value) if json => format!("{value:#}\n"),
        Ok(_) | Err(_) => report.text(),
    };
    (text, report.good)
}
