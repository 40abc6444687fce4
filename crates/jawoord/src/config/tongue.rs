//! The languages of a line: `[[line.language]]`.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    problem::Problem,
    schema::{self, File},
    written::Language,
};
use crate::tongues::{self, Tongue, Tongues};
use call::{Asking, DialledPattern, Line, Policy, Recording};

/// The other languages of all lines; every problem is added to `problems`. Policies that are `broken` are not
/// missed again.
pub(super) fn tongues(
    file: &File,
    lines: &[Line],
    (policies, broken): (&[Arc<Policy>], bool),
    problems: &mut Vec<Problem>,
) -> Tongues {
    let named: BTreeMap<&str, &Line> = lines.iter().map(|line| (line.id.as_str(), line)).collect();
    let mut found = BTreeMap::new();
    for written in file.line.iter().filter(|line| !line.language.is_empty()) {
        let Some(line) = named.get(written.id.as_str()) else { continue };
        let mut maker = Maker { line, policies, broken, problems, spoken: BTreeSet::new() };
        found.insert(line.id.clone(), maker.tongues(written));
    }
    Tongues::new(found)
}

struct Maker<'a> {
    line: &'a Line,
    policies: &'a [Arc<Policy>],
    broken: bool,
    problems: &'a mut Vec<Problem>,
    /// The languages that the line speaks.
    spoken: BTreeSet<String>,
}

impl Maker<'_> {
    fn tongues(&mut self, written: &schema::Line) -> Vec<Tongue> {
        let own = match &self.line.policy.recording {
            Recording::Ask(asking) => asking.clone(),
            Recording::Never => {
                let mend = "the line's policy asks nobody, in no language; leave it out";
                let other = written.language.iter().map(|other| other.policy.as_str());
                for policy in other {
                    self.problems.push(Problem::value(place(written), "language", policy, mend));
                }
                return Vec::new();
            }
        };
        self.spoken.insert(own.language.to_string());
        written.language.iter().filter_map(|other| self.tongue(written, &own, other)).collect()
    }

    fn tongue(&mut self, line: &schema::Line, own: &Asking, written: &Language) -> Option<Tongue> {
        let place = place(line);
        let mut wrong = |mend| {
            self.problems.push(Problem::value(&place, "language", &written.policy, mend));
        };
        let policy = self.policies.iter().find(|policy| policy.id.as_str() == written.policy);
        let Some(policy) = policy else {
            if !self.broken {
                wrong("no policy has this id; add a [[policy]] or correct the name");
            }
            return None;
        };
        let promises = match &policy.recording {
            Recording::Ask(asking) => asking,
            Recording::Never => {
                wrong("this policy asks nobody; name one that asks the same in another language");
                return None;
            }
        };
        if !is_the_same(own, promises) {
            wrong(
                "this policy differs from the line's own in more than its words: ground, purposes, \
                 retention, keys and all the rest are the same whatever a caller speaks (GDPR Art. 5(1)(a))",
            );
        }
        if !self.spoken.insert(promises.language.to_string()) {
            wrong("the line speaks this policy's language already; name each language once");
        }
        let numbers = self.numbers(&place, &written.numbers);
        let line = Line { policy: Arc::clone(policy), ..self.line.clone() };
        Some(Tongue { numbers, line: Arc::new(line) })
    }

    fn numbers(&mut self, place: &str, written: &[String]) -> Vec<DialledPattern> {
        let mend = "use a number such as \"+4930123456\", or its beginning and '*'";
        let read = |number: &String| {
            let bad = || Problem::value(place, "numbers", number, mend);
            DialledPattern::new(number).map_err(|_| self.problems.push(bad())).ok()
        };
        written.iter().filter_map(read).collect()
    }
}

fn place(line: &schema::Line) -> String {
    format!("line \"{}\"", line.id)
}

/// Whether both ask for the same.
fn is_the_same(own: &Asking, other: &Asking) -> bool {
    let in_words = Asking { language: own.language, prompts: own.prompts.clone(), ..other.clone() };
    in_words == *own
}

/// The languages of a line, its own first; none where it asks nobody.
#[must_use]
pub fn spoken(tongues: &Tongues, line: &Line) -> Vec<String> {
    let others = tongues.of(&line.id).iter().map(|other| &*other.line);
    let all = [line].into_iter().chain(others);
    all.filter_map(tongues::language).map(|language| language.to_string()).collect()
}

