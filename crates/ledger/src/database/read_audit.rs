//! Reading the audit tree: head, proofs, entries, the whole audit, and its export.

use std::{
    collections::HashMap,
    fs::{File, OpenOptions},
    io::Write,
    path::Path,
};

use call::{CallId, Digest, FactKind, RecordingId};
use sqlx::{SqliteConnection, sqlite::SqliteRow};

use super::{
    column::{Columns, Result, big, failed},
    error::{Database, LedgerError, Refusal},
    handle::Ledger,
    tree,
};
use crate::audit::{
    checkpoint::Checkpoint,
    entry::Entry,
    export::{CHECKPOINTS_FILE, ENTRIES_FILE, checkpoint_line, entry_line},
    proof::{ConsistencyProof, InclusionProof, ProofPlan},
    tree::{Node, TreeHead},
    verify::{AuditReport, Auditor, Finding, Source},
};

const HERE: Database = Database::Ledger;

/// How many entries are read at once.
const PAGE: u64 = 1_000;

impl Ledger {
    /// Size and root of the tree as last written.
    #[must_use]
    pub fn head(&self) -> TreeHead {
        self.health().head
    }

    /// A checkpoint of the tree as last written, signed now.
    ///
    /// # Errors
    /// [`LedgerError::SignerFailed`].
    pub fn checkpoint(&self) -> Result<Checkpoint> {
        let signed = Checkpoint::sign(&self.origin, self.head(), &*self.signer);
        signed.ok_or(LedgerError::SignerFailed)
    }

    /// Entries from `from` on, at most `limit` of them and never more than 1,000.
    ///
    /// # Errors
    /// Those of the database; [`LedgerError::TreeDamaged`].
    pub async fn entries(&self, from: u64, limit: u64) -> Result<Vec<Entry>> {
        let mut db = self.readers.acquire().await.map_err(failed(HERE))?;
        let rows = entry_rows(&mut db, from, limit.min(PAGE)).await?;
        rows.iter().map(read_entry).collect()
    }

    /// Every fact about a recording, in order.
    ///
    /// # Errors
    /// Those of the database; [`LedgerError::TreeDamaged`].
    pub async fn facts_of_recording(&self, recording: RecordingId) -> Result<Vec<Entry>> {
        self.facts_about(format!("recording {recording}")).await
    }

    /// Every fact about a call, in order.
    ///
    /// # Errors
    /// Those of the database; [`LedgerError::TreeDamaged`].
    pub async fn facts_of_call(&self, call: CallId) -> Result<Vec<Entry>> {
        self.facts_about(format!("call {call}")).await
    }

    /// The recordings that were permitted in a call, also those that are gone by now.
    ///
    /// # Errors
    /// Those of the database; [`LedgerError::TreeDamaged`].
    pub async fn permitted_in(&self, call: CallId) -> Result<Vec<RecordingId>> {
        let facts = self.facts_of_call(call).await?;
        let place = |kind| facts.iter().find(|fact| fact.kind == kind).map(|fact| fact.index);
        let Some(from) = place(FactKind::CallOpened) else { return Ok(Vec::new()) };
        let to = place(FactKind::CallEnded).unwrap_or(self.head().size);
        // By their place: a permit is filed under its recording, and no index knows its call.
        let rows =
            sqlx::query("SELECT * FROM entries WHERE entry > $1 AND entry < $2 AND kind = $3")
                .bind(big(from))
                .bind(big(to))
                .bind(FactKind::RecordingPermitted.as_str());
        let rows = rows.fetch_all(&self.readers).await.map_err(failed(HERE))?;
        let call = call.to_string();
        let mut found = Vec::new();
        for row in &rows {
            let fact = read_entry(row)?;
            if fact.field("call") == Some(call.as_str()) {
                found.extend(fact.field("recording").and_then(|id| id.parse::<RecordingId>().ok()));
            }
        }
        Ok(found)
    }

    /// The start of the program under which an entry was written; `None` when the tree has none.
    ///
    /// # Errors
    /// Those of the database; [`LedgerError::TreeDamaged`].
    pub async fn start_before(&self, index: u64) -> Result<Option<Entry>> {
        let row = sqlx::query(
            "SELECT * FROM entries WHERE entry < $1 AND kind = $2 ORDER BY entry DESC LIMIT 1",
        )
        .bind(big(index))
        .bind(FactKind::NodeStarted.as_str());
        let row = row.fetch_optional(&self.readers).await.map_err(failed(HERE))?;
        row.as_ref().map(read_entry).transpose()
    }

