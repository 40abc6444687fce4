//! A network of its own, and programs that run there for as long as somebody holds them.

use std::{
    fs::{self, File},
    os::fd::AsFd,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// A program that ends, with everything that it has started, when this is dropped.
pub struct Held(Child);

impl Drop for Held {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _reaped = self.0.wait();
    }
}

/// A network namespace, as long as this lives.
pub struct Place(Held);

impl Place {
    /// One with nothing but loopback.
    pub fn new() -> Self {
        let mut keeper = Command::new("unshare");
        let keeper = keeper.args(["--net", "sleep", "infinity"]).spawn().expect("root may unshare");
        let place = Self(Held(keeper));
        let name = |pid: &str| fs::read_link(format!("/proc/{pid}/ns/net")).ok();
        let until = Instant::now() + Duration::from_secs(5);
        while name(&place.pid().to_string()).is_none_or(|new| Some(new) == name("self")) {
            assert!(Instant::now() < until, "no network of its own");
            thread::sleep(Duration::from_millis(5));
        }
        place.run("ip link set lo up");
        place
    }

    /// The process that keeps it.
    pub fn pid(&self) -> u32 {
        self.0.0.id()
    }

    fn inside(&self) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net=/proc/{}/ns/net", self.pid())).arg("--");
        command
    }

    /// Runs a command there to its end, and returns what it prints.
    pub fn run(&self, line: &str) -> String {
        let output = self.inside().args(line.split(' ')).output().expect("nsenter");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{line}: {said}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Runs a program there until it is let go of, all of its processes.
    pub fn keep(&self, program: Command, log: &Path) -> Held {
        let out = fs::OpenOptions::new().create(true).append(true).open(log).expect("a log");
        let mut command = self.inside();
        command.args(["unshare", "--pid", "--fork", "--kill-child", "--"]);
        command.arg(program.get_program()).args(program.get_args());
        command.stdin(Stdio::null()).stdout(out.try_clone().expect("a log")).stderr(out);
        Held(command.spawn().expect("nsenter"))
    }

    /// From now on, sockets of this thread are opened there.
    pub fn enter(&self) {
        let place = File::open(format!("/proc/{}/ns/net", self.pid())).expect("a network");
        let moved = move_into_link_name_space(place.as_fd(), Some(LinkNameSpaceType::Network));
        moved.expect("root may go there");
    }
}
