//! Once a night everything is reconciled by itself: when, for which days, and what is known of the last
//! time.

use std::{fs, sync::Arc};

use call::Time;
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use ledger::Period;
use vault::Signer as _;

use super::{
    archive::{Archive, OfficeError},
    reconcile::{self, REPORT, Written},
};
use crate::{books::Compared, floor::FloorDoor};

const SECOND: u64 = 1_000_000;
const HOUR: u64 = 3_600 * SECOND;
const DAY: u64 = 24 * HOUR;
/// At three o'clock, UTC: in Europe a time at which hardly anybody calls.
const AT: u64 = 3 * HOUR;
/// So many days are looked at, the last of which has just ended: a call that went on over midnight, or a
/// recording that still was on its way, is seen again when it is over.
const DAYS: u64 = 2;
/// After a start, what the last run of the program has left is first brought where it belongs.
const SETTLED: u64 = 900 * SECOND;

/// Whose turn it is, night after night.
pub struct Nightly {
    archive: Arc<Archive>,
    floor: FloorDoor,
    /// Not before this moment.
    after: Time,
    /// The last night that is done, in days since the Unix epoch.
    done: u64,
    /// From when on the last night has looked, if it found mismatches: so far back it is looked until they
    /// are gone.
    apart: Option<Time>,
}

impl Nightly {
    /// Goes on where the last run of the program was. A node without a report has missed every night since
    /// its tree began.
    pub async fn new(archive: Arc<Archive>, floor: FloorDoor, now: Time) -> Self {
        let after = Time::from_micros(now.as_micros().saturating_add(SETTLED));
        let mut nightly = Self { archive, floor, after, done: night(now), apart: None };
        match last(&nightly.archive, nightly.done) {
            Some((night, compared)) => {
                nightly.done = night;
                nightly.knows(compared);
            }
            None => match nightly.archive.ledger.entries(0, 1).await.as_deref() {
                Ok([first]) => nightly.done = nightly.done.min(night(first.at)),
                Ok(_) => {}
                // Whether any was missed is not known.
                Err(_) => nightly.done = nightly.done.saturating_sub(1),
            },
        }
        nightly
    }

    /// Does it if it is time; `None` if it is not.
    ///
    /// # Errors
    /// [`OfficeError`]; it is tried again at the next turn, and an alarm until then.
    pub async fn turn(&mut self, now: Time) -> Result<Option<Written>, OfficeError> {
        let night = night(now);
        // A clock that was set back.
        self.done = self.done.min(night);
        if night == self.done || now < self.after {
            return Ok(None);
        }
        // Nights that were missed are made up for.
        let from = midnight(self.done.min(night.saturating_sub(1)).saturating_sub(DAYS - 1));
        let from = self.apart.map_or(from, |apart| apart.min(from));
        let period = Period { from, to: midnight(night) };
        let written = self.archive.reconcile(now, period, Some(&self.floor), Some(name(night)));
        let written = written.await;
        let mismatches = written.as_ref().ok().map(|written| written.report.mismatches);
        self.knows(Compared { at: now, from, mismatches });
        let written = written?;
        self.done = night;
        Ok(Some(written))
    }

    /// Tells it, and remembers how far back to look.
    fn knows(&mut self, compared: Compared) {
        let Compared { from, mismatches, .. } = compared;
        if let Some(mismatches) = mismatches {
            self.apart = (mismatches > 0).then_some(from);
        }
        self.floor.reconciled(compared);
    }
}

/// The night that has come last, by the day on which it ends.
const fn night(now: Time) -> u64 {
    now.as_micros().saturating_sub(AT) / DAY
}

const fn midnight(day: u64) -> Time {
    Time::from_micros(day.saturating_mul(DAY))
}

/// The name of a day, such as `2026-12-02`.
fn name(day: u64) -> String {
    midnight(day).to_string().chars().take(10).collect()
}

/// The last night, up to this one, of which there is a report that this node has signed, and what it says.
fn last(archive: &Archive, until: u64) -> Option<(u64, Compared)> {
    let files = fs::read_dir(&archive.reports).ok()?;
    let nights = files.filter_map(|file| {
        let file = file.ok()?.file_name();
        let date: Date = file.to_str()?.strip_suffix(REPORT)?.parse().ok()?;
        let day = micros(TimeZone::UTC.to_timestamp(date.at(0, 0, 0, 0)).ok()?)? / DAY;
        // Only a name that this program writes.
        (day <= until && file.to_str()? == name(day) + REPORT).then_some(day)
    });
    let mut nights: Vec<u64> = nights.collect();
    nights.sort_unstable();
    nights.into_iter().rev().find_map(|night| Some((night, compared(archive, night)?)))
}

