//! Calls with two phones whose every packet is known.

use std::{
    net::SocketAddr,
    thread,
    time::{Duration, Instant},
};

use jawoord::phone::{Happened, Manner, Order, Payloads, Phone, What};
use support::node::Node;

use crate::traces::Traces;

/// The number of the Dutch line of the lab.
pub const DIALLED: &str = "+31201234567";

/// A call in progress.
pub struct Call {
    /// The caller's phone.
    pub caller: Phone,
    /// The PBX.
    pub pbx: Phone,
    /// What the caller says.
    pub said: Traces,
    /// What the PBX says.
    pub answered: Traces,
    reply: Payloads,
}

impl Call {
    /// Places a call from one address to a PBX at another.
    pub fn place(node: &Node, caller: [u8; 4], pbx: [u8; 4]) -> Self {
        let answers = Manner::Answers { after: Duration::ZERO, tone_hz: 0.0 };
        let pbx = Phone::start(SocketAddr::from((pbx, node.pbx)), answers).expect("a PBX");
        let caller = Phone::start(SocketAddr::from((caller, 0)), Manner::Caller).expect("a phone");
        let (said, words) = Traces::new();
        let (answered, reply) = Traces::new();
        caller.order(Order::Utter(words));
        let call = Self { caller, pbx, said, answered, reply };
        let node = SocketAddr::from(([127, 0, 0, 1], node.sip));
        call.caller.order(Order::Call { node, number: DIALLED.to_owned() });
        let _at = until(&call.caller, What::Answered);
        call
    }

    /// Both on the loopback address.
    pub fn here(node: &Node) -> Self {
        Self::place(node, [127, 0, 0, 1], [127, 0, 0, 1])
    }

    /// Presses a key in the notice and waits until the parties hear each other.
    pub fn bridge(&mut self, key: char) {
        self.caller.order(Order::Press(key));
        let _at = until(&self.pbx, What::Invited);
        let limit = Instant::now() + Duration::from_secs(5);
        while !self.pbx.all().any(|happened| heard(&happened)) {
            assert!(Instant::now() < limit, "the PBX hears nothing");
            thread::sleep(Duration::from_millis(5));
        }
        self.pbx.order(Order::Utter(self.reply.clone()));
        while self.answered.sent().len() < 10 {
            assert!(Instant::now() < limit, "the PBX says nothing");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Hangs up and says when that was.
    pub fn hang_up(&self) -> Instant {
        let at = Instant::now();
        self.caller.order(Order::HangUp);
        let _over = until(&self.caller, What::Ended);
        at
    }
}

fn heard(happened: &Happened) -> bool {
    matches!(&happened.what, What::Heard(samples) if !samples.is_empty())
}

/// Waits until something happens at a phone.
pub fn until(phone: &Phone, what: What) -> Instant {
    let limit = Instant::now() + Duration::from_secs(40);
    loop {
        let left = limit.saturating_duration_since(Instant::now());
        let happened = phone.next(left).unwrap_or_else(|| panic!("no {what:?}"));
        if happened.what == what {
            return happened.at;
        }
    }
}
