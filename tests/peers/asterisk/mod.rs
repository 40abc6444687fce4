//! Asterisk 22 as the PBX behind the node, set up as `deploy/recipes/asterisk.md` says.

mod baresip;
mod early;
mod failure;
mod hold;
mod outbound;
mod plain;
mod sipp;
mod timers;
mod transfer;

use std::{net::SocketAddr, time::Duration};

use serde_json::Value;
use support::{
    asterisk::{Asterisk, Setup},
    exchange::{Act, Exchange, Manner, Plan},
    node::{Change, Node},
};

use super::{party, seconds};

/// Two phones of this Asterisk, and a dial plan that rings the first and lets it call the second.
pub const TWO_PHONES: &str = "
[from-box]
exten => _[+0-9].,1,MixMonitor(pbx.wav,r(rx.wav)t(tx.wav))
 same => n,Dial(PJSIP/6001,20,t)
 same => n,Hangup()

[from-phone]
exten => 6002,1,Dial(PJSIP/6002,20)
 same => n,Hangup()
";

/// How an Asterisk differs from the recipe's.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pbx<'a> {
    /// Lines for the endpoint that is the node.
    pub endpoint: &'a str,
    /// Whether speech goes past it.
    pub direct_media: bool,
    /// Phones and their addresses.
    pub phones: &'a [(&'a str, SocketAddr)],
    /// Its dial plan.
    pub dialplan: &'a str,
}

/// A node before an Asterisk, and callers.
pub struct Office {
    pub node: Node,
    pub asterisk: Asterisk,
    pub callers: Exchange,
}

impl Office {
    /// Opens it: a node like the lab's but for `change`, before this Asterisk.
    pub fn open(change: &Change, pbx: Pbx<'_>) -> Self {
        let node = Node::start(change);
        let Pbx { endpoint, direct_media, phones, dialplan } = pbx;
        let setup =
            Setup { sip: node.pbx, node: node.sip, endpoint, direct_media, phones, dialplan };
        let asterisk = Asterisk::start(&setup);
        Self { node, asterisk, callers: Exchange::callers() }
    }

    /// Places a call from outside.
    pub fn call(&mut self, plan: Plan) {
        self.callers.call(self.node.sip, plan);
    }

    /// Waits until so many of the callers' calls are over.
    pub fn over(&mut self, count: usize, limit_s: u64) {
        let done = self.callers.until(Duration::from_secs(limit_s), |calls| {
            calls.iter().filter(|call| call.over()).count() >= count
        });
        assert!(done, "the calls do not end:\n{}", self.node.log());
    }

    /// All calls of the node once there are so many and each has its words; the oldest first.
    pub fn ended(&self, count: usize) -> Vec<Value> {
        let ended = |calls: &Value| {
            calls.as_array().is_some_and(|rows| {
                rows.len() == count && rows.iter().all(|row| row["verdict"].is_string())
            })
        };
        let calls = self.node.until(&["calls", "list"], ended);
        calls.as_array().into_iter().flatten().rev().cloned().collect()
    }

    /// Both sides of the only recording, once it is stored.
    pub fn recorded(&self) -> (Vec<i16>, Vec<i16>) {
        let one = |rows: &Value| {
            let rows = rows.as_array().into_iter().flatten();
            rows.filter(|row| row["state"] == "stored").count() == 1
        };
        let rows = self.node.until(&["recordings", "list"], one);
        self.node.export(rows[0]["recording"].as_str().expect("an id"))
    }
}

/// A phone at 127.0.0.`last` that answers at once with a tone, and then does this.
pub fn phone(last: u8, tone_hz: f64, acts: &[(u64, Act)]) -> Exchange {
    let acts = acts.iter().map(|(millis, act)| (Duration::from_millis(*millis), *act)).collect();
    Exchange::start([127, 0, 0, last], 0, Manner::Answers { after: Duration::ZERO, tone_hz, acts })
}

/// Says that every listener heard a tone for so many seconds, give or take 0.4.
pub fn all_heard(expected: &[(&str, f64, f64)]) {
    for (who, heard, wanted) in expected {
        assert!((heard - wanted).abs() < 0.4, "{who}: {heard:.2} s instead of {wanted} s");
    }
}