/// What the report of a night says.
fn compared(archive: &Archive, night: u64) -> Option<Compared> {
    let key = archive.keys.public_key();
    let report = reconcile::read(&archive.reports, &name(night), key.as_bytes())?;
    let moment = |name| Some(Time::from_micros(micros(report.get(name)?.as_str()?.parse().ok()?)?));
    let mismatches = Some(report.get("mismatches")?.as_u64()?);
    Some(Compared { at: moment("made_at")?, from: moment("from")?, mismatches })
}

fn micros(at: Timestamp) -> Option<u64> {
    u64::try_from(at.as_microsecond()).ok()
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use call::Fact;
    use ledger::Inventory;
    use tokio::{sync::mpsc, task::JoinHandle};

    use super::*;
    use crate::{clock::Clock, kept::Source, note::Note, office::archive::Opened};

    /// 2026-12-01, 12:00.
    const NOON: u64 = 20_788 * DAY + 12 * HOUR;

    fn at(hours: u64) -> Time {
        Time::from_micros(NOON + hours * HOUR)
    }

    /// A node's data, and the calls of a node, which only listen.
    struct Home {
        archive: Arc<Archive>,
        floor: FloorDoor,
        notes: mpsc::UnboundedReceiver<Note>,
        writing: JoinHandle<()>,
        _folder: tempfile::TempDir,
    }

    impl Drop for Home {
        fn drop(&mut self) {
            self.writing.abort();
        }
    }

    impl Home {
        async fn new() -> Self {
            let folder = tempfile::TempDir::new().unwrap();
            let config = folder.path().join("node.toml");
            fs::write(&config, include_str!("../../../../config/lab.toml")).unwrap();
            let source = Source { config, data: Some(folder.path().join("data")) };
            let settings = source.settings().unwrap();
            let Opened { archive, writer, .. } =
                Archive::open(&settings, Clock::start()).await.unwrap();
            let writing = tokio::spawn(writer.run());
            let (sender, notes) = mpsc::unbounded_channel();
            Self { archive, floor: FloorDoor::new(sender), notes, writing, _folder: folder }
        }

        async fn nightly(&self, now: Time) -> Nightly {
            Nightly::new(Arc::clone(&self.archive), self.floor.clone(), now).await
        }

        fn path(&self, report: &str) -> PathBuf {
            self.archive.reports.join(report)
        }

        /// An object that nobody owns.
        fn puts_a_stray(&self) {
            let stray = call::RecordingId::from_bytes([0xab; 16]);
            self.archive.store.put(stray, &mut |file| file.write_all(b"?")).unwrap();
        }

        /// What the calls were told.
        fn told(&mut self) -> Vec<Option<u64>> {
            let mut told = Vec::new();
            while let Ok(note) = self.notes.try_recv() {
                match note {
                    Note::Reconciled(compared) => told.push(compared.mismatches),
                    other => panic!("{other:?}"),
                }
            }
            told
        }
    }

    fn files(folder: &Path) -> Vec<String> {
        let files = fs::read_dir(folder).into_iter().flatten();
        let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.collect();
        names.sort_unstable();
        names
    }

    #[tokio::test]
    async fn each_night_is_reconciled_once_signed_and_committed_to_the_tree() {
        let mut home = Home::new().await;
        // From noon on, six times an hour: nothing before the first night, then once each.
        let mut turns = home.nightly(at(0)).await;
        let mut done = Vec::new();
        for turn in 0..6 * 48 {
            let now = Time::from_micros(NOON + turn * HOUR / 6);
            done.extend(turns.turn(now).await.unwrap().map(|written| (now, written.name)));
        }
        let expected = [(at(15), "2026-12-02.json"), (at(39), "2026-12-03.json")];
        assert_eq!(done, expected.map(|(at, name)| (at, name.to_owned())));
        assert_eq!(home.told(), [Some(0); 2]);
        let names = ["2026-12-02.json", "2026-12-02.sig", "2026-12-03.json", "2026-12-03.sig"];
        assert_eq!(files(&home.archive.reports), names);

        home.puts_a_stray();
        let written = turns.turn(at(63)).await.unwrap().unwrap();
        assert_eq!(written.name, "2026-12-04.json");
        let (from, to) = (written.report.from.to_string(), written.report.to.to_string());
        assert!(from.starts_with("2026-12-02T00:00:00.") && to.starts_with("2026-12-04T00:00:00."));
        assert_eq!(written.report.kinds.get("object-unowned"), Some(&1));
        assert_eq!(home.told(), [Some(1)]);

        // Signed, and known to the tree.
        let text = fs::read(home.path("2026-12-04.json")).unwrap();
        let list = fs::read_to_string(home.path("2026-12-04.sig")).unwrap();
        let list = Inventory::read_report(&list).unwrap();
        assert!(list.is_signed() && list.files[0].is(&text));
        assert_eq!(
            (&list.key, &*list.files[0].name),
            (home.archive.keys.public_key().as_bytes(), "2026-12-04.json")
        );
        let facts = home.archive.ledger.entries(0, 1_000).await.unwrap();
        let hash = list.files[0].sha256.to_string();
        let fact = facts.iter().find(|fact| fact.field("report") == Some(&hash)).unwrap();
        assert_eq!((fact.field("kind"), fact.field("mismatches")), (Some("reconciled"), Some("1")));
    }

    #[tokio::test]
    async fn a_missed_night_is_made_up_for_and_mismatches_are_followed_until_they_are_gone() {
        let mut home = Home::new().await;
        let mut turns = home.nightly(at(0)).await;
        let _clean = turns.turn(at(15)).await.unwrap().unwrap();
        home.puts_a_stray();
        let written = turns.turn(at(39)).await.unwrap().unwrap();
        assert!(written.report.from.to_string().starts_with("2026-12-01T"));
        assert_eq!(home.told(), [Some(0), Some(1)]);

        // Three nights without the program. What the last report said is known at once; what its last run
        // left has a quarter of an hour.
        let mut turns = home.nightly(at(112)).await;
        assert_eq!(home.told(), [Some(1)]);
        assert!(turns.turn(at(112)).await.unwrap().is_none());
        let written = turns.turn(at(113)).await.unwrap().unwrap();
        assert_eq!(written.name, "2026-12-06.json");
        assert!(written.report.from.to_string().starts_with("2026-12-01T"), "as far as before");
        assert!(turns.turn(at(113)).await.unwrap().is_none());
        let mut again = home.nightly(at(114)).await;
        assert!(again.turn(at(115)).await.unwrap().is_none(), "once a night, also after a restart");

        // Mended: it is seen once more from there, and then the last days are enough.
        let stray = call::RecordingId::from_bytes([0xab; 16]);
        home.archive.store.delete(stray).unwrap();
        let _told = home.told();
        for (hours, from) in [(136, "2026-12-01T"), (160, "2026-12-06T")] {
            let written = again.turn(at(hours)).await.unwrap().unwrap();
            assert!(written.report.from.to_string().starts_with(from), "{:?}", written.report);
        }
        assert_eq!(home.told(), [Some(0); 2]);
    }

    #[tokio::test]
    async fn a_report_that_this_node_has_not_signed_or_of_a_night_to_come_is_none() {
        let mut home = Home::new().await;
        home.puts_a_stray();
        let mut turns = home.nightly(at(0)).await;
        let written = turns.turn(at(15)).await.unwrap().unwrap();
        let text = fs::read_to_string(home.path(&written.name)).unwrap();
        let _told = home.told();
        for (name, text) in [
            ("2026-12-03.json", text.clone()),
            ("2026-12-04.json", text.replace("\"mismatches\": 1", "\"mismatches\": 0")),
            ("2099-01-01.json", text),
        ] {
            fs::write(home.path(name), text).unwrap();
            let list = fs::read(home.path("2026-12-02.sig")).unwrap();
            fs::write(home.path(name).with_extension("sig"), list).unwrap();
        }
        let mut turns = home.nightly(at(64)).await;
        assert_eq!(home.told(), [Some(1)], "what the signed one says");
        assert!(turns.turn(at(65)).await.unwrap().is_some(), "the night is not done");
    }

    #[tokio::test]
    async fn a_node_without_a_report_has_missed_every_night_since_its_tree_began() {
        let home = Home::new().await;
        home.archive.ledger.append(at(0), vec![Fact::EpochClosed { epoch: 9 }]).await.unwrap();
        let mut turns = home.nightly(at(14)).await;
        assert!(
            turns.turn(at(14) + std::time::Duration::from_secs(1_800)).await.unwrap().is_none()
        );
        let mut turns = home.nightly(at(80)).await;
        let written = turns.turn(at(81)).await.unwrap().unwrap();
        assert!(written.report.from.to_string().starts_with("2026-11-30T"), "{:?}", written.report);
    }

    #[tokio::test]
    async fn books_that_cannot_be_read_are_not_said_to_agree_and_are_read_at_the_next_turn() {
        let mut home = Home::new().await;
        let mut turns = home.nightly(at(0)).await;
        let [store, away] = ["store", "away"].map(|name| home.archive.reports.with_file_name(name));
        fs::rename(&store, &away).unwrap();
        assert!(turns.turn(at(15)).await.is_err());
        assert_eq!(home.told(), [None]);
        assert_eq!(files(&home.archive.reports), Vec::<String>::new());
        fs::rename(&away, &store).unwrap();
        assert!(turns.turn(at(16)).await.unwrap().is_some());
        assert_eq!(home.told(), [Some(0)]);
    }

    #[test]
    fn a_night_ends_at_three_and_is_named_by_its_day() {
        let name_at = |micros| name(night(Time::from_micros(NOON + micros)));
        assert_eq!(name_at(0), "2026-12-01");
        assert_eq!(name_at(15 * HOUR - 1), "2026-12-01");
        assert_eq!(name_at(15 * HOUR), "2026-12-02");
    }
}
