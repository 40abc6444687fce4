//! Session timers (RFC 4028) that Asterisk insists on, at the shortest interval there is.

use std::{thread, time::Duration};

use support::{
    exchange::{Act, Plan},
    node::Change,
};

use super::{Office, Pbx, party};

/// It speaks until somebody hangs up.
const SPEAKS: &str = "
[from-box]
exten => _[+0-9].,1,Answer()
 same => n,MixMonitor(pbx.wav,r(rx.wav)t(tx.wav))
 same => n,PlayTones(440)
 same => n,Wait(300)
";

#[test]
fn b_11_a_call_outlives_the_session_timer_of_asterisk_and_is_heard_throughout() {
    let endpoint = "timers = always\ntimers_min_se = 90\ntimers_sess_expires = 90";
    let pbx = Pbx { endpoint, dialplan: SPEAKS, ..Pbx::default() };
    let mut office =
        Office::open(&Change::default().with("expires_s = 1800", "expires_s = 90"), pbx);
    // A number without a line is put through at once.
    office.call(Plan::new("+31612345604", "+31201110000").at(0, Act::Speak(700.0)));
    thread::sleep(Duration::from_secs(110));
    let caller = office.callers.of("+31612345604");
    assert!(!caller.over(), "the session ended by itself");
    office.callers.act(0, Act::HangUp);
    office.ended(1);
    let (heard, rx) = (party(&caller, 440.0), office.asterisk.heard("rx.wav"));
    assert!(heard > 105.0, "the caller heard {heard} s");
    assert!(super::seconds(&rx, 700.0) > 105.0, "Asterisk");
    let log = office.asterisk.log();
    assert!(log.contains("Session-Expires: 90"), "the timer was never agreed on");
    let refreshed = ["2 INVITE", "2 UPDATE", "3 INVITE", "3 UPDATE"]
        .iter()
        .any(|cseq| log.contains(&format!("CSeq: {cseq}")));
    let again = log.matches("Session-Expires: 90").count();
    assert!(refreshed || again > 2, "nobody refreshed the session");
}
