//! Reading sealed slips and epochs, for the vault and for `keys status | rotate | destroy-epoch`.

use call::{Digest, RecordingId, TenantId};
use sqlx::{Row, sqlite::SqliteRow};

use super::{
    column::{Columns, Result, any, big, failed},
    error::{Database, LedgerError, Refusal},
    handle::Ledger,
};
use crate::{
    audit::entry::field,
    catalogue::{
        recordings::SlipTags,
        slips::{Epoch, EpochState, SLIPS_PER_EPOCH, SealedSlip},
    },
};

impl Ledger {
    /// The live slip of a recording; `None` once it is destroyed. Hold its commitment against
    /// [`Ledger::proved_slip`]: one that differs was put back.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn slip(&self, recording: RecordingId) -> Result<Option<SealedSlip>> {
        let row = sqlx::query("SELECT * FROM slips WHERE recording_id = $1")
            .bind(&recording.as_bytes()[..]);
        let row = row.fetch_optional(&self.slip_readers).await.map_err(failed(Database::Slips))?;
        row.as_ref().map(slip_row).transpose()
    }

    /// The slip revision that the newest fact in the audit tree names; `None` when there never was
    /// one.
    ///
    /// # Errors
    /// Those of the database; [`LedgerError::Unreadable`] when the fact is damaged.
    pub async fn proved_slip(&self, recording: RecordingId) -> Result<Option<SlipTags>> {
        let row = sqlx::query(
            "SELECT body FROM entries WHERE about = $1 AND kind = 'slip-revised'
             ORDER BY entry DESC LIMIT 1",
        )
        .bind(format!("recording {recording}"));
        let row = row.fetch_optional(&self.readers).await.map_err(failed(Database::Ledger))?;
        let Some(row) = row else { return Ok(None) };
        let body = Columns(&row).bytes("body")?;
        proved(&body).map(Some).ok_or(LedgerError::Unreadable("body"))
    }

    /// Every epoch, by number.
    ///
    /// # Errors
    /// Those of the databases.
    pub async fn epochs(&self) -> Result<Vec<Epoch>> {
        let gates = sqlx::query("SELECT epoch, slips FROM gates").fetch_all(&self.slip_readers);
        let gates = gates.await.map_err(failed(Database::Slips))?;
        let slips: std::collections::HashMap<u64, u64> = gates
            .iter()
            .map(|row| Ok((Columns(row).count("epoch")?, Columns(row).count("slips")?)))
            .collect::<Result<_>>()?;
        let rows = sqlx::query("SELECT * FROM epochs ORDER BY epoch").fetch_all(&self.readers);
        let rows = rows.await.map_err(failed(Database::Ledger))?;
        rows.iter()
            .map(|row| {
                let row = Columns(row);
                let number = row.count("epoch")?;
                Ok(Epoch {
                    number,
                    tenant: row.text("tenant", |id| TenantId::new(id).ok())?,
                    month: row.text("month", any)?,
                    state: row.text("state", EpochState::from_name)?,
                    slips: slips.get(&number).copied().unwrap_or(0),
                    saw_erasure: row.flag("saw_erasure")?,
                    opened_at: row.time("opened_at")?,
                    destroyed_at: row.maybe_time("destroyed_at")?,
                })
            })
            .collect()
    }

    /// The number of the next epoch. Numbers are never used again.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn next_epoch(&self) -> Result<u64> {
        let row = sqlx::query("SELECT COALESCE(MAX(epoch), 0) + 1 AS epoch FROM epochs");
        let row = row.fetch_one(&self.readers).await.map_err(failed(Database::Ledger))?;
        Columns(&row).count("epoch")
    }

    /// The open epoch, with room, of a tenant and a delete-after month such as `2026-12`; `None`
    /// when one must be opened first.
    ///
    /// # Errors
    /// Those of the databases.
    pub async fn current_epoch(&self, tenant: &TenantId, month: &str) -> Result<Option<u64>> {
        let rows = sqlx::query(
            "SELECT epoch FROM epochs WHERE tenant = $1 AND month = $2 AND state = 'open'
             ORDER BY epoch DESC",
        )
        .bind(tenant.as_str())
        .bind(month)
        .fetch_all(&self.readers)
        .await
        .map_err(failed(Database::Ledger))?;
        for row in &rows {
            let epoch = Columns(row).count("epoch")?;
            let room = "SELECT 1 FROM gates WHERE epoch = $1 AND accepting = 1 AND slips < $2";
            let room = sqlx::query(room).bind(big(epoch)).bind(big(SLIPS_PER_EPOCH));
            let room = room.fetch_optional(&self.slip_readers).await;
            if room.map_err(failed(Database::Slips))?.is_some() {
                return Ok(Some(epoch));
            }
        }
        Ok(None)
    }

    /// The slips that an epoch seals, by recording, after `after`: what `keys rotate` has to seal
    /// anew. The next page begins after the last one's recording; an empty page is the end.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn slips_of_epoch(
        &self,
        epoch: u64,
        after: Option<RecordingId>,
        limit: u32,
    ) -> Result<Vec<SealedSlip>> {
        let after = after.map_or(Vec::new(), |recording| recording.as_bytes().to_vec());
        let rows = sqlx::query(
            "SELECT * FROM slips WHERE epoch = $1 AND recording_id > $2
             ORDER BY recording_id LIMIT $3",
        )
        .bind(big(epoch))
        .bind(after)
        .bind(i64::from(limit))
        .fetch_all(&self.slip_readers)
        .await
        .map_err(failed(Database::Slips))?;
        rows.iter().map(slip_row).collect()
    }

    /// Whether the provider may destroy the epoch's key now: it is closed, acknowledged, and seals
    /// no slip. A closed epoch stays so, because nothing enters it.
    ///
    /// # Errors
    /// `EpochUnknown`, `EpochState` or `EpochInUse`; those of the databases.
    pub async fn check_destroyable(&self, epoch: u64) -> Result<()> {
        let row = sqlx::query("SELECT state FROM epochs WHERE epoch = $1").bind(big(epoch));
        let row = row.fetch_optional(&self.readers).await.map_err(failed(Database::Ledger))?;
        let row = row.ok_or(Refusal::EpochUnknown(epoch))?;
        match Columns(&row).text("state", EpochState::from_name)? {
            EpochState::Closed => {}
            state @ (EpochState::Open | EpochState::Closing | EpochState::Destroyed) => {
                return Err(Refusal::EpochState { epoch, state }.into());
            }
        }
        let slips = sqlx::query("SELECT COUNT(*) AS slips FROM slips WHERE epoch = $1");
        let slips = slips.bind(big(epoch)).fetch_one(&self.slip_readers).await;
        let slips: i64 =
            slips.and_then(|row| row.try_get("slips")).map_err(failed(Database::Slips))?;
        match u64::try_from(slips) {
            Ok(0) => Ok(()),
            Ok(slips) => Err(Refusal::EpochInUse { epoch, slips }.into()),
            Err(_) => Err(LedgerError::Unreadable("slips")),
        }
    }
}

fn slip_row(row: &SqliteRow) -> Result<SealedSlip> {
    let row = Columns(row);
    Ok(SealedSlip {
        recording: row.recording("recording_id")?,
        revision: row.small("revision")?,
        epoch: row.count("epoch")?,
        sealed: row.bytes("sealed")?,
        commitment: row.digest("commitment")?,
    })
}

/// The slip tags in the text of a `slip-revised` fact.
fn proved(body: &[u8]) -> Option<SlipTags> {
    let text = |name| field(body, name).and_then(|value| std::str::from_utf8(value).ok());
    let commitment: Digest = text("commitment")?.parse().ok()?;
    let (revision, epoch) = (text("revision")?.parse().ok()?, text("epoch")?.parse().ok()?);
    Some(SlipTags { revision, epoch, commitment })
}
