//! Compares the matrix with the tests that there are, and keeps the table of both.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
};

use support::node::root;
use toml_edit::{DocumentMut, Item};

use crate::proof::{Proof, proofs};

/// One row of the matrix.
pub(crate) struct Row {
    /// Such as `A-01`.
    pub(crate) number: String,
    /// M, S or L.
    priority: String,
    /// The part that owes it.
    part: String,
    /// What passes.
    says: String,
}

impl Row {
    fn is_due(&self) -> bool {
        self.priority == "M" && self.part == "signalling"
    }
}

pub(crate) fn read(path: &str) -> DocumentMut {
    let text = fs::read_to_string(root().join(path)).expect("a file of the tests");
    text.parse().unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn text(item: Option<&Item>) -> &str {
    item.and_then(Item::as_str).unwrap_or_default()
}

/// The matrix in order.
pub(crate) fn rows() -> Vec<Row> {
    let document = read("tests/flows/rows.toml");
    let row = |(number, item): (&str, &Item)| {
        let cells = item.as_array().unwrap_or_else(|| panic!("{number} is no list"));
        let cell = |at: usize| cells.get(at).and_then(|cell| cell.as_str()).unwrap_or_default();
        let row = Row {
            number: number.to_owned(),
            priority: cell(0).to_owned(),
            part: cell(1).to_owned(),
            says: cell(2).to_owned(),
        };
        assert!(matches!(cell(0), "M" | "S" | "L"), "{number} has priority {:?}", cell(0));
        let known = matches!(cell(1), "signalling" | "media" | "consent");
        assert!(known && !row.says.is_empty() && cells.len() == 3, "{number} is not whole");
        row
    };
    document.iter().map(row).collect()
}

/// Rows that are not built yet, with what is missing.
fn deviations() -> BTreeMap<String, String> {
    let document = read("tests/conformance/deviations.toml");
    let entry = |(number, item): (&str, &Item)| {
        let (reason, missing) = (text(item.get("reason")), text(item.get("missing")));
        let said = |words: &str| words.split_whitespace().count() >= 3;
        assert!(said(reason) && said(missing), "{number} does not say reason and what is missing");
        (number.to_owned(), missing.to_owned())
    };
    document.iter().map(entry).collect()
}

/// A change of the product that a row's test must notice.
pub(crate) struct Mutation {
    pub(crate) row: String,
    pub(crate) file: String,
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) test: String,
}

pub(crate) fn mutations() -> Vec<Mutation> {
    let document = read("tests/flows/mutations.toml");
    let list = document.get("mutation").and_then(Item::as_array_of_tables).expect("[[mutation]]");
    let own = |table: &toml_edit::Table, name: &str| text(table.get(name)).to_owned();
    list.iter()
        .map(|table| Mutation {
            row: own(table, "row"),
            file: own(table, "file"),
            from: own(table, "from"),
            to: own(table, "to"),
            test: own(table, "test"),
        })
        .collect()
}

fn at_the_node(proofs: &BTreeMap<String, BTreeSet<Proof>>, row: &str) -> bool {
    proofs.get(row).is_some_and(|proofs| proofs.iter().any(Proof::is_at_the_node))
}

#[test]
fn every_must_row_of_signalling_has_its_test() {
    let (proofs, deviations) = (proofs(), deviations());
    let due = rows().into_iter().filter(Row::is_due);
    let bare = due
        .filter(|row| !at_the_node(&proofs, &row.number) && !deviations.contains_key(&row.number));
    let bare: Vec<_> = bare.map(|row| format!("{}: {}", row.number, row.says)).collect();
    assert!(
        bare.is_empty(),
        "rows without a test against the node; write one, or a line in \
         tests/conformance/deviations.toml:\n{}",
        bare.join("\n")
    );
}

#[test]
fn a_row_that_is_proved_deviates_no_longer() {
    let (proofs, rows) = (proofs(), rows());
    for number in deviations().keys() {
        let known = rows.iter().any(|row| row.number == *number);
        assert!(known, "tests/conformance/deviations.toml names {number}, which is no row");
        assert!(
            !at_the_node(&proofs, number),
            "{number} has a test against the node; take it out of tests/conformance/deviations.toml"
        );
    }
}

#[test]
fn a_test_is_of_a_row_that_there_is() {
    let rows: BTreeSet<_> = rows().into_iter().map(|row| row.number).collect();
    let sections: BTreeSet<_> = rows.iter().filter_map(|row| row.chars().next()).collect();
    for (number, proofs) in proofs() {
        let of_ours = number.chars().next().is_some_and(|letter| sections.contains(&letter));
        assert!(!of_ours || rows.contains(&number), "{number} is no row: {proofs:?}");
    }
}

#[test]
fn the_table_says_which_test_proves_which_row() {
    let (proofs, deviations) = (proofs(), deviations());
    let mut table = String::from(
        "# Which test proves which row\n\n\
         Written by `RENEW=1 cargo test -p jawoord-tests --test flows table`. What a row asks for in \
         full stands in `tests/flows/rows.toml`; a test in `tests/` runs the real node, one in \
         `crates/` a part of it.\n\n\
         | row | | part | behaviour that passes | proved by |\n|---|---|---|---|---|\n",
    );
    for row in rows() {
        let mut by: Vec<String> = proofs
            .get(&row.number)
            .into_iter()
            .flatten()
            .map(|proof| format!("{} in {}", proof.name, proof.file))
            .collect();
        // What runs the node comes first.
        by.sort_by_key(|line| line.contains(" in crates/"));
        if let Some(missing) = deviations.get(&row.number) {
            by.insert(0, format!("not yet: {missing}"));
        }
        let (number, priority, part) = (&row.number, &row.priority, &row.part);
        let _infallible = writeln!(
            table,
            "| {number} | {priority} | {part} | {} | {} |",
            row.says,
            by.join("<br>")
        );
    }
    let path = root().join("tests/flows/TABLE.md");
    if std::env::var_os("RENEW").is_some() {
        fs::write(&path, &table).expect("the table is written");
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    let differs = table.lines().find(|line| !kept.lines().any(|known| known == *line));
    assert!(
        differs.is_none() && kept.lines().count() == table.lines().count(),
        "tests/flows/TABLE.md is not of today; RENEW=1 writes it: {differs:?}"
    );
}

#[test]
fn every_proved_row_names_a_change_that_its_test_notices() {
    let (proofs, mutations) = (proofs(), mutations());
    for change in &mutations {
        let Mutation { row, file, from, to, test } = change;
        let text = fs::read_to_string(root().join(file)).unwrap_or_default();
        let times = text.matches(from.as_str()).count();
        assert_eq!(times, 1, "{row}: its text stands {times} times in {file}:\n{from}");
        assert!(from != to && !from.is_empty(), "{row}: changes nothing");
        let of = proofs.get(row).is_some_and(|proofs| {
            proofs.iter().any(|proof| proof.name == *test && proof.is_at_the_node())
        });
        assert!(of, "{row}: {test} is no test of it against the node");
    }
    let due = rows().into_iter().filter(|row| row.is_due() && at_the_node(&proofs, &row.number));
    let bare = due.filter(|row| mutations.iter().all(|change| change.row != row.number));
    let bare: Vec<_> = bare.map(|row| row.number).collect();
    assert!(bare.is_empty(), "rows without a line in tests/flows/mutations.toml: {bare:?}");
}
