//! Commands about a node: over its control socket when it runs, in-process when it does not.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use call::Time;
use serde_json::Value;

use super::{
    Audit, Calls, Keys, Recordings, Report, Retention, Site, Switch, check, renew,
    request::{Reply, Request},
    show::{Table, cell, fields},
};
use crate::{
    clock::Clock,
    config::{judge::Settings, problem::Problems},
    control,
    kept::{self, Change, Source},
    metrics::Metrics,
    office::{
        answer::Desk,
        archive::{Archive, Opened},
        keeper::KeeperDoor,
    },
    quality::COLUMNS,
};

/// What a listing of mismatches shows.
const FINDINGS: &[&str] = &["mismatch", "call", "recording", "says"];

/// What to ask, and how to show the answer.
pub struct Errand {
    request: Request,
    output: Option<PathBuf>,
    columns: Option<&'static [&'static str]>,
    ladder: bool,
    /// The answer is a document by itself: JSON, whatever is wanted of listings.
    document: bool,
}

impl Errand {
    fn plain(request: Request) -> Self {
        Self { request, output: None, columns: None, ladder: false, document: false }
    }

    fn table(request: Request, columns: &'static [&'static str]) -> Self {
        Self { columns: Some(columns), ..Self::plain(request) }
    }

    /// A command about calls.
    #[must_use]
    pub fn calls(command: &Calls) -> Self {
        match command {
            Calls::List => Self::table(
                Request::CallsList,
                &["call", "opened_at", "line", "direction", "consent", "outcome", "verdict"],
            ),
            Calls::Find { name } => Self::table(
                Request::CallsFind { name: name.clone() },
                &["call", "opened_at", "line", "direction", "consent", "outcome", "verdict"],
            ),
            Calls::Show { id, pcap: Some(file), .. } => Self {
                output: Some(file.clone()),
                ..Self::plain(Request::CallsTrace { id: id.clone() })
            },
            Calls::Show { id, ladder, pcap: None } => {
                Self { ladder: *ladder, ..Self::plain(Request::CallsShow { id: id.clone() }) }
            }
            Calls::Evidence { id, out } => {
                Self::plain(Request::CallsEvidence { id: id.clone(), dir: whole(out) })
            }
            Calls::Ask { id } => Self::plain(Request::CallsAsk { id: id.clone() }),
            Calls::Agent { id, agent, queue } => {
                let (agent, queue) = (agent.clone(), queue.clone());
                Self::plain(Request::CallsAgent { id: id.clone(), agent, queue })
            }
            Calls::Pause { id } => Self::plain(Request::CallsPause { id: id.clone(), on: true }),
            Calls::Resume { id } => Self::plain(Request::CallsPause { id: id.clone(), on: false }),
            Calls::Withdraw { id } => Self::plain(Request::CallsWithdraw { id: id.clone() }),
            Calls::Hangup { id } => Self::plain(Request::CallsHangup { id: id.clone() }),
        }
    }

    /// Empties the node, or lets it take calls again.
    #[must_use]
    pub fn drain(switch: Switch) -> Self {
        Self::plain(Request::Drain { on: switch == Switch::On })
    }

    /// A command about recordings.
    #[must_use]
    pub fn recordings(command: &Recordings) -> Self {
        match command {
            Recordings::List => Self::table(
                Request::RecordingsList,
                &[
                    "recording",
                    "permitted_at",
                    "line",
                    "ground",
                    "purposes",
                    "duration_ms",
                    "delete_after",
                    "storage_country",
                    "state",
                    "verdict",
                ],
            ),
            Recordings::Show { id } => Self::plain(Request::RecordingsShow { id: id.clone() }),
            Recordings::Export { id, output } => Self {
                output: Some(output.clone()),
                ..Self::plain(Request::RecordingsExport { id: id.clone() })
            },
            Recordings::Evidence { id, out } => {
                Self::plain(Request::RecordingsEvidence { id: id.clone(), dir: whole(out) })
            }
            Recordings::Vcon { id, output } => Self {
                output: Some(output.clone()),
                ..Self::plain(Request::RecordingsVcon { id: id.clone() })
            },
            Recordings::Consent { id } => Self {
                document: true,
                ..Self::plain(Request::RecordingsConsent { id: id.clone() })
            },
            Recordings::Verify { id } => Self::plain(Request::RecordingsVerify { id: id.clone() }),
            Recordings::Erase { id, from, to } => {
                Self::plain(Request::RecordingsErase { id: id.clone(), seconds: from.zip(*to) })
            }
        }
    }

    /// A command about retention.
    #[must_use]
    pub fn retention(command: &Retention) -> Self {
        match command {
            Retention::Due { as_of } => {
                Self::table(Request::RetentionDue { as_of: *as_of }, &["recording", "overdue_s"])
            }
            Retention::Sweep => Self::plain(Request::RetentionSweep),
        }
    }

    /// A command about keys.
    #[must_use]
    pub fn keys(command: &Keys) -> Self {
        match command {
            Keys::Status => Self::table(
                Request::KeysStatus,
                &["epoch", "tenant", "month", "state", "slips", "opened_at", "destroyed_at"],
            ),
            Keys::Rotate => Self::plain(Request::KeysRotate),
            Keys::DestroyEpoch { epoch } => {
                Self::plain(Request::KeysDestroyEpoch { epoch: *epoch })
            }
        }
    }

    /// A command about the audit tree.
    ///
    /// # Errors
    /// The folder's name has no absolute form.
    pub fn audit(command: &Audit) -> io::Result<Self> {
        Ok(match command {
            Audit::Verify => Self::plain(Request::AuditVerify),
            Audit::Export { dir } => Self::plain(Request::AuditExport {
                dir: std::path::absolute(dir)?.display().to_string(),
            }),
        })
    }

    /// A report.
    #[must_use]
    pub fn report(command: &Report) -> Self {
        let Report::Reconcile { from, to } = command;
        let [from, to] = [from, to].map(|at| at.map(Time::as_micros));
        Self::plain(Request::ReportReconcile { from, to })
    }

    /// A change of lines.
    #[must_use]
    pub fn lines(request: Request) -> Self {
        Self::plain(request)
    }

    /// Reading the configuration again.
    #[must_use]
    pub fn reload() -> Self {
        Self::plain(Request::Reload)
    }

    /// A new link to the page.
    #[must_use]
    pub fn link() -> Self {
        Self::plain(Request::PortalLink)
    }

    /// Runs the errand; what to print, and whether it was done.
    pub async fn run(self, site: &Site) -> (String, bool) {
        let settings = match check::settings(&site.config, site.data.as_deref()) {
            Ok(settings) => settings,
            Err(problems) => return (Problems(&problems).to_string(), false),
        };
        let reply = match &self.output {
            Some(path) => self.export(path, site, &settings).await,
            None => ask(site, &self.request, &settings, io::sink()).await,
        };
        match reply {
            Ok(reply) => self.show(&reply, site.json || (self.document && reply.done)),
            Err(error) => (format!("the node went away in the middle: {error}\n"), false),
        }
    }

    /// Writes a file: under another name until it is whole.
    async fn export(&self, path: &Path, site: &Site, settings: &Settings) -> io::Result<Reply> {
        let part = path.with_extension("part");
        let file = io::BufWriter::new(fs::File::create(&part)?);
        let reply = ask(site, &self.request, settings, file).await;
        match reply {
            Ok(reply) if reply.done => fs::rename(&part, path).map(|()| reply),
            other => {
                fs::remove_file(&part)?;
                other
            }
        }
    }

    fn show(&self, reply: &Reply, json: bool) -> (String, bool) {
        if json {
            let value = match &reply.error {
                Some(error) if reply.value.is_null() => serde_json::json!({ "error": error }),
                _ => reply.value.clone(),
            };
            return (format!("{value:#}\n"), reply.done);
        }
        let mut text = match (&reply.value, self.columns) {
            (Value::Null, _) => String::new(),
            (Value::Array(rows), Some(columns)) => Table(columns).draw(rows),
            (value, _) if self.ladder => value.get("drawing").map(cell).unwrap_or_default(),
            (value, _) => {
                let mut value = value.clone();
                let tables = tables(&mut value);
                fields(&value) + &tables
            }
        };
        if let Some(error) = &reply.error {
            text.push_str(&format!("{error}\n"));
        }
        (text, reply.done)
    }
}

