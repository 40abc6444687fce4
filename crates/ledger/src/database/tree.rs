//! Writing and loading the audit tree: entries with their nodes, checkpoints, the edge at start.

use call::{Digest, Fact, FactKind, Time};
use ring::rand::{SecureRandom, SystemRandom};
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use super::{
    column::{Columns, Result, big, failed, moment},
    error::{Database, LedgerError},
};
use crate::audit::{
    checkpoint::Checkpoint,
    entry::{Entry, Salt},
    tree::{Frontier, Node},
};

const HERE: Database = Database::Ledger;

/// One hour of microseconds: of each hour the last checkpoint is kept for good.
const HOUR_MICROS: u64 = 3_600_000_000;

/// How many rows one statement inserts at most.
pub(crate) const ROWS_MAX: usize = 64;

/// What a transaction adds to the tree: the facts are hashed one by one, and stored together.
pub(crate) struct Growth {
    tree: Frontier,
    entries: Vec<(Entry, Digest)>,
    nodes: Vec<(Node, Digest)>,
}

impl Growth {
    /// Nothing yet, on top of a tree.
    pub(crate) fn new(tree: &Frontier) -> Self {
        Self { tree: tree.clone(), entries: Vec::new(), nodes: Vec::new() }
    }

    /// Appends a fact.
    pub(crate) fn append(&mut self, random: &SystemRandom, at: Time, fact: &Fact) -> Result<()> {
        let mut salt = [0; 32];
        random.fill(&mut salt).map_err(|_| LedgerError::SignerFailed)?;
        let (kind, body, salt) = (fact.kind(), fact.encode(at), Salt::new(salt));
        let entry = Entry { index: self.tree.size(), at, kind, salt, body };
        let leaf = entry.leaf();
        self.nodes.extend(self.tree.append(leaf));
        self.entries.push((entry, leaf));
        Ok(())
    }

    /// Stores what was appended, in the transaction of the rows that it proves, and gives the tree
    /// as it is then.
    pub(crate) async fn store(self, db: &mut SqliteConnection) -> Result<Frontier> {
        for entries in self.entries.chunks(ROWS_MAX) {
            let mut insert = QueryBuilder::<Sqlite>::new(
                "INSERT INTO entries (entry, at, kind, about, salt, body, leaf) ",
            );
            insert.push_values(entries, |mut row, (entry, leaf)| {
                row.push_bind(big(entry.index))
                    .push_bind(moment(entry.at))
                    .push_bind(entry.kind.as_str())
                    .push_bind(about(&entry.body))
                    .push_bind(&entry.salt.as_bytes()[..])
                    .push_bind(&entry.body[..])
                    .push_bind(&leaf.as_bytes()[..]);
            });
            insert.build().execute(&mut *db).await.map_err(failed(HERE))?;
        }
        for nodes in self.nodes.chunks(ROWS_MAX) {
            let mut insert =
                QueryBuilder::<Sqlite>::new("INSERT INTO nodes (last_leaf, level, hash) ");
            insert.push_values(nodes, |mut row, (node, hash)| {
                row.push_bind(big(node.last_leaf()))
                    .push_bind(i64::from(node.level))
                    .push_bind(&hash.as_bytes()[..]);
            });
            insert.build().execute(&mut *db).await.map_err(failed(HERE))?;
        }
        Ok(self.tree)
    }
}

/// The hash of a complete subtree.
pub(crate) async fn node(db: &mut SqliteConnection, node: Node) -> Result<Digest> {
    let query = if node.level == 0 {
        sqlx::query("SELECT leaf AS hash FROM entries WHERE entry = $1").bind(big(node.position))
    } else {
        sqlx::query("SELECT hash FROM nodes WHERE last_leaf = $1 AND level = $2")
            .bind(big(node.last_leaf()))
            .bind(i64::from(node.level))
    };
    let row = query.fetch_optional(db).await.map_err(failed(HERE))?;
    Columns(&row.ok_or(LedgerError::TreeDamaged)?).digest("hash")
}

/// How many entries there are.
pub(crate) async fn size(db: &mut SqliteConnection) -> Result<u64> {
    let row = sqlx::query("SELECT COALESCE(MAX(entry) + 1, 0) AS size FROM entries");
    let row = row.fetch_one(db).await.map_err(failed(HERE))?;
    Columns(&row).count("size")
}

/// The edge of the tree as it was when it had `size` entries: at most 64 reads.
pub(crate) async fn frontier(db: &mut SqliteConnection, size: u64) -> Result<Frontier> {
    let mut peaks = Vec::new();
    for peak in Frontier::nodes(size) {
        peaks.push(node(db, peak).await?);
    }
    Frontier::from_peaks(size, peaks).ok_or(LedgerError::TreeDamaged)
}

/// Stores a checkpoint. Within an hour the newest replaces the one before it.
pub(crate) async fn store_checkpoint(
    db: &mut SqliteConnection,
    at: Time,
    checkpoint: &Checkpoint,
) -> Result<()> {
    sqlx::query(
        "DELETE FROM checkpoints WHERE size = (SELECT MAX(size) FROM checkpoints) AND at >= $1",
    )
    .bind(big(at.as_micros() - at.as_micros() % HOUR_MICROS))
    .execute(&mut *db)
    .await
    .map_err(failed(HERE))?;
    sqlx::query("INSERT INTO checkpoints (size, at, note) VALUES ($1, $2, $3)")
        .bind(big(checkpoint.head().size))
        .bind(moment(at))
        .bind(checkpoint.note())
        .execute(db)
        .await
        .map_err(failed(HERE))?;
    Ok(())
}

/// The newest stored checkpoint.
pub(crate) async fn last_checkpoint(db: &mut SqliteConnection) -> Result<Option<Checkpoint>> {
    let row = sqlx::query("SELECT note FROM checkpoints ORDER BY size DESC LIMIT 1");
    let row = row.fetch_optional(db).await.map_err(failed(HERE))?;
    row.map(|row| Columns(&row).text("note", |note| note.parse().ok())).transpose()
}

/// Reads an entry back; `None` when one of its columns is damaged.
pub(crate) fn entry(row: &Columns<'_>) -> Option<Entry> {
    Some(Entry {
        index: row.count("entry").ok()?,
        at: row.time("at").ok()?,
        kind: row.text("kind", FactKind::from_name).ok()?,
        salt: Salt::new(row.array_32("salt").ok()?),
        body: row.bytes("body").ok()?,
    })
}

/// The line of a fact's text that says which recording, or else which call, it is about.
fn about(body: &[u8]) -> Option<&str> {
    let named = |name: &[u8]| {
        let is_named = |line: &&[u8]| line.strip_prefix(name).is_some();
        body.split(|byte| *byte == b'\n').find(is_named)
    };
    std::str::from_utf8(named(b"recording ").or_else(|| named(b"call "))?).ok()
}

#[cfg(test)]
mod tests {
    use call::RecordingId;

    use super::*;

    #[test]
    fn a_fact_says_what_it_is_about() {
        let fact = Fact::Unrecoverable { recording: RecordingId::from_bytes([7; 16]) };
        let line = "recording 07070707070707070707070707070707";
        assert_eq!(about(&fact.encode(Time::default())), Some(line));
        let fact = Fact::EpochClosed { epoch: 4 };
        assert_eq!(about(&fact.encode(Time::default())), None);
    }
}
