//! What the trail says of each recording, read from the very bytes that are being proved.

use std::{
    collections::BTreeMap,
    io::{self, Read},
};

use call::{CallId, Digest, FactKind, Ground, Purposes, RecordingId, Time};
use ledger::Entry;

/// The first line of a fact, which names its form.
const TITLE: &str = "jawoord/fact/v1\n";
/// No line of a trail is longer; the trail's own check names one that is.
const LINE_MAX: usize = 65_536;
/// How many facts of unknown form are kept; further ones add nothing.
const UNREADABLE_MAX: usize = 100;

/// The permit of a recording, as its fact names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Permitted {
    pub(crate) call: CallId,
    pub(crate) ground: Ground,
    pub(crate) purposes: Purposes,
    pub(crate) evidence: Digest,
}

/// The proof that a recording is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Deleted {
    /// The entry that holds the proof.
    pub(crate) entry: u64,
    /// The manifest that is gone; zero if there was none.
    pub(crate) manifest: Digest,
}

/// What the trail says of one recording. Of two facts of a kind the later one counts: a crash
/// between sealing and storing makes a node seal again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Story {
    pub(crate) permit: Option<Permitted>,
    /// There was sound before there was a permit.
    pub(crate) unpermitted: bool,
    pub(crate) sealed: Option<Digest>,
    pub(crate) stored: Option<Digest>,
    /// Its deletion was ordered.
    pub(crate) removing: bool,
    pub(crate) deleted: Option<Deleted>,
}

/// The recordings of a trail.
#[derive(Debug, Default)]
pub(crate) struct History {
    stories: BTreeMap<RecordingId, Story>,
    /// Entries whose recording or digests cannot be read.
    pub(crate) unreadable: Vec<u64>,
    /// How many entries were read.
    pub(crate) entries: u64,
    /// When the first of them was recorded.
    pub(crate) first: Option<Time>,
    /// When the last of them was recorded.
    pub(crate) last: Option<Time>,
}

impl History {
    /// What is known of a recording.
    pub(crate) fn story(&self, recording: RecordingId) -> Option<&Story> {
        self.stories.get(&recording)
    }

    /// Every recording that the trail speaks of, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (RecordingId, &Story)> {
        self.stories.iter().map(|(recording, story)| (*recording, story))
    }

    fn line(&mut self, line: &[u8]) {
        let entry = str::from_utf8(line).ok().and_then(ledger::read_entry_line);
        // What cannot be read is named by the check of the trail itself.
        let Some(entry) = entry else { return };
        self.entries += 1;
        self.first.get_or_insert(entry.at);
        self.last = Some(entry.at);
        if self.entry(&entry).is_none() && self.unreadable.len() < UNREADABLE_MAX {
            self.unreadable.push(entry.index);
        }
    }

    /// Takes an entry into account; `None` when it lacks what its kind has.
    fn entry(&mut self, entry: &Entry) -> Option<()> {
        match entry.kind {
            FactKind::RecordingPermitted => {
                let fact = Fields::of(entry)?;
                let permit = Permitted {
                    call: fact.parsed("call")?,
                    ground: Ground::from_name(fact.value("ground")?)?,
                    purposes: Purposes::from_names(fact.value("purposes")?)?,
                    evidence: fact.parsed("evidence")?,
                };
                self.about(&fact)?.permit = Some(permit);
            }
            FactKind::RecordingRecovered => self.sound(&Fields::of(entry)?).map(drop)?,
            FactKind::RecordingSealed => {
                let fact = Fields::of(entry)?;
                let manifest = fact.parsed("manifest")?;
                self.sound(&fact)?.sealed = Some(manifest);
            }
            FactKind::RecordingStored => {
                let fact = Fields::of(entry)?;
                let object = fact.parsed("object")?;
                self.sound(&fact)?.stored = Some(object);
            }
            FactKind::DeletionIntended => self.about(&Fields::of(entry)?)?.removing = true,
            FactKind::RecordingDeleted => {
                let fact = Fields::of(entry)?;
                let deleted = Deleted { entry: entry.index, manifest: fact.parsed("manifest")? };
                self.about(&fact)?.deleted = Some(deleted);
            }
            FactKind::NodeStarted
            | FactKind::ConfigurationChanged
            | FactKind::CallOpened
            | FactKind::ConsentDecided
            | FactKind::CustomerObjected
            | FactKind::WithdrawalTold
            | FactKind::SlipRevised
            | FactKind::RecordingGap
            | FactKind::RecordingPaused
            | FactKind::RecordingResumed
            | FactKind::AgentConnected
            | FactKind::AgentLeft
            | FactKind::AgentUnknown
            | FactKind::EraseIntended
            | FactKind::Erased
            | FactKind::Unrecoverable
            | FactKind::EpochOpened
            | FactKind::EpochClosed
            | FactKind::EpochDestroyed
            | FactKind::RecordingRead
            | FactKind::Reconciled
            | FactKind::CallEnded => {}
        }
        Some(())
    }

    fn about(&mut self, fact: &Fields<'_>) -> Option<&mut Story> {
        Some(self.stories.entry(fact.parsed("recording")?).or_default())
    }

    /// The recording of a fact that says there was sound, which only a permit before it allows
    /// (DESIGN §3.4).
    fn sound(&mut self, fact: &Fields<'_>) -> Option<&mut Story> {
        let story = self.about(fact)?;
        story.unpermitted |= story.permit.is_none();
        Some(story)
    }
}

/// The `name value` lines of a fact.
struct Fields<'a>(&'a str);