    async fn facts_about(&self, about: String) -> Result<Vec<Entry>> {
        let rows = sqlx::query("SELECT * FROM entries WHERE about = $1 ORDER BY entry").bind(about);
        let rows = rows.fetch_all(&self.readers).await.map_err(failed(HERE))?;
        rows.iter().map(read_entry).collect()
    }

    /// The proof that an entry stands in the tree of `size`.
    ///
    /// # Errors
    /// [`Refusal::EntryUnknown`] when that tree has no such entry or does not exist; those of the
    /// database.
    pub async fn inclusion_proof(&self, index: u64, size: u64) -> Result<InclusionProof> {
        let plan = ProofPlan::inclusion(index, size).filter(|_| size <= self.head().size);
        let path = self.path(&plan.ok_or(Refusal::EntryUnknown)?).await?;
        Ok(InclusionProof { index, size, path })
    }

    /// The proof that the tree of size `to` continues the one of size `from`.
    ///
    /// # Errors
    /// As [`Ledger::inclusion_proof`].
    pub async fn consistency_proof(&self, from: u64, to: u64) -> Result<ConsistencyProof> {
        let plan = ProofPlan::consistency(from, to).filter(|_| to <= self.head().size);
        let path = self.path(&plan.ok_or(Refusal::EntryUnknown)?).await?;
        Ok(ConsistencyProof { from, to, path })
    }

    async fn path(&self, plan: &ProofPlan) -> Result<Vec<Digest>> {
        let mut db = self.readers.acquire().await.map_err(failed(HERE))?;
        let mut hashes = HashMap::new();
        for node in plan.nodes() {
            hashes.insert(node, tree::node(&mut db, node).await?);
        }
        plan.path(|node| hashes.get(&node).copied()).ok_or(LedgerError::TreeDamaged)
    }

    /// Recomputes everything: every leaf from salt and body, every node, every checkpoint with its
    /// signature against `trusted` (an Ed25519 public key), and the checkpoint outside. Each
    /// damage is named in the report.
    ///
    /// # Errors
    /// Those of reading; damage is in the report.
    pub async fn audit(&self, trusted: Option<[u8; 32]>) -> Result<AuditReport> {
        let mut auditor = Auditor::new(trusted);
        // Read first: whatever is appended afterwards only makes the tree longer than this.
        match self.outside.read()? {
            Some(note) => auditor.checkpoint(Source::Outside, &note),
            None => auditor.find(Finding::CheckpointMissing(Source::Outside)),
        }
        let failed = failed(HERE);
        let mut snapshot = self.readers.begin().await.map_err(&failed)?;
        let notes = sqlx::query("SELECT note FROM checkpoints ORDER BY size");
        for row in &notes.fetch_all(&mut *snapshot).await.map_err(&failed)? {
            match Columns(row).text("note", |note| Some(note.to_owned())) {
                Ok(note) => auditor.checkpoint(Source::Stored, &note),
                Err(_) => auditor.find(Finding::CheckpointUnreadable(Source::Stored)),
            }
        }
        audit_entries(&mut snapshot, &mut auditor).await?;
        Ok(auditor.finish())
    }

    /// Writes the trail into a folder: `entries.jsonl` and `checkpoints.jsonl`, which
    /// [`crate::verify_export`] reads without a database. Returns how many entries there are.
    ///
    /// # Errors
    /// [`LedgerError::File`] when one of the files exists already or cannot be written; those of
    /// the database; [`LedgerError::TreeDamaged`] when an entry cannot be read.
    pub async fn export_audit(&self, folder: &Path) -> Result<u64> {
        let failed = failed(HERE);
        let mut snapshot = self.readers.begin().await.map_err(&failed)?;
        let notes = sqlx::query("SELECT note FROM checkpoints ORDER BY size");
        let mut lines = String::new();
        for row in &notes.fetch_all(&mut *snapshot).await.map_err(&failed)? {
            let checkpoint = Columns(row).text("note", |note| note.parse().ok())?;
            push_line(&mut lines, checkpoint_line(&checkpoint))?;
        }
        let file = create(folder, CHECKPOINTS_FILE)?;
        write(file, lines, CHECKPOINTS_FILE).await?;
        let mut file = create(folder, ENTRIES_FILE)?;
        let (mut from, mut entries) = (0, 0);
        loop {
            let rows = entry_rows(&mut snapshot, from, PAGE).await?;
            let Some(last) = rows.last() else { return Ok(entries) };
            from = Columns(last).count("entry")?.saturating_add(1);
            let mut lines = String::new();
            for row in &rows {
                push_line(&mut lines, entry_line(&read_entry(row)?))?;
            }
            file = write(file, lines, ENTRIES_FILE).await?;
            entries += rows.len() as u64;
        }
    }
}

