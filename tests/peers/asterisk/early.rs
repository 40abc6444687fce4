//! What Asterisk lets callers hear before it answers.

use support::{
    exchange::{Act, Plan},
    node::Change,
    scene::ENGLISH,
};

use super::{Office, Pbx, party};

const PROGRESS: &str = "
[from-box]
exten => _[+0-9].,1,Progress()
 same => n,PlayTones(600)
 same => n,Wait(3)
 same => n,StopPlayTones()
 same => n,Answer()
 same => n,PlayTones(440)
 same => n,Wait(3)
 same => n,Hangup()
";

#[test]
fn a_12_early_media_of_asterisk_is_heard_by_a_caller_who_is_not_asked_and_by_one_who_was() {
    let mut office = Office::open(&Change::default(), Pbx { dialplan: PROGRESS, ..Pbx::default() });
    office.call(Plan::new("+31612345605", "+31201110000"));
    office.call(Plan::new("+31612345606", ENGLISH).at(400, Act::Press('2')));
    office.over(2, 45);
    for from in ["+31612345605", "+31612345606"] {
        let caller = office.callers.of(from);
        let (early, late) = (party(&caller, 600.0), party(&caller, 440.0));
        assert!((2.4..3.3).contains(&early), "{from}: {early} s of early media");
        assert!((2.4..3.3).contains(&late), "{from}: {late} s after the answer");
    }
    let unasked = office.callers.of("+31612345605");
    let answered = unasked.answered().expect("answered");
    assert!(unasked.heard.first().is_some_and(|first| first.at < answered), "it was early");
}