impl<'a> Fields<'a> {
    fn of(entry: &'a Entry) -> Option<Self> {
        str::from_utf8(&entry.body).ok()?.strip_prefix(TITLE).map(Self)
    }

    fn value(&self, name: &str) -> Option<&'a str> {
        self.0.split('\n').find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))
    }

    fn parsed<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.value(name)?.parse().ok()
    }
}

/// Hands the entries on to whoever proves them and notes on the way what they say, so that
/// nothing is believed but what was proved.
#[derive(Debug)]
pub(crate) struct Listening<R> {
    from: R,
    line: Vec<u8>,
    history: Option<History>,
}

impl<R: Read> Listening<R> {
    pub(crate) fn new(from: R) -> Self {
        Self { from, line: Vec::new(), history: None }
    }

    /// What was said; `None` when nobody asked. A last line without its end is not part of it.
    pub(crate) fn finish(self) -> Option<History> {
        self.history
    }

    fn hear(&mut self, bytes: &[u8]) {
        let history = self.history.get_or_insert_default();
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (text, ended) = match piece.strip_suffix(b"\n") {
                Some(text) => (text, true),
                None => (piece, false),
            };
            // One byte too many is kept, which tells that the line was too long.
            let room = LINE_MAX.saturating_sub(self.line.len());
            self.line.extend_from_slice(text.get(..room).unwrap_or(text));
            if ended {
                if self.line.len() < LINE_MAX {
                    history.line(&self.line);
                }
                self.line.clear();
            }
        }
    }
}

impl<R: Read> Read for Listening<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.hear(&[]);
        let count = self.from.read(buffer)?;
        self.hear(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use call::{Fact, Purpose, Reason};
    use ledger::Salt;

    use super::*;

    const RECORDING: RecordingId = RecordingId::from_bytes([7; 16]);

    fn line(index: u64, fact: &Fact) -> String {
        let at = Time::from_micros(index);
        let body = fact.encode(at);
        let entry = Entry { index, at, kind: fact.kind(), salt: Salt::new([0; 32]), body };
        ledger::entry_line(&entry).unwrap() + "\n"
    }

    fn hear(text: &[u8], piece: usize) -> History {
        let mut listening = Listening::new(text);
        let mut buffer = vec![0; piece];
        while listening.read(&mut buffer).unwrap() > 0 {}
        listening.finish().unwrap()
    }

    fn digest(byte: u8) -> Digest {
        Digest::from_bytes([byte; 32])
    }

    fn permitted() -> Fact {
        Fact::RecordingPermitted {
            call: CallId::from_bytes([1; 16]),
            recording: RECORDING,
            ground: Ground::Consent,
            purposes: Purpose::ALL.iter().copied().collect(),
            evidence: digest(2),
        }
    }

    fn stored() -> Fact {
        let (country, provider) = ("NL".into(), "own disk".into());
        Fact::RecordingStored { recording: RECORDING, object: digest(4), country, provider }
    }

    fn sealed() -> Fact {
        let (seconds, missing_ms) = (9, 0);
        Fact::RecordingSealed { recording: RECORDING, manifest: digest(3), seconds, missing_ms }
    }

    #[test]
    fn the_story_of_a_recording_is_the_same_in_pieces_of_any_length() {
        let facts = [
            permitted(),
            sealed(),
            stored(),
            Fact::DeletionIntended { recording: RECORDING, reason: Reason::Request },
            Fact::RecordingDeleted {
                recording: RECORDING,
                reason: Reason::Request,
                manifest: digest(3),
            },
        ];
        let text: String = (0..).zip(&facts).map(|(index, fact)| line(index, fact)).collect();
        for piece in [1, 2, 7, 100, 100_000] {
            let history = hear(text.as_bytes(), piece);
            assert_eq!((history.entries, history.unreadable.len()), (5, 0));
            let story = *history.story(RECORDING).unwrap();
            let permit = story.permit.unwrap();
            assert_eq!((permit.ground, permit.evidence), (Ground::Consent, digest(2)));
            assert_eq!(permit.purposes, Purpose::ALL.iter().copied().collect());
            assert_eq!((story.sealed, story.stored), (Some(digest(3)), Some(digest(4))));
            assert!(story.removing && !story.unpermitted);
            assert_eq!(story.deleted, Some(Deleted { entry: 4, manifest: digest(3) }));
        }
    }

    #[test]
    fn a_permit_that_comes_after_the_sound_is_no_permit_for_it() {
        let late = line(0, &sealed()) + &line(1, &permitted());
        assert!(hear(late.as_bytes(), 64).story(RECORDING).unwrap().unpermitted);
        let recovered = Fact::RecordingRecovered { recording: RECORDING, seconds: 1 };
        let never = hear(line(0, &recovered).as_bytes(), 64);
        assert!(never.story(RECORDING).unwrap().unpermitted);
    }

    #[test]
    fn a_fact_that_lacks_what_its_kind_has_is_noted() {
        for (from, to) in [("recording 07", "recording 7"), ("fact/v1", "fact/v2"), ("object", "o")]
        {
            let text = line(5, &stored()).replacen(from, to, 1);
            assert_eq!(hear(text.as_bytes(), 64).unreadable, [5], "{from}");
        }
    }

    #[test]
    fn a_line_without_end_or_without_measure_says_nothing_and_spoils_nothing() {
        let long = [vec![b' '; 200_000], b"\n".to_vec()].concat();
        let whole = line(0, &stored());
        let cut = whole.trim_end();
        let history = hear(&[&long, whole.as_bytes(), cut.as_bytes()].concat(), 4_096);
        assert_eq!(history.entries, 1);
    }
}
