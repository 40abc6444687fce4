//! Reading what each book says of some calls or recordings at once, for the reconciliation.

use std::collections::{HashMap, HashSet};

use call::{
    CallId, Digest, FactKind, Ground, LineId, Outcome, PolicyId, Purposes, RecordingId, TenantId,
    Verdict, Words,
};
use sqlx::{QueryBuilder, Sqlite, SqliteConnection, sqlite::SqliteRow};

use super::{
    column::{Columns, Result, failed, moment},
    error::{Database, LedgerError},
    handle::Ledger,
    read_calls::{call_line, words},
    recordings::slip_columns,
    tree,
};
use crate::{
    audit::{entry::Entry, tree::sha256},
    catalogue::{
        calls::CallLine,
        recordings::{RecordingState, SlipTags},
    },
    reconcile::{
        judge::was_recorded,
        report::Period,
        story::{
            CallSheet, CallStory, Opening, Permit, RecordingSheet, RecordingStory, Sheet, Trail,
        },
    },
};

const HERE: Database = Database::Ledger;

impl Ledger {
    /// What the books say of these calls. Which of them run is not known here.
    pub(crate) async fn call_stories(&self, calls: &[CallId]) -> Result<Vec<CallStory>> {
        let mut db = self.readers.begin().await.map_err(failed(HERE))?;
        let keys: Vec<&[u8]> = calls.iter().map(|call| &call.as_bytes()[..]).collect();
        let rows = of("SELECT * FROM calls WHERE call_id", &keys, "", &mut db).await?;
        let mut sheets = HashMap::with_capacity(rows.len());
        for row in &rows {
            let row = Columns(row);
            let sheet = call_sheet(&row).map_or(Sheet::Unreadable, Sheet::Says);
            sheets.insert(row.call("call_id")?, sheet);
        }
        let select = "SELECT call_id, state FROM recordings WHERE call_id";
        let mut states: HashMap<CallId, Vec<RecordingState>> = HashMap::new();
        for row in &of(select, &keys, "", &mut db).await? {
            let row = Columns(row);
            // A state that cannot be read is named with its recording.
            let state = row.text("state", RecordingState::from_name);
            let of_call = states.entry(row.call("call_id")?).or_default();
            of_call.push(state.unwrap_or(RecordingState::Permitted));
        }
        let about = calls.iter().map(|call| format!("call {call}")).collect::<Vec<_>>();
        let kinds = " AND kind IN ('call-opened', 'call-ended') ORDER BY entry";
        let mut facts: HashMap<String, (Option<Opening>, Option<Words>)> = HashMap::new();
        for entry in entries(&about, kinds, &mut db).await? {
            let Some(call) = entry.field("call") else { continue };
            let told = facts.entry(call.to_owned()).or_default();
            match entry.kind == FactKind::CallOpened {
                true => told.0 = opening(&entry),
                false => told.1 = ended(&entry),
            }
        }
        drop(db);
        let mut stories = Vec::with_capacity(calls.len());
        for call in calls {
            let (opened, ended) = facts.remove(&call.to_string()).unwrap_or_default();
            let row = sheets.remove(call).unwrap_or(Sheet::Absent);
            let recordings = states.remove(call).unwrap_or_default();
            let (call, runs, permitted) = (*call, false, false);
            let mut story = CallStory { call, row, opened, ended, runs, recordings, permitted };
            // Only the tree knows what was deleted meanwhile.
            let kept = ended.is_some_and(|words| was_recorded(words.verdict));
            if kept && story.recordings.is_empty() {
                story.permitted = !self.permitted_in(call).await?.is_empty();
            }
            stories.push(story);
        }
        Ok(stories)
    }

