//! What signalling owes to keys: rows D.

use support::{
    peer::{leg::Leg, post::What, seen::Seen},
    scene::NEVER,
    stage::{CALLER, Stage},
};

fn info(stage: &mut Stage, leg: &mut Leg, package: &str, kind: &str, body: &str) -> Seen {
    let mut draft = leg.request("INFO").body(kind, body);
    if !package.is_empty() {
        draft = draft.with("Info-Package", package);
    }
    stage.caller.send(&draft);
    let cseq = leg.cseq;
    let is = move |seen: &Seen| seen.status() >= Some(200) && seen.cseq() == (cseq, "INFO");
    stage.caller.expect(What::that("an answer to INFO", is))
}

#[test]
fn d_15_an_info_of_an_unknown_kind_gets_415_an_empty_one_200_an_unknown_package_469() {
    let mut stage = Stage::start();
    let mut talk = stage.talk();
    let odd = info(&mut stage, &mut talk.a, "", "application/x-odd", "odd");
    assert_eq!(odd.status(), Some(415));
    assert!(odd.header("Accept").contains("application/dtmf-relay"), "{}", odd.text);
    assert_eq!(info(&mut stage, &mut talk.a, "", "", "").status(), Some(200));
    let package = info(&mut stage, &mut talk.a, "x-odd", "application/dtmf", "1");
    assert_eq!(package.status(), Some(469), "{}", package.text);
    assert!(package.get("Recv-Info").is_some());
    stage.caller.hears_no(50, "BYE");
}

#[test]
fn d_16_an_info_outside_a_call_gets_481() {
    let mut stage = Stage::start();
    let mut nobody = stage.caller.calls(CALLER, NEVER);
    let lost = info(&mut stage, &mut nobody, "", "application/dtmf", "1");
    assert_eq!(lost.status(), Some(481), "{}", lost.text);
    nobody.remote.push_str(";tag=gone");
    let lost = info(&mut stage, &mut nobody, "", "application/dtmf-relay", "Signal=1\r\n");
    assert_eq!(lost.status(), Some(481), "{}", lost.text);
}
