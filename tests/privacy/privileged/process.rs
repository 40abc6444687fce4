//! The node's own armour: no core dump, nobody reads along, nothing goes to swap.

use std::{
    fs::{self, Permissions},
    net::TcpStream,
    os::unix::{
        fs::{MetadataExt, PermissionsExt},
        process::CommandExt,
    },
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use support::node::{Change, Node, program};

use crate::calls::Call;

/// `nobody`, who owns nothing.
const NOBODY: u32 = 65_534;

fn line(pid: u32, file: &str, name: &str) -> Vec<String> {
    let text = fs::read_to_string(format!("/proc/{pid}/{file}")).expect("a running node");
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    line.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn no_core_is_dumped_and_no_page_goes_to_swap() {
    let node = Node::start(&Change::default());
    assert_eq!(line(node.pid(), "limits", "Max core file size")[..2], ["0", "0"]);
    let locked: u64 = line(node.pid(), "status", "VmLck:")[0].parse().expect("a number");
    let resident: u64 = line(node.pid(), "status", "VmRSS:")[0].parse().expect("a number");
    assert!(locked >= resident, "{locked} kB of {resident} kB are locked");
}

#[test]
fn the_user_it_runs_as_may_not_read_its_memory() {
    let mut node = Node::start(&Change::default());
    node.stop();
    let home = node.home.path();
    let copy = home.join("jawoord");
    fs::copy(program("jawoord"), &copy).expect("a copy that anybody may run");
    fs::set_permissions(home, Permissions::from_mode(0o777)).expect("a folder for anybody");
    let mut child = Command::new(&copy)
        .uid(NOBODY)
        .gid(NOBODY)
        .args(["serve", "--config", "node.toml", "--data", "nobodys"])
        .current_dir(home)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let limit = Instant::now() + Duration::from_secs(10);
    let serves = || TcpStream::connect(("127.0.0.1", node.metrics)).is_ok();
    while !serves() && Instant::now() < limit {
        thread::sleep(Duration::from_millis(20));
    }
    let user = line(child.id(), "status", "Uid:");
    // Files of a process that nobody may look into belong to root (proc(5)).
    let owner = fs::metadata(format!("/proc/{}/mem", child.id())).map(|it| it.uid());
    let _gone = child.kill();
    let _reaped = child.wait();
    assert_eq!(user[0], NOBODY.to_string());
    assert_eq!(owner.ok(), Some(0), "its memory belongs to the user it runs as");
}

#[test]
fn what_a_node_has_open_is_less_than_it_keeps_for_itself_and_a_call_gives_back_what_it_took() {
    let node = Node::start(&Change::default());
    let told = node.done(&["check"])["calls"].clone();
    let number = |key: &str| told[key].as_u64().expect("a number");
    let calls = number("wanted") + number("emergencies_beyond");
    let kept = usize::try_from(number("descriptors_needed") - 4 * calls).expect("some");
    let open = || fs::read_dir(format!("/proc/{}/fd", node.pid())).expect("root may look").count();
    let settled = |most: usize| {
        let limit = Instant::now() + Duration::from_secs(5);
        while open() > most && Instant::now() < limit {
            thread::sleep(Duration::from_millis(20));
        }
        open()
    };
    // The first call opens what the node keeps from then on.
    let hears_the_notice = |pbx| Call::place(&node, [127, 0, 0, 1], [127, 0, 0, pbx]);
    hears_the_notice(2).hang_up();
    thread::sleep(Duration::from_secs(1));
    let rest = open();
    assert!(rest < kept, "{rest} are open, {kept} are kept");
    for pbx in [3, 4] {
        let call = hears_the_notice(pbx);
        assert!(open() >= rest + 4, "two legs of two sockets");
        call.hang_up();
        assert_eq!(settled(rest), rest);
    }
}
