//! Verifying what is stored, and exporting what an auditor takes away.

use std::{path::Path, sync::Arc};

use call::{Digest, Fact, RecordingId, TenantId};
use serde_json::{Value, json};
use vault::{Provider, Report, SealedSlip, Signer, Slip, SlipFinding, Trust};

use super::{
    archive::{Archive, OfficeError},
    shelf::hash,
};

/// What was found in one recording: every fault by its name.
#[derive(Clone, Debug, Default)]
pub struct Verified {
    /// Each fault, in words.
    pub findings: Vec<String>,
    /// Seconds that opened.
    pub opened: u32,
    /// Seconds that are erased.
    pub erased: u32,
    /// Seconds that a crash had cut.
    pub cut: u32,
}

impl Verified {
    /// Whether all is well.
    #[must_use]
    pub const fn is_well(&self) -> bool {
        self.findings.is_empty()
    }

    /// As JSON.
    #[must_use]
    pub fn value(&self, recording: RecordingId) -> Value {
        json!({
            "recording": recording.to_string(),
            "verified": self.is_well(),
            "findings": self.findings,
            "seconds_opened": self.opened,
            "seconds_erased": self.erased,
            "seconds_cut": self.cut,
        })
    }
}

impl Archive {
    /// Verifies chunks, table, manifest, slip and facts of a recording.
    ///
    /// # Errors
    /// [`OfficeError`] when there is nothing to verify; damage is in the report.
    pub async fn verify(self: &Arc<Self>, id: RecordingId) -> Result<Verified, OfficeError> {
        let row = self.ledger.recording(id).await?.ok_or(OfficeError::Unknown)?;
        let object = row.object.clone().ok_or(OfficeError::NotStored)?;
        let mut verified = Verified::default();
        let slip = match self.proved_slip(id, &row.tenant).await? {
            Ok(slip) => Some(slip),
            Err(finding) => {
                verified.findings.push(finding);
                None
            }
        };
        let archive = Arc::clone(self);
        let report = tokio::task::spawn_blocking(move || archive.read_through(id, slip.as_ref()));
        match report.await.map_err(|_| OfficeError::NotStored)? {
            Ok((report, hash)) => {
                verified.findings.extend(report.findings.iter().map(ToString::to_string));
                if !report.signer_known {
                    verified.findings.push("manifest: not signed by this node's key".to_owned());
                }
                if report.manifest.hash() != object.sealed.manifest {
                    verified.findings.push(
                        "manifest: it is not the one in the catalogue and the audit tree; \
                         restore the object from a backup"
                            .to_owned(),
                    );
                }
                if object.sha256.is_some_and(|stored| stored != hash) {
                    verified.findings.push(
                        "object: its bytes are not the ones that were stored; restore it from a \
                         backup"
                            .to_owned(),
                    );
                }
                (verified.opened, verified.erased, verified.cut) =
                    (report.opened, report.erased, report.cut);
            }
            Err(fault) => verified.findings.push(fault),
        }
        Ok(verified)
    }

    fn read_through(
        &self,
        id: RecordingId,
        slip: Option<&Slip>,
    ) -> Result<(Report, Digest), String> {
        let trust = Trust::new(vec![self.keys.public_key()]);
        let mut source = self.store.open(id).map_err(|error| error.to_string())?;
        let report = vault::verify_object(&mut source, &trust, slip);
        let report = report.map_err(|error| error.to_string())?;
        let mut source = self.store.open(id).map_err(|error| error.to_string())?;
        let hash = hash(&mut source).map_err(|error| format!("object: {}", error.kind()))?;
        Ok((report, hash))
    }

    /// The slip, if it opens and is the newest that the audit tree knows of.
    async fn proved_slip(
        &self,
        id: RecordingId,
        tenant: &TenantId,
    ) -> Result<Result<Slip, String>, OfficeError> {
        let (stored, newest) = (self.ledger.slip(id).await?, self.ledger.proved_slip(id).await?);
        let (Some(stored), Some(newest)) = (stored, newest) else {
            return Ok(Err("key slip: there is none; no second can be opened".to_owned()));
        };
        let stored = match SealedSlip::from_bytes(stored.sealed) {
            Ok(stored) => stored,
            Err(error) => return Ok(Err(SlipFinding::Altered(error).to_string())),
        };
        let key = match self.keys.open(stored.epoch()) {
            Ok(key) => key,
            Err(error) => return Ok(Err(format!("key slip: {error}"))),
        };
        let slip = vault::verify_slip(&stored, &key, tenant, id, newest.commitment);
        Ok(slip.map_err(|finding| finding.to_string()))
    }

    /// Recomputes the audit tree and holds it against every checkpoint.
    ///
    /// # Errors
    /// [`OfficeError`] of reading.
    pub async fn audit(self: &Arc<Self>) -> Result<(Value, bool), OfficeError> {
        let report = self.ledger.audit(Some(*self.keys.public_key().as_bytes())).await?;
        let findings: Vec<String> = report.findings.iter().map(ToString::to_string).collect();
        let value = json!({
            "verified": report.is_proved(),
            "entries": report.head.size,
            "root": report.head.root.to_string(),
            "checkpoints": report.checkpoints,
            "findings": findings,
            "more_findings": report.more_findings,
        });
        Ok((value, report.is_proved()))
    }

    /// Writes the folder that `jawoord-verify` proves: the trail and every sealed object.
    ///
    /// # Errors
    /// [`OfficeError`]; the folder is not to be used then.
    pub async fn export_audit(self: &Arc<Self>, folder: &Path) -> Result<Value, OfficeError> {
        std::fs::create_dir_all(folder.join("recordings"))?;
        let archive = Arc::clone(self);
        let listed = tokio::task::spawn_blocking(move || archive.store.list()).await;
        let mut recordings = 0_u64;
        for recording in listed.map_err(|_| OfficeError::NotStored)?? {
            let row = self.ledger.recording(recording).await?;
            if row.is_none_or(|row| row.object.is_none()) {
                continue;
            }
            let (archive, folder) = (Arc::clone(self), folder.join("recordings"));
            let copied = tokio::task::spawn_blocking(move || archive.copy(recording, &folder));
            copied.await.map_err(|_| OfficeError::NotStored)??;
            recordings += 1;
        }
        let entries = self.ledger.export_audit(folder).await?;
        Ok(json!({
            "folder": folder.display().to_string(),
            "entries": entries,
            "recordings": recordings,
        }))
    }

    /// Copies a sealed object out of the store.
    fn copy(&self, recording: RecordingId, folder: &Path) -> Result<(), OfficeError> {
        let mut source = self.store.open(recording)?;
        let path = folder.join(format!("{recording}.jwr"));
        std::io::copy(&mut source, &mut std::fs::File::create(path)?)?;
        Ok(())
    }

    /// Notes in the audit tree that a recording was read.
    ///
    /// # Errors
    /// [`OfficeError`]: it must not be read then.
    pub async fn read(
        &self,
        recording: RecordingId,
        access: &'static str,
    ) -> Result<(), OfficeError> {
        let fact = Fact::RecordingRead { recording, access };
        Ok(self.ledger.append(self.clock.now(), vec![fact]).await?)
    }
}
