//! A menu of Asterisk's in a recorded call: it gets every key but the withdrawal key, whose packet ends the
//! recording, by whichever way the caller's keys come.

use std::time::{Duration, Instant};

use support::{
    node::Change,
    peer::{leg::Leg, post::Peer, voice::Voice},
    scene::ENGLISH,
    sound::{level, share},
    stage::{sdp, wait},
};

use super::{Office, Pbx};

/// It waits for up to eight keys, of which `#` is the last, and then for one more.
const MENU: &str = "
[from-box]
exten => _[+0-9].,1,Answer()
 same => n,Read(choice,,8,,1,15)
 same => n,Verbose(0,MENU ${choice} ${READSTATUS})
 same => n,Read(more,,1,,1,4)
 same => n,Verbose(0,MORE ${more} ${READSTATUS})
 same => n,Wait(20)
";
/// What the caller says, and what is said after the withdrawal, in hertz.
const TALK: f64 = 700.0;
const AFTER: f64 = 1_100.0;

/// How the caller's keys come.
#[derive(Clone, Copy, PartialEq)]
enum By {
    Events,
    Info,
    Tones,
}

struct Caller {
    peer: Peer,
    leg: Leg,
    ear: Voice,
    by: By,
}

impl Caller {
    /// Calls, and hears the notice.
    fn asked(office: &Office, by: By) -> Self {
        let mut peer = Peer::new(office.node.sip);
        let mut ear = Voice::new(peer.own.ip());
        let mut leg = peer.calls("+31612345603", ENGLISH);
        let events = "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n";
        let offer = match by {
            By::Events => sdp(ear.own),
            By::Info | By::Tones => {
                sdp(ear.own).replace("RTP/AVP 8 101", "RTP/AVP 8").replace(events, "")
            }
        };
        let start = Instant::now();
        peer.send(&leg.invite().sdp(offer));
        let ok = peer.expect((200, "INVITE"));
        peer.send(&leg.ack(&ok));
        ear.talk_to(ok.sound());
        assert!(ear.is_spoken_to(start), "no notice is heard");
        Self { peer, leg, ear, by }
    }

    fn press(&mut self, key: char) {
        match self.by {
            By::Events => self.ear.press(key),
            By::Tones => self.ear.dial(key),
            By::Info => {
                let body = format!("Signal={key}\r\nDuration=100\r\n");
                let info = self.leg.request("INFO");
                self.peer.send(&info.body("application/dtmf-relay", &body));
            }
        }
    }
}

/// Waits until Asterisk has logged something.
fn logged(office: &Office, text: &str) -> String {
    let until = Instant::now() + Duration::from_secs(40);
    loop {
        let log = office.asterisk.log();
        // It logs what it executes, the arguments in quotation marks.
        if let Some((_, after)) = log.split_once(text)
            && let Some((said, _)) = after.split_once('"')
        {
            return said.trim().to_owned();
        }
        assert!(Instant::now() < until, "Asterisk never logs {text}: {}", office.node.log());
        wait(20);
    }
}

/// For how many milliseconds the recording goes on after the caller's last word.
fn tail(left: &[i16]) -> usize {
    let says = |part: &[i16]| level(part) > 300.0 && share(part, TALK) > 0.8;
    let steps = (0..left.len().saturating_sub(159)).step_by(8);
    let last = steps.rev().find(|at| says(&left[*at..*at + 160])).expect("the caller's words");
    (left.len() - last - 160) / 8
}

/// A recorded call whose caller presses 1, 2, 2, # in a menu, talks on, and withdraws.
fn pressed(by: By) {
    let change = Change::default()
        .with("confirm = \"first\"", "confirm = \"off\"")
        .with("on_withdraw = \"erase\"", "on_withdraw = \"stop\"");
    let office = Office::open(&change, Pbx { dialplan: MENU, ..Pbx::default() });
    let mut caller = Caller::asked(&office, by);
    caller.press('1');
    logged(&office, "Read(\"PJSIP/");
    caller.ear.speak(TALK);
    wait(400);
    for key in ['1', '2', '2', '#'] {
        caller.press(key);
        wait(300);
    }
    // Had it not been given the last key, it would wait for more, and then say TIMEOUT.
    assert_eq!(logged(&office, "MENU "), "122 OK");
    wait(1_000);
    caller.press('*');
    if by == By::Info {
        // The sound goes on: what is said from here on is not to be in the recording.
        caller.ear.speak(AFTER);
        wait(100);
    } else {
        wait(100);
        caller.ear.speak(AFTER);
    }
    assert_eq!(logged(&office, "MORE "), "TIMEOUT", "the withdrawal key is nobody's to have");
    caller.peer.send(&caller.leg.request("BYE"));
    caller.peer.expect((200, "BYE"));
    assert_eq!(office.ended(1)[0]["consent"], "withdrawn");
    let (left, _) = office.recorded();
    assert!(left.len() > 8 * 2_000, "the keys for the menu ended it after {} samples", left.len());
    // A press by events takes the place of sound and is known by its first packet, 20 ms after the last
    // one of sound; so is one by INFO, which another thread reads. A tone is known after 25 to 39 ms.
    let most = match by {
        By::Events => 40,
        By::Info | By::Tones => 60,
    };
    let tail = tail(&left);
    assert!(tail <= most, "the recording goes on for {tail} ms");
}

#[test]
fn d_19_l_08_a_menu_gets_every_key_pressed_by_events_and_the_withdrawal_key_ends_the_recording() {
    pressed(By::Events);
}

#[test]
fn d_19_l_08_a_menu_gets_every_key_pressed_by_info_and_the_withdrawal_key_ends_the_recording() {
    pressed(By::Info);
}

#[test]
fn d_19_l_08_a_menu_gets_every_key_pressed_by_tones_and_the_withdrawal_key_ends_the_recording() {
    pressed(By::Tones);
}
