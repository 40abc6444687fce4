//! The exported trail: two JSON-lines files that [`verify_export`] reads without a database.
//!
//! `entries.jsonl`, one entry per line, in order of index:
//! `{"index":0,"at":1792000000000000,"kind":"node-started","salt":"<64 hex>","body":"<text>"}`;
//! `at` is microseconds since the Unix epoch, `body` the fact's text as `call::Fact::encode` wrote
//! it. `checkpoints.jsonl`, one signed note per line, in order of size:
//! `{"size":1,"note":"<origin>\n1\n<base64 root>\n\n— <origin> <base64 signature>\n"}`.
//!
//! To check one by hand: leaf = SHA-256(00 ‖ SHA-256("jawoord/v1/fact\n" ‖ salt ‖ body)); the
//! tree over the leaves is that of RFC 6962 §2.1; its root stands in the note; the note is signed
//! as C2SP `signed-note` says (Ed25519).

use std::io::{self, BufRead, Read};

use call::{Digest, FactKind, Time};
use serde::{Deserialize, Serialize};

use super::{
    checkpoint::Checkpoint,
    entry::{Entry, Salt},
    verify::{AuditReport, Auditor, Finding, Source},
};

/// The name of the file of entries.
pub const ENTRIES_FILE: &str = "entries.jsonl";
/// The name of the file of checkpoints.
pub const CHECKPOINTS_FILE: &str = "checkpoints.jsonl";

