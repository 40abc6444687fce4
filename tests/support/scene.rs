//! A node between callers and a PBX, all of them real programs or real sockets.

use std::time::Duration;

use serde_json::Value;

use crate::{
    exchange::{Exchange, History, Manner, Plan, message::header},
    node::{Change, Node},
};

/// The line that asks in Dutch.
pub const DUTCH: &str = "+31201234567";
/// The line that asks in English; its prompts are the shorter ones.
pub const ENGLISH: &str = "+31201234568";
/// The line that is never recorded.
pub const NEVER: &str = "+31201234569";

/// A node, callers and a PBX.
pub struct Scene {
    /// The node.
    pub node: Node,
    /// Whoever calls.
    pub callers: Exchange,
    /// The PBX.
    pub pbx: Exchange,
}

impl Scene {
    /// A node like the lab's but for `change`, before a PBX with this manner.
    #[must_use]
    pub fn start(change: &Change, manner: Manner) -> Self {
        let node = Node::start(change);
        let pbx = Exchange::start([127, 0, 0, 1], node.pbx, manner);
        Self { node, callers: Exchange::callers(), pbx }
    }

    /// Places a call.
    pub fn call(&mut self, plan: Plan) -> usize {
        self.callers.call(self.node.sip, plan)
    }

    /// Waits until `count` callers' calls are over.
    ///
    /// # Panics
    /// They are not within `limit_s`.
    pub fn over(&mut self, count: usize, limit_s: u64) {
        let done = self.callers.until(Duration::from_secs(limit_s), |calls| {
            calls.iter().filter(|call| call.over()).count() >= count
        });
        assert!(done, "the calls do not end:\n{}", self.node.log());
    }

    /// The two histories of a call: the caller's and the PBX's.
    #[must_use]
    pub fn sides(&mut self, from: &str) -> (History, History) {
        (self.callers.of(from), self.pbx.of(from))
    }

    /// The id of a call, as the PBX was told it.
    ///
    /// # Panics
    /// The PBX was not called, or not told.
    #[must_use]
    pub fn id(&mut self, from: &str) -> String {
        let history = self.pbx.of(from);
        let invite = history.request("INVITE", true).expect("an INVITE");
        header(&invite.text, "X-Jawoord-Call").expect("a call id").to_owned()
    }

    /// The call with its ladder, once it has its words.
    #[must_use]
    pub fn shown(&mut self, from: &str) -> Value {
        let id = self.id(from);
        self.node.until(&["calls", "show", &id], |call| call["verdict"].is_string())
    }

    /// The recording of a call with its tags, once it is stored.
    ///
    /// # Panics
    /// There is none.
    #[must_use]
    pub fn recording(&mut self, from: &str) -> Value {
        let id = self.id(from);
        let of = |list: &Value| {
            let all = list.as_array().into_iter().flatten();
            all.into_iter()
                .find(|row| row["call"] == id.as_str() && row["state"] == "stored")
                .cloned()
        };
        let list = self.node.until(&["recordings", "list"], |list| of(list).is_some());
        of(&list).expect("a recording")
    }
}

/// The three words of a call.
#[must_use]
pub fn words(call: &Value) -> String {
    let word = |name: &str| call[name].as_str().unwrap_or("-").to_owned();
    format!("{} {} {}", word("consent"), word("outcome"), word("verdict"))
}

/// The labels of a ladder with their times in seconds since its first step.
#[must_use]
pub fn ladder(call: &Value) -> Vec<(f64, String)> {
    let steps = call["ladder"].as_array().cloned().unwrap_or_default();
    let at = |step: &Value| seconds(step["at"].as_str().unwrap_or_default());
    let start = steps.first().map_or(0.0, at);
    steps
        .iter()
        .map(|step| {
            let text = |name: &str| step[name].as_str().unwrap_or_default().to_owned();
            (at(step) - start, format!("{} {}: {}", text("from"), text("to"), text("label")))
        })
        .collect()
}

/// When a step of a ladder was taken, in seconds since its first step.
///
/// # Panics
/// There is no such step.
#[must_use]
pub fn step(call: &Value, label: &str) -> f64 {
    let steps = ladder(call);
    let found = steps.iter().find(|(_, text)| text.ends_with(label));
    found.unwrap_or_else(|| panic!("no {label:?} in {steps:#?}")).0
}

/// The seconds since midnight of `2026-11-22T03:48:05.123456Z`.
#[must_use]
pub fn seconds(text: &str) -> f64 {
    let clock = text.split_once('T').map_or("", |(_, clock)| clock.trim_end_matches('Z'));
    clock.split(':').fold(0.0, |sum, part| sum * 60.0 + part.parse::<f64>().unwrap_or(0.0))
}
