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