    /// What the books say of these recordings. What the store holds of them is not known here.
    pub(crate) async fn recording_stories(
        &self,
        recordings: &[RecordingId],
    ) -> Result<Vec<RecordingStory>> {
        let keys: Vec<&[u8]> = recordings.iter().map(|id| &id.as_bytes()[..]).collect();
        // A slip is written before its row and removed before it.
        let mut slips = self.slips_of(&keys).await?;
        let mut db = self.readers.begin().await.map_err(failed(HERE))?;
        let select = "SELECT r.*, c.closed_at, c.consent, c.outcome, c.verdict FROM recordings r
             LEFT JOIN calls c ON c.call_id = r.call_id WHERE r.recording_id";
        let mut sheets = HashMap::with_capacity(recordings.len());
        for row in &of(select, &keys, "", &mut db).await? {
            let row = Columns(row);
            let sheet = recording_sheet(&row).map_or(Sheet::Unreadable, Sheet::Says);
            sheets.insert(row.recording("recording_id")?, sheet);
        }
        let select = "SELECT recording_id, body FROM evidence WHERE recording_id";
        let mut evidence: HashMap<RecordingId, Digest> = HashMap::new();
        for row in &of(select, &keys, "", &mut db).await? {
            let row = Columns(row);
            evidence.insert(row.recording("recording_id")?, sha256(&[&row.bytes("body")?]));
        }
        let about = recordings.iter().map(|id| format!("recording {id}")).collect::<Vec<_>>();
        let kinds = " AND kind IN ('recording-permitted', 'slip-revised', 'recording-sealed',
             'recording-stored', 'erase-intended', 'erased', 'deletion-intended',
             'recording-deleted') ORDER BY entry";
        let mut trails: HashMap<String, Trail> = HashMap::new();
        for entry in entries(&about, kinds, &mut db).await? {
            let Some(recording) = entry.field("recording") else { continue };
            tell(trails.entry(recording.to_owned()).or_default(), &entry);
        }
        let story = |recording: &RecordingId| RecordingStory {
            recording: *recording,
            row: sheets.remove(recording).unwrap_or(Sheet::Absent),
            evidence: evidence.remove(recording),
            slip: slips.remove(recording),
            object: false,
            trail: trails.remove(&recording.to_string()).unwrap_or_default(),
        };
        Ok(recordings.iter().map(story).collect())
    }

    /// Those of these calls of which the catalogue has no row of that period.
    pub(crate) async fn calls_without_row(
        &self,
        calls: &[CallId],
        period: Period,
    ) -> Result<Vec<CallId>> {
        let mut db = self.readers.acquire().await.map_err(failed(HERE))?;
        let keys: Vec<&[u8]> = calls.iter().map(|call| &call.as_bytes()[..]).collect();
        let within = within("opened_at", period);
        let rows = of("SELECT call_id FROM calls WHERE call_id", &keys, &within, &mut db).await?;
        let known = rows.iter().map(|row| Columns(row).call("call_id"));
        let known = known.collect::<Result<HashSet<_>>>()?;
        Ok(calls.iter().copied().filter(|call| !known.contains(call)).collect())
    }

    /// Those of these recordings of which the catalogue has no row, or none of that period.
    pub(crate) async fn recordings_without_row(
        &self,
        recordings: &[RecordingId],
        period: Option<Period>,
    ) -> Result<Vec<RecordingId>> {
        let mut db = self.readers.acquire().await.map_err(failed(HERE))?;
        let keys: Vec<&[u8]> = recordings.iter().map(|id| &id.as_bytes()[..]).collect();
        let select = "SELECT recording_id FROM recordings WHERE recording_id";
        let within = period.map(|period| within("permitted_at", period)).unwrap_or_default();
        let rows = of(select, &keys, &within, &mut db).await?;
        let known = rows.iter().map(|row| Columns(row).recording("recording_id"));
        let known = known.collect::<Result<HashSet<_>>>()?;
        Ok(recordings.iter().copied().filter(|id| !known.contains(id)).collect())
    }

    async fn slips_of(&self, keys: &[&[u8]]) -> Result<HashMap<RecordingId, SlipTags>> {
        let mut db = self.slip_readers.acquire().await.map_err(failed(Database::Slips))?;
        let select = "SELECT recording_id, revision, epoch, commitment FROM slips
             WHERE recording_id";
        let rows = of(select, keys, "", &mut db).await?;
        rows.iter()
            .map(|row| {
                let row = Columns(row);
                let tags = SlipTags {
                    revision: row.small("revision")?,
                    epoch: row.count("epoch")?,
                    commitment: row.digest("commitment")?,
                };
                Ok((row.recording("recording_id")?, tags))
            })
            .collect()
    }
}

/// The condition that a column of moments lies in a period.
fn within(column: &'static str, period: Period) -> String {
    format!(" AND {column} >= {} AND {column} < {}", moment(period.from), moment(period.to))
}