/// How each leg sounded is a table of its own, and so is what does not agree: takes them out of a value and
/// draws them.
fn tables(value: &mut Value) -> String {
    let Some(object) = value.as_object_mut() else { return String::new() };
    let mut drawn = String::new();
    for (name, columns) in [("quality", COLUMNS), ("findings", FINDINGS)] {
        let rows = object.get(name).and_then(Value::as_array);
        // Findings of a check are sentences.
        if let Some(rows) = rows.filter(|rows| rows.iter().all(Value::is_object)) {
            if !rows.is_empty() {
                drawn.push_str(&Table(columns).draw(rows));
            }
            object.remove(name);
        }
    }
    drawn
}

/// A folder's name as the node understands it too, which may stand elsewhere. An empty one has no
/// such form and is refused when it is made.
fn whole(folder: &Path) -> String {
    std::path::absolute(folder).unwrap_or_default().display().to_string()
}

/// Asks the running node, or becomes the office for a moment.
async fn ask(
    site: &Site,
    request: &Request,
    settings: &Settings,
    mut body: impl io::Write,
) -> io::Result<Reply> {
    if let Some(reply) = control::ask(&settings.data.path, request, &mut body).await? {
        body.flush()?;
        return Ok(reply);
    }
    let opened = match Archive::open(settings, Clock::start()).await {
        Ok(opened) => opened,
        Err(error) => return Ok(Reply::failed(error)),
    };
    let Opened { archive, writer, leftovers } = opened;
    let writing = tokio::spawn(writer.run());
    let metrics = Metrics::new().map_err(io::Error::other)?;
    let keeper = KeeperDoor::start(Arc::clone(&archive), leftovers.removals, metrics);
    let desk = Desk { archive, keeper };
    let mut answer = match request.change() {
        Some(change) => lines(&desk, site, change).await.into(),
        None => desk.answer(request.clone()).await,
    };
    let mut left = answer.reply.bytes;
    while let Some(bytes) = match &mut answer.body {
        Some(body) => body.recv().await,
        None => None,
    } {
        body.write_all(&bytes)?;
        left = left.saturating_sub(bytes.len() as u64);
    }
    body.flush()?;
    drop(desk);
    // The writer ends with its last handle; the keeper's goes with the runtime.
    writing.abort();
    if left > 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(answer.reply) }
}

/// Changes lines while no node runs. The data folder is ours meanwhile.
async fn lines(desk: &Desk, site: &Site, change: Change) -> Reply {
    let source = Source { config: site.config.clone(), data: site.data.clone() };
    match kept::change(&source, change) {
        Ok(settings) => renew::audited(desk, &settings).await,
        Err(refused) => Reply::failed(refused),
    }
}