fn read_entry(row: &SqliteRow) -> Result<Entry> {
    tree::entry(&Columns(row)).ok_or(LedgerError::TreeDamaged)
}

/// Stored entries from `from` on, in order, at most `limit`.
async fn entry_rows(db: &mut SqliteConnection, from: u64, limit: u64) -> Result<Vec<SqliteRow>> {
    sqlx::query("SELECT * FROM entries WHERE entry >= $1 ORDER BY entry LIMIT $2")
        .bind(big(from))
        .bind(big(limit))
        .fetch_all(db)
        .await
        .map_err(failed(HERE))
}

/// Feeds every stored entry, with its stored hashes, to the auditor.
async fn audit_entries(db: &mut SqliteConnection, auditor: &mut Auditor) -> Result<()> {
    let mut from = 0;
    loop {
        let rows = entry_rows(db, from, PAGE).await?;
        let Some(last) = rows.last() else { break };
        let to = Columns(last).count("entry")?.saturating_add(1);
        let mut nodes = node_page(db, from, to, auditor).await?;
        for row in &rows {
            let row = Columns(row);
            match (tree::entry(&row), row.digest("leaf")) {
                (Some(entry), Ok(leaf)) => {
                    let own = nodes.remove(&entry.index).unwrap_or_default();
                    auditor.entry(&entry, Some(leaf), Some(&own));
                }
                (None, _) | (_, Err(_)) => auditor.unreadable(),
            }
        }
        from = to;
    }
    let beyond = node_page(db, from, i64::MAX.unsigned_abs(), auditor).await?;
    for (node, _) in beyond.into_values().flatten() {
        auditor.find(Finding::NodeSurplus(node));
    }
    Ok(())
}

/// The stored nodes that leaves `from..to` complete, by leaf.
async fn node_page(
    db: &mut SqliteConnection,
    from: u64,
    to: u64,
    auditor: &mut Auditor,
) -> Result<HashMap<u64, Vec<(Node, Digest)>>> {
    let rows = sqlx::query(
        "SELECT * FROM nodes WHERE last_leaf >= $1 AND last_leaf < $2 ORDER BY last_leaf, level",
    )
    .bind(big(from))
    .bind(big(to))
    .fetch_all(db)
    .await
    .map_err(failed(HERE))?;
    let mut nodes: HashMap<u64, Vec<_>> = HashMap::new();
    for row in &rows {
        let row = Columns(row);
        let (last_leaf, level) = (row.count("last_leaf")?, row.small("level")?);
        let position = last_leaf.saturating_add(1).checked_shr(level).unwrap_or(0);
        let node = Node { level, position: position.saturating_sub(1) };
        // A node whose place no subtree has, or whose hash is cut, is not compared but named.
        match row.digest("hash") {
            Ok(hash) if node.level < 64 && node.last_leaf() == last_leaf => {
                nodes.entry(last_leaf).or_default().push((node, hash));
            }
            _ => auditor.find(Finding::NodeSurplus(node)),
        }
    }
    Ok(nodes)
}

fn push_line(lines: &mut String, line: std::io::Result<String>) -> Result<()> {
    lines.push_str(&line.map_err(|error| LedgerError::File(ENTRIES_FILE, error.kind()))?);
    lines.push('\n');
    Ok(())
}

fn create(folder: &Path, name: &'static str) -> Result<File> {
    let file = OpenOptions::new().write(true).create_new(true).open(folder.join(name));
    file.map_err(|error| LedgerError::File(name, error.kind()))
}

/// Writes and syncs on a thread that may block.
async fn write(mut file: File, lines: String, name: &'static str) -> Result<File> {
    let written = tokio::task::spawn_blocking(move || {
        file.write_all(lines.as_bytes())?;
        file.sync_data()?;
        Ok(file)
    });
    let written = written.await.map_err(|_| LedgerError::Stopped)?;
    written.map_err(|error: std::io::Error| LedgerError::File(name, error.kind()))
}