/// The rows whose key is one of these.
async fn of<'k, K>(
    select: &str,
    keys: &'k [K],
    rest: &str,
    db: &mut SqliteConnection,
) -> Result<Vec<SqliteRow>>
where
    &'k K: sqlx::Encode<'k, Sqlite> + sqlx::Type<Sqlite>,
{
    let mut query = QueryBuilder::<Sqlite>::new(select);
    query.push(" IN (");
    let mut list = query.separated(", ");
    for key in keys {
        list.push_bind(key);
    }
    query.push(")").push(rest);
    query.build().fetch_all(db).await.map_err(failed(HERE))
}

/// The facts about these, in order. One that cannot be read is a matter of the audit.
async fn entries(about: &[String], kinds: &str, db: &mut SqliteConnection) -> Result<Vec<Entry>> {
    let rows = of("SELECT * FROM entries WHERE about", about, kinds, db).await?;
    Ok(rows.iter().filter_map(|row| tree::entry(&Columns(row))).collect())
}

fn call_sheet(row: &Columns<'_>) -> Result<CallSheet> {
    Ok(CallSheet {
        opening: call_line(row)?
            .map(|line| Ok::<_, LedgerError>(Opening { at: row.time("opened_at")?, line }))
            .transpose()?,
        closed: row.maybe_time("closed_at")?.is_some(),
        words: words(row)?,
    })
}

fn recording_sheet(row: &Columns<'_>) -> Result<RecordingSheet> {
    let _readable = slip_columns(row)?;
    Ok(RecordingSheet {
        permit: Permit {
            call: row.call("call_id")?,
            ground: row.text("ground", Ground::from_name)?,
            purposes: row.text("purposes", Purposes::from_names)?,
            evidence: row.digest("evidence_hash")?,
            at: row.time("permitted_at")?,
        },
        state: row.text("state", RecordingState::from_name)?,
        manifest: row.maybe_digest("manifest")?,
        object: row.maybe_digest("object_sha256")?,
        call_closed_at: row.maybe_time("closed_at")?,
        words: words(row)?,
    })
}

fn opening(entry: &Entry) -> Option<Opening> {
    let line = CallLine {
        tenant: TenantId::new(entry.field("tenant")?).ok()?,
        line: LineId::new(entry.field("line")?).ok()?,
        policy: PolicyId::new(entry.field("policy")?).ok()?,
        policy_version: entry.field("policy_version")?.parse().ok()?,
        policy_hash: entry.field("policy_hash")?.parse().ok()?,
    };
    Some(Opening { at: entry.at, line })
}

fn ended(entry: &Entry) -> Option<Words> {
    Some(Words {
        consent: call::Consent::from_name(entry.field("consent")?)?,
        outcome: Outcome::from_name(entry.field("outcome")?)?,
        verdict: Verdict::from_name(entry.field("verdict")?)?,
    })
}

fn permitted(entry: &Entry) -> Option<Permit> {
    Some(Permit {
        call: entry.field("call")?.parse().ok()?,
        ground: Ground::from_name(entry.field("ground")?)?,
        purposes: Purposes::from_names(entry.field("purposes")?)?,
        evidence: entry.field("evidence")?.parse().ok()?,
        at: entry.at,
    })
}

fn slip(entry: &Entry) -> Option<SlipTags> {
    Some(SlipTags {
        revision: entry.field("revision")?.parse().ok()?,
        epoch: entry.field("epoch")?.parse().ok()?,
        commitment: entry.field("commitment")?.parse().ok()?,
    })
}

/// Takes a fact about a recording into account.
fn tell(trail: &mut Trail, entry: &Entry) {
    let digest = |name| entry.field(name).and_then(|value| value.parse().ok());
    if entry.kind == FactKind::RecordingPermitted {
        trail.permit = permitted(entry);
    } else if entry.kind == FactKind::SlipRevised {
        trail.slip = slip(entry);
    } else if entry.kind == FactKind::RecordingSealed {
        trail.sealed = digest("manifest");
    } else if entry.kind == FactKind::RecordingStored {
        trail.stored = digest("object");
    } else if entry.kind == FactKind::EraseIntended {
        trail.erasing = (trail.erasing.0.saturating_add(1), entry.at);
    } else if entry.kind == FactKind::Erased {
        trail.erasing.0 = trail.erasing.0.saturating_sub(1);
    } else if entry.kind == FactKind::DeletionIntended {
        trail.removing = Some(entry.at);
    } else if entry.kind == FactKind::RecordingDeleted {
        trail.deleted = true;
    }
}
