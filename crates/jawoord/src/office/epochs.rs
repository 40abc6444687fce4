//! Key epochs: finding or opening one, moving slips to a new one, destroying an empty one.

use call::{RecordingId, TenantId};
use ledger::{EpochState, LedgerError};
use vault::{EpochKey, EpochNumber, Provider, ProviderError};

use super::archive::{Archive, OfficeError, sealed};

/// Slips moved between two looks at the ledger.
const PAGE: u32 = 200;

/// What a rotation did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rotated {
    /// Epochs that take no slip any more.
    pub closed: u64,
    /// Slips sealed anew.
    pub slips: u64,
}

impl Archive {
    /// The open epoch of a tenant and delete-after month, with its key; opened when there is none.
    ///
    /// # Errors
    /// [`OfficeError`] of ledger or keys.
    pub async fn epoch(
        &self,
        tenant: &TenantId,
        month: &str,
    ) -> Result<(EpochNumber, EpochKey), OfficeError> {
        if let Some(found) = self.current(tenant, month).await? {
            return Ok(found);
        }
        // The first calls of a month may decide at the same moment.
        let _alone = self.opening.lock().await;
        match self.current(tenant, month).await? {
            Some(found) => Ok(found),
            None => self.open_epoch(tenant, month).await,
        }
    }

    async fn current(
        &self,
        tenant: &TenantId,
        month: &str,
    ) -> Result<Option<(EpochNumber, EpochKey)>, OfficeError> {
        let Some(number) = self.ledger.current_epoch(tenant, month).await? else { return Ok(None) };
        let epoch = EpochNumber(number);
        Ok(Some((epoch, self.keys.open(epoch)?)))
    }

    async fn open_epoch(
        &self,
        tenant: &TenantId,
        month: &str,
    ) -> Result<(EpochNumber, EpochKey), OfficeError> {
        let mut number = self.ledger.next_epoch().await?;
        // A key without a row is what a crash between the two left: its number is spent.
        let key = loop {
            match self.keys.create(EpochNumber(number)) {
                Ok(key) => break key,
                Err(ProviderError::Exists(_)) => number += 1,
                Err(error) => return Err(error.into()),
            }
        };
        match self.ledger.open_epoch(self.clock.now(), number, tenant.clone(), month).await {
            Ok(()) => Ok((EpochNumber(number), key)),
            Err(error) => {
                self.keys.destroy(EpochNumber(number))?;
                Err(error.into())
            }
        }
    }

    /// Closes every open epoch and seals its slips anew under a new one. Whatever a backup holds
    /// of the old slips can then be made worthless by destroying the old epochs.
    ///
    /// # Errors
    /// [`OfficeError`]; what was moved stays moved, and rotating again goes on.
    pub async fn rotate(&self) -> Result<Rotated, OfficeError> {
        let mut rotated = Rotated::default();
        for epoch in self.ledger.epochs().await? {
            if matches!(epoch.state, EpochState::Destroyed) {
                continue;
            }
            if matches!(epoch.state, EpochState::Closed) && epoch.slips == 0 {
                continue;
            }
            if matches!(epoch.state, EpochState::Open) {
                self.ledger.close_epoch(self.clock.now(), epoch.number).await?;
            }
            rotated.slips += self.move_slips(epoch.number, &epoch.tenant, &epoch.month).await?;
            if !matches!(epoch.state, EpochState::Closed) {
                self.ledger.acknowledge_epoch(self.clock.now(), epoch.number).await?;
            }
            rotated.closed += 1;
        }
        Ok(rotated)
    }

    async fn move_slips(
        &self,
        old: u64,
        tenant: &TenantId,
        month: &str,
    ) -> Result<u64, OfficeError> {
        let old_key = self.keys.open(EpochNumber(old))?;
        let (new, new_key) = match self.ledger.slips_of_epoch(old, None, 1).await?.is_empty() {
            true => return Ok(0),
            false => self.epoch(tenant, month).await?,
        };
        let (mut moved, mut after) = (0, None::<RecordingId>);
        loop {
            let page = self.ledger.slips_of_epoch(old, after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(moved) };
            after = Some(last.recording);
            for stored in page {
                let slip = vault::SealedSlip::from_bytes(stored.sealed)?;
                let slip = slip.open(&old_key, tenant, stored.recording)?.renew();
                let slip = sealed(&slip, tenant, new, &new_key)?;
                self.ledger.reseal_slip(self.clock.now(), slip).await?;
                moved += 1;
            }
        }
    }

    /// Destroys the key of a closed and empty epoch. Returns what became unrecoverable by it.
    ///
    /// # Errors
    /// [`OfficeError`]; nothing is called unrecoverable then.
    pub async fn destroy(&self, epoch: u64) -> Result<Vec<RecordingId>, OfficeError> {
        self.ledger.check_destroyable(epoch).await?;
        self.keys.destroy(EpochNumber(epoch))?;
        Ok(self.ledger.epoch_destroyed(self.clock.now(), epoch).await?)
    }
}

/// Whether an error means that what was asked for is not there.
#[must_use]
pub const fn is_unknown(error: &LedgerError) -> bool {
    matches!(error, LedgerError::Refused(_))
}

#[cfg(test)]
mod tests {
    use tokio::task::JoinSet;

    use super::*;
    use crate::{clock::Clock, kept::Source, office::archive::Opened};

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn the_first_decisions_of_a_month_share_one_epoch_when_they_come_together() {
        let home = tempfile::TempDir::new().unwrap();
        let config = home.path().join("node.toml");
        std::fs::write(&config, include_str!("../../../../config/lab.toml")).unwrap();
        let source = Source { config, data: Some(home.path().join("data")) };
        let settings = source.settings().unwrap();
        let Opened { archive, writer, .. } =
            Archive::open(&settings, Clock::start()).await.unwrap();
        let writing = tokio::spawn(writer.run());
        let tenant = TenantId::new("voorbeeld").unwrap();
        let mut asking = JoinSet::new();
        for _ in 0..20 {
            let (archive, tenant) = (std::sync::Arc::clone(&archive), tenant.clone());
            asking.spawn(async move { archive.epoch(&tenant, "2027-02").await.map(|(n, _)| n) });
        }
        let found = asking.join_all().await;
        let first = found[0].as_ref().unwrap();
        assert!(found.iter().all(|number| number.as_ref().is_ok_and(|number| number == first)));
        assert_eq!(archive.ledger.epochs().await.unwrap().len(), 1);
        assert_eq!(archive.keys.epochs().unwrap(), [*first]);
        drop(archive);
        writing.await.unwrap();
    }
}
