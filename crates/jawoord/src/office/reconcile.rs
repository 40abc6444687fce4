//! Reconciliation: every book held against the others, and what was found written down, signed, and
//! committed to the audit tree.

use std::{
    fs::{self, DirBuilder, File},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};

use call::{CallId, Digest, Fact, RecordingId, Time};
use ledger::{Inventory, LedgerError, Listed, Period, Reconciliation, World};
use serde_json::Value;
use tokio::sync::mpsc;

use super::archive::{Archive, Notary, OfficeError};
use crate::floor::FloorDoor;

/// How many objects of a walk through the store are handed on together.
const PAGE: usize = 1_000;

/// The end of a report's name.
pub(crate) const REPORT: &str = ".json";
/// The end of the name of the signed line beside it.
const SIGNATURE: &str = ".sig";

/// A reconciliation that is written down.
pub struct Written {
    /// What was found.
    pub report: Reconciliation,
    /// SHA-256 of the file, which the fact in the audit tree has too.
    pub sha256: Digest,
    /// The file's name in the folder of reports.
    pub name: String,
}

impl Written {
    /// For listings.
    #[must_use]
    pub fn value(&self) -> Value {
        let mut value = serde_json::to_value(&self.report).unwrap_or_default();
        if let Some(object) = value.as_object_mut() {
            object.remove("form");
            object.insert("report".to_owned(), self.name.clone().into());
            object.insert("sha256".to_owned(), self.sha256.to_string().into());
        }
        value
    }
}

/// The store, and the calls that run where a node does.
struct Around<'a> {
    archive: &'a Arc<Archive>,
    floor: Option<&'a FloorDoor>,
}

impl World for Around<'_> {
    type Error = OfficeError;

    async fn has(&self, recording: RecordingId) -> Result<bool, OfficeError> {
        let archive = Arc::clone(self.archive);
        let has = tokio::task::spawn_blocking(move || archive.store.has(recording)).await;
        Ok(has.map_err(|_| OfficeError::NotStored)??)
    }

    async fn objects(&self, to: mpsc::Sender<Vec<RecordingId>>) -> Result<(), OfficeError> {
        let archive = Arc::clone(self.archive);
        let walk = tokio::task::spawn_blocking(move || {
            let mut page = Vec::new();
            let walked = archive.store.walk(&mut |recording| {
                page.push(recording);
                if page.len() >= PAGE {
                    let _nobody_reads = to.blocking_send(std::mem::take(&mut page));
                }
            });
            let _nobody_reads = to.blocking_send(page);
            walked
        });
        Ok(walk.await.map_err(|_| OfficeError::NotStored)??)
    }

    async fn runs(&self, call: CallId) -> bool {
        match self.floor {
            Some(floor) => floor.runs(call).await,
            None => false,
        }
    }
}

impl Archive {
    /// Reconciles a period and writes the result down: the report with its signed line, and the fact. What
    /// bears a report's name is signed and in the tree. Without `name` it is named by the moment. `floor`
    /// are the calls that run.
    ///
    /// # Errors
    /// [`OfficeError`]; nothing is known then, and no fact says so.
    pub async fn reconcile(
        self: &Arc<Self>,
        now: Time,
        period: Period,
        floor: Option<&FloorDoor>,
        name: Option<String>,
    ) -> Result<Written, OfficeError> {
        let around = Around { archive: self, floor };
        let report = self.ledger.reconcile(now, period, &around).await?;
        let name = name.unwrap_or_else(|| now.to_string().to_lowercase().replace(':', ""));
        let text = serde_json::to_vec_pretty(&report).map_err(io::Error::from)?;
        let listed = Listed::new(&format!("{name}{REPORT}"), &text);
        let sha256 = listed.sha256;
        let signed = Inventory::sign_report(listed, &Notary(Arc::clone(&self.keys)));
        let signed = signed.ok_or(LedgerError::SignerFailed)?;
        let (folder, stem) = (self.reports.clone(), name.clone());
        let drafted = tokio::task::spawn_blocking(move || {
            let list = draft(&folder, &format!("{stem}{SIGNATURE}"), signed.text().as_bytes())?;
            Ok::<_, io::Error>([list, draft(&folder, &format!("{stem}{REPORT}"), &text)?])
        });
        let drafts = drafted.await.map_err(|_| OfficeError::NotStored)??;
        let fact = Fact::Reconciled {
            from: period.from,
            to: period.to,
            calls: report.calls,
            recordings: report.recordings,
            objects: report.objects,
            mismatches: report.mismatches,
            report: sha256,
        };
        // A report that no fact knows is none: the next try makes another.
        self.ledger.append(now, vec![fact]).await?;
        let publish =
            tokio::task::spawn_blocking(move || drafts.iter().try_for_each(Draft::publish));
        publish.await.map_err(|_| OfficeError::NotStored)??;
        said(&report, &name);
        Ok(Written { report, sha256, name: format!("{name}{REPORT}") })
    }
}

/// Says it in the log, in counts.
fn said(report: &Reconciliation, name: &str) {
    let Reconciliation { calls, recordings, objects, mismatches, kinds, .. } = report;
    if report.agrees() {
        tracing::info!(calls, recordings, objects, "calls, recordings and objects agree");
    } else {
        tracing::warn!(
            mismatches,
            ?kinds,
            report = name,
            "calls, recordings and objects do not agree; `jawoord report reconcile` names each"
        );
    }
}

/// A file that is written and does not bear its name yet.
struct Draft {
    file: PathBuf,
    name: PathBuf,
}

impl Draft {
    /// Gives it its name, in the place of the one before.
    fn publish(&self) -> io::Result<()> {
        fs::rename(&self.file, &self.name)?;
        self.name.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
    }
}

fn draft(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<Draft> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let file = folder.join(format!(".{name}"));
    let mut options = File::options();
    let mut fresh = options.write(true).create(true).truncate(true).mode(0o600).open(&file)?;
    fresh.write_all(bytes)?;
    fresh.sync_all()?;
    Ok(Draft { file, name: folder.join(name) })
}

/// What a report in the folder says, if it is whole and this node has signed it.
pub(crate) fn read(folder: &Path, name: &str, key: &[u8; 32]) -> Option<Value> {
    let text = fs::read(folder.join(format!("{name}{REPORT}"))).ok()?;
    let list = fs::read_to_string(folder.join(format!("{name}{SIGNATURE}"))).ok()?;
    let list = Inventory::read_report(&list).filter(|list| list.is_signed() && list.key == *key)?;
    let is_it = |listed: &Listed| *listed.name == format!("{name}{REPORT}") && listed.is(&text);
    list.files.iter().all(is_it).then(|| serde_json::from_slice(&text).ok())?
}
