//! Calls that Asterisk does not take.

use std::{
    thread,
    time::{Duration, Instant},
};

use support::{
    exchange::{Act, Plan},
    node::Change,
    scene::{ENGLISH, words},
    sound::heard,
};

use super::{Office, Pbx};

/// The last digits say which cause of ISDN (Q.850) Asterisk ends the call with.
const REFUSES: &str = "
[from-box]
exten => _+312011100XX,1,Hangup(${EXTEN:-2})
exten => +31201234568,1,Hangup(17)
exten => +31201110099,1,Dial(PJSIP/nobody,20)
 same => n,Congestion(1)
";

#[test]
fn what_asterisk_refuses_the_caller_is_told_in_the_same_words() {
    let mut office = Office::open(&Change::default(), Pbx { dialplan: REFUSES, ..Pbx::default() });
    let cases = [("17", 486), ("01", 404), ("18", 480), ("21", 403), ("34", 503), ("99", 503)];
    for (cause, _) in cases {
        office.call(Plan::new(&format!("+316123457{cause}"), &format!("+312011100{cause}")));
    }
    office.call(Plan::new("+31612345800", "+3120119999"));
    office.over(cases.len() + 1, 20);
    for (cause, status) in cases {
        let caller = office.callers.of(&format!("+316123457{cause}"));
        assert_eq!(caller.answer("INVITE").map(|(_, code)| code), Some(status), "cause {cause}");
    }
    let unknown = office.callers.of("+31612345800").answer("INVITE").map(|(_, code)| code);
    assert_eq!(unknown, Some(404), "a number that Asterisk does not know");
}

#[test]
fn b_13_a_busy_asterisk_after_the_question_is_heard_as_the_busy_tone() {
    let mut office = Office::open(&Change::default(), Pbx { dialplan: REFUSES, ..Pbx::default() });
    office.call(Plan::new("+31612345607", ENGLISH).at(400, Act::Press('1')));
    office.over(1, 45);
    assert_eq!(words(&office.ended(1)[0]), "granted busy unconnected");
    let caller = office.callers.of("+31612345607");
    let bye = caller.request("BYE", true).expect("the node hangs up");
    let last = caller.samples(bye.at - Duration::from_secs(3), bye.at);
    assert!(heard(&last, 425.0) > 0.3, "no busy tone before the end");
}

#[test]
fn r_17_a_dead_asterisk_is_noticed_by_its_silence_and_calls_go_on_when_it_is_back() {
    // A ping is missed after 64 first intervals: 1.3 s.
    let change = Change::default()
        .with("keepalive_s = 0 ", "keepalive_s = 1 ")
        .with("t1_ms = 500 ", "t1_ms = 20 ");
    let mut office = Office::open(&change, Pbx { dialplan: REFUSES, ..Pbx::default() });
    let mut asked = 0;
    let mut status = |office: &mut Office| {
        asked += 1;
        let from = format!("+3161234{:04}", 5_700 + asked);
        let placed = Instant::now();
        office.call(Plan::new(&from, "+31201110017"));
        office.over(asked, 40);
        let (at, status) = office.callers.of(&from).answer("INVITE").expect("an answer");
        (status, at - placed)
    };
    assert_eq!(status(&mut office).0, 486, "while it lives");
    office.asterisk.kill();
    thread::sleep(Duration::from_secs(8));
    let (code, after) = status(&mut office);
    assert_eq!(code, 503, "while it is dead");
    assert!(after < Duration::from_secs(1), "told after {after:?}");
    office.asterisk.run_again();
    thread::sleep(Duration::from_secs(8));
    assert_eq!(status(&mut office).0, 486, "once it is back");
}
