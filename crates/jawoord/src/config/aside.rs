//! Which calls are left alone: lines for machines, lines that are closed, confidential numbers.

use std::collections::HashMap;

use call::{Ground, Lines, Recording};

use super::{
    choice::{Direction, Mode, Record},
    confidential, hours,
    problem::Problem,
    schema::{self, File},
};
use crate::aside::Asides;

/// What the file says; every problem is added to `problems`.
pub(super) fn asides(file: &File, lines: &Lines, problems: &mut Vec<Problem>) -> Asides {
    let known = hours::hours(&file.hours, problems);
    let is_known = |tenant: &str| file.line.iter().any(|line| line.tenant == tenant);
    let confidential = confidential::confidential(&file.confidential, is_known, problems);
    let mut asides = Asides { confidential, ..Asides::default() };
    let named: HashMap<&str, _> = lines.iter().map(|line| (line.id.as_str(), line)).collect();
    for written in &file.line {
        let Some(line) = named.get(written.id.as_str()) else { continue };
        contradictions(written, &line.policy.recording, problems);
        if written.mode == Mode::Transparent {
            asides.transparent.insert(line.id.clone());
        }
        let Some(name) = &written.hours else { continue };
        match known.iter().find(|(id, _)| id == name) {
            Some((_, hours)) => {
                asides.hours.insert(line.id.clone(), hours.clone());
            }
            None if file.hours.iter().any(|hours| hours.id == *name) => {}
            None => {
                let mend = "no [[hours]] has this id; add it or correct the name";
                problems.push(Problem::value(place(written), "hours", name, mend));
            }
        }
    }
    asides
}

fn place(line: &schema::Line) -> String {
    format!("line \"{}\"", line.id)
}

/// What a line cannot be both.
fn contradictions(line: &schema::Line, recording: &Recording, problems: &mut Vec<Problem>) {
    let Recording::Ask(asking) = recording else { return };
    if line.mode == Mode::Transparent {
        problems.push(Problem::value(
            place(line),
            "mode",
            "transparent",
            "nothing of its calls is touched, and its policy records them; name a policy with `record \
             = \"never\"`",
        ));
    }
    // What Delegated Regulation (EU) 2017/565 Art. 76 wants recorded has no hour (law row L54).
    if let (Some(hours), Ground::LegalObligation) = (&line.hours, asking.ground) {
        problems.push(Problem::value(
            place(line),
            "hours",
            hours,
            "outside them its calls would go unrecorded, and a law demands the record at any hour (GDPR \
             Art. 6(1)(c)); take `hours` away, or close the line in the PBX",
        ));
    }
}