/// No line of a trail is longer; a longer one is damage, not data.
const LINE_MAX: u64 = 65_536;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryLine {
    index: u64,
    at: u64,
    kind: String,
    salt: String,
    body: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CheckpointLine {
    size: u64,
    note: String,
}

/// The line of an entry, without its line end.
///
/// # Errors
/// [`io::ErrorKind::InvalidData`] when the body is not text, which no fact's is.
pub fn entry_line(entry: &Entry) -> io::Result<String> {
    let body = String::from_utf8(entry.body.clone())
        .map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
    let line = EntryLine {
        index: entry.index,
        at: entry.at.as_micros(),
        kind: entry.kind.as_str().to_owned(),
        salt: Digest::from_bytes(*entry.salt.as_bytes()).to_string(),
        body,
    };
    Ok(serde_json::to_string(&line)?)
}

/// The line of a checkpoint, without its line end.
///
/// # Errors
/// None that a checkpoint can cause; the encoder's type asks for the result.
pub fn checkpoint_line(checkpoint: &Checkpoint) -> io::Result<String> {
    let note = checkpoint.note().to_owned();
    Ok(serde_json::to_string(&CheckpointLine { size: checkpoint.head().size, note })?)
}

/// Reads an entry's line; `None` when it is damaged.
#[must_use]
pub fn read_entry_line(line: &str) -> Option<Entry> {
    let line: EntryLine = serde_json::from_str(line).ok()?;
    let salt: Digest = line.salt.parse().ok()?;
    Some(Entry {
        index: line.index,
        at: Time::from_micros(line.at),
        kind: FactKind::from_name(&line.kind)?,
        salt: Salt::new(*salt.as_bytes()),
        body: line.body.into_bytes(),
    })
}

/// Recomputes an exported trail and names every damage. `trusted` is the Ed25519 public key that
/// the auditor brought along.
///
/// # Errors
/// Only those of reading; damage is in the report.
pub fn verify_export(
    mut entries: impl BufRead,
    mut checkpoints: impl BufRead,
    trusted: Option<[u8; 32]>,
) -> io::Result<AuditReport> {
    let mut auditor = Auditor::new(trusted);
    while let Some(line) = next_line(&mut checkpoints)? {
        let parsed = line.and_then(|line| serde_json::from_str::<CheckpointLine>(&line).ok());
        let agrees = |line: &CheckpointLine| {
            line.note.parse().is_ok_and(|note: Checkpoint| note.head().size == line.size)
        };
        match parsed.filter(agrees) {
            Some(line) => auditor.checkpoint(Source::Stored, &line.note),
            None => auditor.find(Finding::CheckpointUnreadable(Source::Stored)),
        }
    }
    while let Some(line) = next_line(&mut entries)? {
        match line.and_then(|line| read_entry_line(&line)) {
            Some(entry) => auditor.entry(&entry, None, None),
            None => auditor.unreadable(),
        }
    }
    Ok(auditor.finish())
}

/// The next line: `None` at the end, `Some(None)` for one that is too long, not text, or was cut
/// before its line end.
fn next_line(from: &mut impl BufRead) -> io::Result<Option<Option<String>>> {
    let mut line = Vec::new();
    let length = from.by_ref().take(LINE_MAX).read_until(b'\n', &mut line)?;
    if length == 0 {
        return Ok(None);
    }
    if line.pop() != Some(b'\n') {
        skip_line(from)?;
        return Ok(Some(None));
    }
    Ok(Some(String::from_utf8(line).ok()))
}

/// Drops the rest of a line without keeping it.
fn skip_line(from: &mut impl BufRead) -> io::Result<()> {
    loop {
        let buffer = from.fill_buf()?;
        if buffer.is_empty() {
            return Ok(());
        }
        let (length, ended) = match buffer.iter().position(|byte| *byte == b'\n') {
            Some(place) => (place + 1, true),
            None => (buffer.len(), false),
        };
        from.consume(length);
        if ended {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::verify::tests::{Trail, trail, trusted};

    /// The two files of a trail.
    fn files(trail: &Trail) -> (String, String) {
        let entries = trail.entries.iter().map(|(entry, ..)| entry_line(entry).unwrap() + "\n");
        let notes = trail.notes.iter().map(|note| note.parse::<Checkpoint>().unwrap());
        let notes = notes.map(|note| checkpoint_line(&note).unwrap() + "\n");
        (entries.collect(), notes.collect())
    }

    fn verify(entries: &[u8], checkpoints: &[u8]) -> AuditReport {
        verify_export(entries, checkpoints, Some(trusted())).unwrap()
    }

    #[test]
    fn an_exported_trail_verifies_without_a_database() {
        let (entries, checkpoints) = files(&trail(5, &[2, 5]));
        let report = verify(entries.as_bytes(), checkpoints.as_bytes());
        assert!(report.is_proved(), "{report:?}");
        assert_eq!(report.head.size, 5);
    }

    #[test]
    fn a_line_has_the_documented_form() {
        let (entries, checkpoints) = files(&trail(1, &[1]));
        let id = "00".repeat(16);
        let salt = "00".repeat(32);
        assert_eq!(
            entries,
            format!(
                "{{\"index\":0,\"at\":0,\"kind\":\"unrecoverable\",\"salt\":\"{salt}\",\"body\":\
                 \"jawoord/fact/v1\\nkind unrecoverable\\nat 0\\nrecording {id}\\n\"}}\n"
            )
        );
        assert!(checkpoints.starts_with("{\"size\":1,\"note\":\"node1.example.nl/jawoord\\n1\\n"));
    }

    #[test]
    fn every_flipped_bit_of_either_file_is_found() {
        let (entries, checkpoints) = files(&trail(2, &[1, 2]));
        let flipped = |file: &str, bit: usize| {
            let mut bytes = file.as_bytes().to_vec();
            bytes[bit / 8] ^= 1 << (bit % 8);
            bytes
        };
        for bit in 0..entries.len() * 8 {
            let report = verify(&flipped(&entries, bit), checkpoints.as_bytes());
            assert!(!report.is_proved(), "bit {bit} of the entries");
        }
        for bit in 0..checkpoints.len() * 8 {
            let report = verify(entries.as_bytes(), &flipped(&checkpoints, bit));
            assert!(!report.is_proved(), "bit {bit} of the checkpoints");
        }
    }

    #[test]
    fn a_trail_cut_anywhere_is_found() {
        let (entries, checkpoints) = files(&trail(3, &[3]));
        for length in 0..entries.len() {
            let report = verify(&entries.as_bytes()[..length], checkpoints.as_bytes());
            assert!(!report.is_consistent(), "{length} bytes");
        }
    }

    #[test]
    fn a_line_without_end_is_damage_and_no_burden() {
        let (entries, checkpoints) = files(&trail(2, &[2]));
        let long = [b"{\"index\":0,".as_slice(), &[b' '; 200_000], b"\n"].concat();
        let report = verify(&[&long, entries.as_bytes()].concat(), checkpoints.as_bytes());
        assert_eq!(report.findings[0], Finding::EntryUnreadable(0));
    }
}
