//! The ladder of a call: who sent what to whom, without a number, name, address or digit.

use call::Time;
use ledger::{LadderStep, Station};

/// The steps of one call, at most as many as fit a page: a long call repeats itself.
#[derive(Clone, Debug, Default)]
pub struct Ladder(Vec<LadderStep>);

const STEP_LIMIT: usize = 200;

impl Ladder {
    /// Adds a step. A label that could hold a number or an address is left out.
    pub fn add(&mut self, at: Time, from: Station, to: Station, label: &str) {
        if self.0.len() < STEP_LIMIT
            && let Ok(step) = LadderStep::new(at, from, to, label)
        {
            self.0.push(step);
        }
    }

    /// Keeps no room for steps to come.
    pub fn shrink(&mut self) {
        self.0.shrink_to_fit();
    }

    /// The steps so far, oldest first.
    #[must_use]
    pub fn steps(&self) -> &[LadderStep] {
        &self.0
    }

    /// The steps, oldest first.
    #[must_use]
    pub fn into_steps(self) -> Vec<LadderStep> {
        self.0
    }
}

/// Draws a ladder with the times since its first step.
#[must_use]
pub fn draw(steps: &[LadderStep]) -> String {
    const WIDTH: usize = 31;
    let start = steps.first().map(|step| step.at).unwrap_or_default();
    let mut text = format!("{:>9}  {:WIDTH$}{:WIDTH$}PBX\n", "s", "trunk", "jawoord");
    for step in steps {
        let seconds = step.at.since(start).as_secs_f64();
        let (left, right) = match (step.from, step.to) {
            (Station::Trunk, _) => (arrow(step.label(), true), "|".to_owned()),
            (Station::Node, Station::Trunk) => (arrow(step.label(), false), "|".to_owned()),
            (Station::Node, Station::Pbx) => ("|".to_owned(), arrow(step.label(), true)),
            (Station::Pbx, _) => ("|".to_owned(), arrow(step.label(), false)),
            (Station::Node | Station::Recorder, _) => {
                ("|".to_owned(), format!("* {}", step.label()))
            }
        };
        text.push_str(&format!("{seconds:9.3}  {}{}|\n", pad(&left, WIDTH), pad(&right, WIDTH)));
    }
    text
}

fn arrow(label: &str, right: bool) -> String {
    let line = "-".repeat(25_usize.saturating_sub(label.chars().count()));
    if right { format!("|- {label} {line}>") } else { format!("|<{line} {label} -") }
}

fn pad(text: &str, width: usize) -> String {
    let missing = width.saturating_sub(text.chars().count());
    format!("{text}{}", " ".repeat(missing))
}