/// What is allowed and changes nothing.
pub(super) fn warnings(file: &File) -> Vec<Box<str>> {
    let never = |line: &&schema::Line| {
        let policy = file.policy.iter().find(|policy| policy.id == line.policy);
        policy.is_some_and(|policy| policy.record == Record::Never)
            || line.direction == Direction::Outbound
    };
    let lines = file.line.iter().filter(|line| line.hours.is_some()).filter(never);
    lines
        .map(|line| {
            format!(
                "line \"{}\" has hours, and nobody who calls it is asked or told: they change nothing",
                line.id
            )
            .into()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use call::{Aside, Direction, Private, Time};

    use crate::config::{
        judge::{Settings, judge},
        problem::Problems,
        read::read_text,
    };

    const LAB: &str = include_str!("../../../../config/lab.toml");
    const OFFICE: &str = "[[hours]]\nid = \"office\"\nzone = \"Europe/Amsterdam\"\nopen = \
                          [\"mon-fri 08:30-17:30\"]\nclosed = [\"2026-12-25\"]\n";

    /// The lab with a key more for each line of some names, and with more tables.
    fn lab(keys: &[(&str, &str)], more: &str) -> Result<Settings, String> {
        let mut text = LAB.to_owned();
        for (line, key) in keys {
            let id = format!("\nid = \"{line}\"\n");
            assert!(text.contains(&id), "config/lab.toml has no line {line}");
            text = text.replace(&id, &format!("{id}{key}\n"));
        }
        text.push('\n');
        text.push_str(more);
        read_text(&text)
            .and_then(|read| judge(read, None))
            .map_err(|problems| Problems(&problems).to_string())
    }

    /// Why a call of a line is left alone on a Wednesday at ten in the morning, or at night.
    fn aside(
        settings: &Settings,
        direction: Direction,
        house: &str,
        others: &[&str],
        by_day: bool,
    ) -> Option<Aside> {
        let numbers = || others.iter().map(|number| Private::new((*number).to_owned())).collect();
        let line = settings.lines.find(direction, &Private::new(house.to_owned())).unwrap();
        let hour = if by_day { 9 } else { 21 };
        let now = Time::from_micros((1_796_169_600 + hour * 3_600) * 1_000_000);
        settings.asides.of(direction, line, numbers, now)
    }

    const SALES: &str = "+31201234567";
    const ALARM: &str = "+31201234569";
    const IN: Direction = Direction::Inbound;
    const OUT: Direction = Direction::Outbound;

    #[test]
    fn a_line_for_machines_is_left_alone_whoever_calls() {
        let settings = lab(&[("alarm", "mode = \"transparent\"")], "").unwrap();
        for direction in [IN, OUT] {
            for by_day in [true, false] {
                let why = aside(&settings, direction, ALARM, &["113"], by_day);
                assert_eq!(why, Some(Aside::Transparent));
                assert_eq!(aside(&settings, direction, SALES, &[], by_day), None);
            }
        }
    }

    #[test]
    fn confidential_numbers_are_those_of_the_list_its_sets_and_its_tenant() {
        let list = "[[confidential]]\nsets = [\"nl-helplines\"]\nnumbers = [\"020-765 43 21\"]\n";
        let settings = lab(&[], list).unwrap();
        for number in ["113", "+318000113", "+318000432", "+31207654321"] {
            for direction in [IN, OUT] {
                let why = aside(&settings, direction, SALES, &["+31612345678", number], true);
                assert_eq!(why, Some(Aside::Confidential), "{number}");
            }
        }
        for number in ["112", "+31112", "+31207654320", "anonymous", ""] {
            assert_eq!(aside(&settings, OUT, SALES, &[number], true), None, "{number}");
        }
        let of = |tenant: &str| format!("{list}tenant = \"{tenant}\"\n");
        let settings = lab(&[], &of("voorbeeld")).unwrap();
        assert_eq!(aside(&settings, OUT, SALES, &["113"], true), Some(Aside::Confidential));
        let ours = "id = \"sales-nl\"\ntenant = \"voorbeeld\"";
        let text = LAB.replacen(ours, "id = \"sales-nl\"\ntenant = \"other\"", 1);
        let judged = read_text(&format!("{text}\n{}", of("voorbeeld")));
        let settings = judged.and_then(|read| judge(read, None)).unwrap();
        assert_eq!(aside(&settings, OUT, SALES, &["113"], true), None, "another's list");
    }

    #[test]
    fn who_calls_a_line_outside_its_hours_is_left_alone_and_who_is_called_is_not() {
        let settings = lab(&[("sales-nl", "hours = \"office\"")], OFFICE).unwrap();
        assert!(settings.warnings.is_empty(), "{:?}", settings.warnings);
        assert_eq!(aside(&settings, IN, SALES, &[], true), None);
        assert_eq!(aside(&settings, IN, SALES, &[], false), Some(Aside::Closed));
        assert_eq!(aside(&settings, OUT, SALES, &[], false), None);
        assert_eq!(aside(&settings, IN, "+31201234568", &[], false), None, "a line without hours");
    }

    #[test]
    fn hours_that_change_nothing_are_warned_of() {
        let settings = lab(&[("alarm", "hours = \"office\"")], OFFICE).unwrap();
        assert!(settings.warnings.iter().any(|text| text.contains("they change nothing")));
    }

    #[test]
    fn what_cannot_be_meant_is_refused_by_name() {
        let hours = |from: &str, to: &str| {
            assert!(OFFICE.contains(from));
            lab(&[], &OFFICE.replace(from, to)).expect_err("refused")
        };
        for (from, to, named) in [
            ("Europe/Amsterdam", "Amsterdam", "`zone` is \"Amsterdam\""),
            ("mon-fri 08:30-17:30", "mon-fri 9-17", "`open` is \"mon-fri 9-17\""),
            ("\"mon-fri 08:30-17:30\"", "", "`open` is missing"),
            ("2026-12-25", "25-12-2026", "`closed` is \"25-12-2026\""),
        ] {
            let text = hours(from, to);
            assert!(text.starts_with("hours \"office\"") && text.contains(named), "{text}");
        }
        let twice = lab(&[], &format!("{OFFICE}{OFFICE}")).expect_err("refused");
        assert!(twice.contains("give each its own name"), "{twice}");
        let text = lab(&[("sales-nl", "hours = \"night\"")], OFFICE).expect_err("refused");
        assert!(text.starts_with("line \"sales-nl\": `hours` is \"night\""), "{text}");
        for (list, named) in [
            ("sets = [\"helplines\"]", "`sets` is \"helplines\""),
            ("numbers = [\"0800*\"]", "`numbers` is \"0800*\""),
            ("numbers = [\"113\"]\ntenant = \"nobody\"", "`tenant` is \"nobody\""),
            ("numbers = [\"113\"]\ncountry = \"Holland\"", "`country` is \"Holland\""),
            ("", "`numbers` is missing"),
        ] {
            let text = lab(&[], &format!("[[confidential]]\n{list}\n")).expect_err("refused");
            assert!(text.starts_with("confidential: ") && text.contains(named), "{text}");
        }
    }

    #[test]
    fn a_line_for_machines_that_records_contradicts_itself() {
        let text = lab(&[("sales-nl", "mode = \"transparent\"")], "").expect_err("refused");
        assert!(text.starts_with("line \"sales-nl\": `mode` is \"transparent\""), "{text}");
        assert!(text.contains("record = \"never\"") && text.lines().count() == 1, "{text}");
        let text = lab(&[("alarm", "mode = \"untouched\"")], "").expect_err("refused");
        assert!(text.contains("`policy` or `transparent`"), "{text}");
    }

    #[test]
    fn l_54_a_line_whose_record_a_law_demands_has_no_hours() {
        let told = "record = \"tell\"\nlaw = \"Wft\"\noutbound = \"join\"\nground = \
                    \"legal_obligation\"\nquestion_heard_by = \"both\"";
        let from =
            "record = \"ask\"\nground = \"consent\"\npurposes = [\"quality\"]\nlanguage = \"en\"";
        let english =
            LAB.replacen(from, &format!("{told}\npurposes = [\"evidence\"]\nlanguage = \"en\""), 1);
        assert_ne!(english, LAB);
        let judged = |text: &str| {
            let read = read_text(&format!("{text}\n{OFFICE}")).and_then(|read| judge(read, None));
            read.map_err(|problems| Problems(&problems).to_string())
        };
        let always = judged(&english);
        assert!(always.is_ok(), "{:?}", always.err());
        let hours =
            english.replacen("id = \"sales-en\"", "id = \"sales-en\"\nhours = \"office\"", 1);
        let text = judged(&hours).expect_err("refused");
        assert!(text.starts_with("line \"sales-en\": `hours` is \"office\""), "{text}");
        assert!(text.contains("Art. 6(1)(c)") && text.lines().count() == 1, "{text}");
    }
}
