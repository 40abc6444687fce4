//! The rows of the flow matrix and of the law that one call can show.

mod aside;
mod attended;
mod dialogue;
mod early;
mod ending;
mod evidence;
mod explicit;
mod failing;
mod fax;
mod grounds;
mod mind;
mod obligation;
mod outbound;
mod outbound_told;
mod pausing;
mod permit;
mod routes;
#[path = "../support/mod.rs"]
mod support;
mod transfer;

use call::*;
use support::{Seen::*, *};

pub(crate) const NORMAL: Cause = Cause::Normal;
pub(crate) const ERASED: Seen = End(Fate::Erase(Reason::Withdrawal));
pub(crate) const EMPTY: Seen = End(Fate::Erase(Reason::Empty));

pub(crate) fn closed(done: bool, millis: u64) -> Input {
    Input::RecordingClosed { recording: RECORDING, done, millis }
}

pub(crate) fn confirm(confirm: Confirm) -> Asking {
    Asking { confirm, ..asking() }
}

pub(crate) fn ended(consent: Consent, outcome: Outcome, verdict: Verdict) -> Vec<Seen> {
    let words = words(consent, outcome, verdict);
    vec![Ended(words), Finish(words)]
}

pub(crate) fn keys_of(evidence: &Evidence) -> String {
    evidence.presses.iter().map(|press| press.key.reveal().reveal()).collect()
}

#[test]
fn a_granted_call_goes_from_notice_to_recording_in_the_only_lawful_order() {
    let mut desk = Desk::new(asked(asking()));
    assert_eq!(desk.since(), [Opened, Answer]);
    assert_eq!(desk.tell(Input::Confirmed), [Play(Prompt::Notice)]);
    assert_eq!(desk.hear(), [Play(Prompt::Question)]);
    assert_eq!(desk.press('1'), [Decided(Consent::Granted), Play(Prompt::Granted)]);
    assert_eq!(desk.cut(8_000), [Commit { prompts: 2, presses: 1 }]);
    assert_eq!(desk.commit(), [Record, Arm(key('*'))]);
    assert_eq!(desk.hear(), [Dial, RINGS]);
    assert_eq!(desk.tell(Input::Ringing { early_media: false }), []);
    assert_eq!(desk.tell(Input::Answered), [Hush, Connect(Connection::Bridged)]);
    assert_eq!(desk.call.poll_timeout(), None);
    desk.wait(60_000);
    let permit = desk.permit.take().unwrap();
    assert!(permit.is_live());
    assert_eq!((permit.call(), permit.recording(), permit.evidence()), (CALL, RECORDING, HASH));
    assert_eq!((permit.ground(), permit.heard()), (Ground::Consent, Parties::BOTH));
    assert_eq!(permit.purposes(), asking().purposes);
    assert_eq!(
        desk.tell(Input::HungUp(Party::Customer)),
        [HangUp(Party::Agent, NORMAL), End(Fate::Keep)]
    );
    assert!(!permit.is_live(), "a call that is over records nothing");
    assert_eq!(
        desk.tell(closed(true, 60_000)),
        ended(Consent::Granted, Outcome::Bridged, Verdict::Recorded)
    );
    assert_eq!(desk.call.poll_timeout(), None);
}

/// The key of who has withdrawn is listened for: they may come back.
fn again() -> Seen {
    Seen::Keep(Party::Customer, Kept::One(support::key('*')))
}
