//! A disk that is full: speech goes on, nobody is asked, and nothing claims to be recorded.

use std::{
    fs::{self, File},
    io::Write,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use jawoord::phone::{Manner, Order, Phone, What};
use support::{
    node::{Change, Node},
    peer::{leg::Leg, post::Peer, seen::Seen},
    port,
    stage::{CALLER, Stage, Talk, sdp},
};

use crate::calls::{Call, DIALLED, until};

/// A small disk, as long as the test lasts.
struct Disk(PathBuf);

impl Disk {
    /// Puts a disk under a folder of a node that does not run, with what the folder holds.
    fn under(folder: &Path) -> Self {
        let aside = folder.with_extension("aside");
        fs::rename(folder, &aside).expect("aside");
        fs::create_dir(folder).expect("a folder");
        let mut mount = Command::new("mount");
        let mounted = mount.args(["-t", "tmpfs", "-o", "size=80m", "tmpfs"]).arg(folder).status();
        assert!(mounted.is_ok_and(|it| it.success()), "root may mount");
        let disk = Self(folder.to_owned());
        let copied = Command::new("cp").arg("-a").arg(aside.join(".")).arg(folder).status();
        assert!(copied.is_ok_and(|it| it.success()));
        disk
    }

    fn filler(&self) -> PathBuf {
        self.0.join("filler")
    }

    fn fill(&self) {
        let mut filler = File::create(self.filler()).expect("a file");
        for size in [1 << 20, 1 << 12, 1] {
            while filler.write_all(&vec![0; size]).is_ok() {}
        }
    }

    fn free(&self) {
        fs::remove_file(self.filler()).expect("removed");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _left_behind = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

/// How many packets of sound a phone hears in a second.
fn hears(phone: &Phone) -> usize {
    let _before = phone.all().count();
    thread::sleep(Duration::from_secs(1));
    phone.all().filter(|it| matches!(&it.what, What::Heard(sound) if !sound.is_empty())).count()
}

fn talk(call: &Call) {
    for phone in [&call.caller, &call.pbx] {
        let heard = hears(phone);
        assert!((40..=60).contains(&heard), "{heard} packets in a second");
    }
}

fn dial(node: &Node) -> Phone {
    let here = SocketAddr::from(([127, 0, 0, 1], 0));
    let caller = Phone::start(here, Manner::Caller).expect("a phone");
    let to = SocketAddr::from(([127, 0, 0, 1], node.sip));
    caller.order(Order::Call { node: to, number: DIALLED.to_owned() });
    caller
}

/// Calls and is put through without having been asked: no key is pressed, and nothing is played.
fn unasked(node: &Node, pbx: &Phone) {
    let caller = dial(node);
    let invited = until(pbx, What::Invited);
    let answered = until(&caller, What::Answered);
    assert!(answered >= invited, "the PBX answers, not the node");
    assert!(hears(&caller) > 40);
    caller.order(Order::HangUp);
    let _over = until(&caller, What::Ended);
    let _over = until(pbx, What::Ended);
}

/// Calls and is asked: the node answers, and the PBX does not ring yet.
fn asked(node: &Node, pbx: &Phone) {
    let caller = dial(node);
    let _at = until(&caller, What::Answered);
    assert!(hears(&caller) > 40, "the notice");
    assert!(!pbx.all().any(|it| it.what == What::Invited));
    caller.order(Order::HangUp);
    let _over = until(&caller, What::Ended);
}

fn verdicts(node: &Node) -> Vec<String> {
    let list = node.json(&["calls", "list"]);
    let calls = list.as_array().into_iter().flatten();
    calls.filter_map(|call| call["verdict"].as_str().map(str::to_owned)).collect()
}

/// Ended calls of a verdict, as the metrics count them.
fn counted(node: &Node, verdict: &str) -> u64 {
    let name = format!("jawoord_verdict_total{{verdict=\"{verdict}\"}} ");
    let metrics = node.metrics();
    let value = metrics.lines().find_map(|line| line.strip_prefix(&name));
    value.map_or(0, |value| value.parse().expect("a number"))
}

#[test]
fn o_05_when_the_spool_is_full_speech_goes_on_the_recording_is_cut_short_and_nobody_is_asked() {
    let mut node = Node::start(&Change::default());
    node.stop();
    let disk = Disk::under(&node.data().join("spool"));
    node.run_again();
    let mut call = Call::here(&node);
    call.bridge('1');
    thread::sleep(Duration::from_secs(2));
    disk.fill();
    thread::sleep(Duration::from_secs(2));
    talk(&call);
    alarmed(&node);
    call.hang_up();
    let _over = until(&call.pbx, What::Ended);
    // It stays so for as long as the disk is full.
    for _ in 0..2 {
        unasked(&node, &call.pbx);
    }
    let list = node.until(&["calls", "list"], |_| verdicts(&node).len() == 3);
    assert_eq!(verdicts(&node), ["blocked", "blocked", "degraded"], "{list:#}");
    only_what_was_sealed(&node);
    disk.free();
    thread::sleep(Duration::from_secs(3));
    asked(&node, &call.pbx);
}

/// A stage whose English line ends a call when its recording fails, with a small disk for the spool.
fn strict(change: Change) -> (Stage, Disk) {
    let choice = "pause_max_s = 300\nwhen_recording_fails = \"end_call\"\nring_timeout_s = 30";
    let change = change
        .with("confirm = \"first\"", "confirm = \"off\"")
        .with("pause_max_s = 300\nring_timeout_s = 30", choice);
    let mut stage = Stage::with(change);
    stage.node.stop();
    let disk = Disk::under(&stage.node.data().join("spool"));
    stage.node.run_again();
    (stage, disk)
}

/// An answered call to 112.
fn emergency(stage: &mut Stage) -> (Leg, Leg) {
    let mut a = stage.caller.calls(CALLER, "112");
    stage.caller.send(&a.invite().sdp(sdp(stage.ear.own)));
    let invite = stage.pbx.expect("INVITE");
    let b = stage.pbx.called(&invite);
    stage.pbx.send(&b.reply(&invite, 200).sdp(sdp(stage.desk.own)));
    stage.pbx.expect("ACK");
    let ok = stage.caller.expect((200, "INVITE"));
    stage.caller.send(&a.ack(&ok));
    (a, b)
}

/// Hears that a leg is ended for want of a recording.
fn ended(peer: &mut Peer, leg: &Leg) -> Seen {
    let bye = peer.expect("BYE");
    assert_eq!(bye.header("Call-ID"), leg.call_id, "{}", bye.text);
    let reasons = bye.headers("Reason").join(", ");
    assert_eq!(reasons, "Q.850;cause=47;text=\"Resource unavailable, unspecified\"");
    peer.send(&leg.reply(&bye, 200));
    bye
}

#[test]
fn o_05_where_policy_says_so_a_recording_that_cannot_go_on_ends_both_legs_and_no_other_call() {
    let (mut stage, disk) = strict(Change::default());
    let (mut near, far) = emergency(&mut stage);
    let talk = stage.recorded();
    thread::sleep(Duration::from_secs(2));
    disk.fill();
    ended(&mut stage.caller, &talk.a);
    ended(&mut stage.pbx, &talk.b);
    let list = stage.node.until(&["calls", "list"], |_| verdicts(&stage.node).len() == 1);
    let rows = list.as_array().into_iter().flatten();
    let call = rows.into_iter().find(|call| call["verdict"].is_string()).expect("an ended call");
    let words = (&call["consent"], &call["outcome"], &call["verdict"]);
    assert_eq!(words, (&"granted".into(), &"bridged".into(), &"degraded".into()));
    only_what_was_sealed(&stage.node);
    let log = stage.node.log();
    assert_eq!(log.matches("the call is recorded no further").count(), 1, "{log}");
    // The emergency goes on, and so does who calls a line that is never recorded.
    let mut other = stage.talk();
    stage.caller.hears_no(500, "BYE");
    stage.pbx.hears_no(0, "BYE");
    stage.hang_up(&mut other);
    stage.caller.send(&near.request("BYE"));
    stage.caller.expect((200, "BYE"));
    let bye = stage.pbx.expect("BYE");
    assert_eq!(bye.header("Call-ID"), far.call_id);
}

#[test]
fn o_05_e_01_a_customer_whom_the_agent_sends_to_an_emergency_is_not_cut_off_by_a_full_disk() {
    let there = SocketAddr::from(([127, 0, 0, 1], port::free()));
    let (mut stage, disk) = strict(Change::default().with("127.0.0.1:15070", there.to_string()));
    let mut help = Peer::at(there, stage.node.sip);
    let Talk { mut b, .. } = stage.recorded();
    let refer = b.request("REFER").with("Contact", b.contact.clone());
    stage.pbx.send(&refer.with("Refer-To", "<sip:112@carrier.example>"));
    stage.pbx.expect((202, "REFER"));
    let invite = help.expect("INVITE");
    assert!(invite.uri().starts_with("sip:112@"), "{}", invite.uri());
    disk.fill();
    let alarm = "jawoord_recordings_cut_short_total 1";
    let limit = Instant::now() + Duration::from_secs(10);
    while !stage.node.metrics().contains(alarm) {
        assert!(Instant::now() < limit, "the recording goes on");
        thread::sleep(Duration::from_millis(50));
    }
    for peer in [&mut stage.caller, &mut stage.pbx] {
        peer.hears_no(500, "BYE");
    }
    let c = help.called(&invite);
    help.send(&c.reply(&invite, 200).sdp(sdp(stage.desk.own)));
    help.expect("ACK");
    stage.caller.hears_no(500, "BYE");
}

/// The running call, the metrics and the log say that it is recorded no further.
fn alarmed(node: &Node) {
    let running = node.json(&["calls", "list"]);
    let id = running[0]["call"].as_str().expect("a running call").to_owned();
    let shown = node.json(&["calls", "show", &id]).to_string();
    assert!(shown.contains("the recorder cannot go on: recorded no further"), "{shown}");
    let metrics = node.metrics();
    assert!(metrics.contains("jawoord_recordings_cut_short_total 1"), "{metrics}");
    let log = node.log();
    assert_eq!(log.matches("the recording cannot go on").count(), 1, "{log}");
    assert_eq!(log.matches("nobody is asked now").count(), 1, "{log}");
}

/// One recording, which says that it is not whole, and holds what was said before the disk was full.
fn only_what_was_sealed(node: &Node) {
    let list = node.json(&["recordings", "list"]);
    let [recording] = list.as_array().map(Vec::as_slice).unwrap_or_default() else {
        panic!("one recording: {list:#}");
    };
    assert_eq!(recording["verdict"], "degraded", "{recording:#}");
    assert_eq!(recording["degraded"], true, "{recording:#}");
    assert!(recording["gaps"].as_u64() >= Some(1), "what is missing is no gap: {recording:#}");
    let length = recording["duration_ms"].as_u64().unwrap_or_default();
    assert!((1_000..=5_000).contains(&length), "{length} ms");
    let id = recording["recording"].as_str().expect("an id");
    let verified = node.run(&["recordings", "verify", id]);
    assert!(verified.status.success(), "{verified:?}");
}

#[test]
fn when_the_data_folder_is_full_calls_go_on_and_nothing_claims_to_be_recorded() {
    let mut node = Node::start(&Change::default());
    node.stop();
    let disk = Disk::under(&node.data());
    node.run_again();
    let mut call = Call::here(&node);
    call.bridge('1');
    thread::sleep(Duration::from_secs(2));
    disk.fill();
    thread::sleep(Duration::from_secs(2));
    talk(&call);
    call.hang_up();
    let _over = until(&call.pbx, What::Ended);
    unasked(&node, &call.pbx);
    thread::sleep(Duration::from_secs(1));
    assert_eq!(counted(&node, "recorded"), 0, "{}", node.metrics());
    assert_eq!(counted(&node, "degraded"), 0, "nothing is stored yet");
    assert_eq!(counted(&node, "failed"), 1);
    assert_eq!(counted(&node, "blocked"), 1);
    disk.free();
    thread::sleep(Duration::from_secs(3));
    asked(&node, &call.pbx);
    node.kill();
    node.run_again();
    only_what_was_sealed(&node);
}