#[cfg(test)]
mod tests {
    use call::{Direction, Language, Private};

    use crate::{
        config::{
            judge::{Settings, judge},
            problem::Problems,
            read::read_text,
        },
        tongues,
    };

    const LAB: &str = include_str!("../../../../config/lab.toml");
    const HOUSE: &str = "+31201234567";

    /// The lab, whose Dutch line speaks these as well.
    fn lab(languages: &str) -> Result<Settings, String> {
        let id = "\nid = \"sales-nl\"\n";
        let text = LAB.replace(id, &format!("{id}language = [{languages}]\n"));
        let more = "[[policy]]\nid = \"longer-en\"\nversion = 1\nrecord = \"ask\"\nground = \"consent\"\n\
                    purposes = [\"training\"]\nlanguage = \"en\"\ncontroller = \"Example Limited\"\n\
                    purpose_spoken = \"improve our service\"\nretention = \"quality-30d\"\n";
        read_text(&format!("{text}\n{more}"))
            .and_then(|read| judge(read, None))
            .map_err(|problems| Problems(&problems).to_string())
    }

    /// In which language a customer of these numbers is asked, who wants these languages.
    fn spoken(settings: &Settings, wants: &[&str], numbers: &[&str]) -> String {
        let line = settings.lines.find(Direction::Inbound, &Private::new(HOUSE.to_owned()));
        let wants: Vec<_> = wants.iter().filter_map(|name| Language::new(name)).collect();
        let numbers = || numbers.iter().map(|it| Private::new((*it).to_owned())).collect();
        let line = settings.tongues.speak(line.unwrap().clone(), &wants, numbers);
        assert_eq!(line.id.as_str(), "sales-nl");
        tongues::language(&line).unwrap().to_string()
    }

    #[test]
    fn c_12_who_asks_for_a_language_of_the_line_hears_it_and_else_that_of_their_number() {
        let settings =
            lab("{ policy = \"quality-en\", numbers = [\"+44*\", \"+31207654321\"] }").unwrap();
        let dutch = ["+31612345678"];
        for (wants, numbers, language) in [
            (&[][..], &dutch[..], "nl"),
            (&["en"], &dutch, "en"),
            (&["fr", "en", "nl"], &dutch, "en"),
            (&["fr"], &dutch, "nl"),
            (&[], &["+442079460000"], "en"),
            (&[], &["+31207654321"], "en"),
            (&[], &["+31207654322"], "nl"),
            (&["nl"], &["+442079460000"], "nl"),
            (&["fr"], &["+442079460000"], "en"),
            (&[], &[], "nl"),
        ] {
            assert_eq!(spoken(&settings, wants, numbers), language, "{wants:?} {numbers:?}");
        }
        assert_eq!(spoken(&lab("").unwrap(), &["en"], &["+442079460000"]), "nl");
    }

    #[test]
    fn l_09_another_language_says_the_same_in_other_words_and_nothing_else() {
        for (written, says) in [
            ("{ policy = \"longer-en\" }", "more than its words"),
            ("{ policy = \"quality-nl\" }", "speaks this policy's language already"),
            ("{ policy = \"quality-en\" }, { policy = \"quality-en\" }", "already"),
            ("{ policy = \"never\" }", "asks nobody"),
            ("{ policy = \"quality-fr\" }", "no policy has this id"),
            ("{ policy = \"quality-en\", numbers = [\"London\"] }", "`numbers`"),
        ] {
            let told = lab(written).map(|_| ()).unwrap_err();
            assert!(told.contains("line \"sales-nl\"") && told.contains(says), "{written}: {told}");
        }
    }

    #[test]
    fn a_line_that_asks_nobody_speaks_no_language() {
        let id = "\nid = \"alarm\"\n";
        let text = LAB.replace(id, &format!("{id}language = [{{ policy = \"quality-en\" }}]\n"));
        let judged = read_text(&text).and_then(|read| judge(read, None));
        let told = judged.map(|_| ()).map_err(|problems| Problems(&problems).to_string());
        assert!(told.unwrap_err().contains("asks nobody, in no language"));
    }
}
