//! `[[hours]]`: when lines are open.

use std::sync::Arc;

use jiff::{civil::Date, tz::TimeZone};
use serde::Deserialize;

use super::problem::Problem;
use crate::hours::{Hours, Span};

/// `[[hours]]` as it is written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Written {
    /// Its name.
    pub id: String,
    /// The time zone of the wall clock, by its name in the IANA database.
    pub zone: String,
    /// Days and times of every week, such as `mon-fri 08:30-17:30`.
    pub open: Vec<String>,
    /// Days on which it is closed all the same, such as `2026-12-25`.
    #[serde(default)]
    pub closed: Vec<String>,
}

/// All hours that are written well.
pub(super) fn hours(all: &[Written], problems: &mut Vec<Problem>) -> Vec<(String, Arc<Hours>)> {
    let mut known: Vec<(String, Arc<Hours>)> = Vec::new();
    for written in all {
        if known.iter().any(|(id, _)| *id == written.id) {
            problems.push(Problem::value("hours", "id", &written.id, "give each its own name"));
        }
        if let Some(hours) = judged(written, problems) {
            known.push((written.id.clone(), Arc::new(hours)));
        }
    }
    known
}

fn judged(written: &Written, problems: &mut Vec<Problem>) -> Option<Hours> {
    const SPAN: &str = "write days and times, such as \"mon-fri 08:30-17:30\" or \"sat \
                        10:00-24:00\"; what goes over midnight is two of them";
    let place = format!("hours \"{}\"", written.id);
    let before = problems.len();
    let zone = TimeZone::get(&written.zone).ok();
    if zone.is_none() {
        let mend = "use a name of the IANA database, such as \"Europe/Amsterdam\"";
        problems.push(Problem::value(&place, "zone", &written.zone, mend));
    }
    if written.open.is_empty() {
        problems.push(Problem::missing(&place, "open", SPAN));
    }
    let mut open = Vec::new();
    for text in &written.open {
        match Span::read(text) {
            Some(span) => open.push(span),
            None => problems.push(Problem::value(&place, "open", text, SPAN)),
        }
    }
    let mut closed: Vec<Date> = Vec::new();
    for text in &written.closed {
        match text.parse() {
            Ok(date) => closed.push(date),
            Err(_) => {
                let mend = "write a date, such as \"2026-12-25\"";
                problems.push(Problem::value(&place, "closed", text, mend));
            }
        }
    }
    let hours = Hours::new(&written.id, zone?, open, closed);
    (problems.len() == before).then_some(hours)
}
