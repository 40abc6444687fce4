//! Runs SIPp with scenarios and sounds of our own.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{node::root, pcap, port::Ports};

/// A SIPp in a folder of its own.
pub struct Sipp {
    home: TempDir,
    child: Child,
    _sound: Ports,
}

/// What a SIPp plays under a file name of its scenario.
pub enum Sound<'a> {
    /// Packets of our own.
    Own(&'a str, &'a [pcap::Packet]),
    /// A key of the captures that SIPp's package ships: `0` to `9`, `star` or `pound`.
    Key(&'a str, &'a str),
}

impl Sipp {
    /// Starts a scenario of `tests/wire/scenarios` on a local SIP port.
    ///
    /// # Panics
    /// SIPp is not installed.
    #[must_use]
    pub fn start(scenario: &str, port: u16, sounds: &[Sound<'_>], more: &[&str]) -> Self {
        let home = TempDir::new().expect("a temporary folder");
        let file = format!("{scenario}.xml");
        fs::copy(root().join("tests/wire/scenarios").join(&file), home.path().join(&file))
            .expect("a scenario");
        for sound in sounds {
            match sound {
                Sound::Own(name, packets) => {
                    pcap::write(&home.path().join(name), 0x5151_0001, packets).expect("a capture");
                }
                Sound::Key(name, key) => {
                    let shipped = format!("/usr/share/sip-tester/dtmf_2833_{key}.pcap");
                    fs::copy(shipped, home.path().join(name)).expect("package sip-tester");
                }
            }
        }
        let out = fs::File::create(home.path().join("out")).expect("a file");
        // Sound, its RTCP, and as much for a picture that nobody sends.
        let sound = Ports::reserve(4);
        let child = Command::new("sipp")
            .current_dir(home.path())
            .args(["-sf", &file, "-i", "127.0.0.1", "-mi", "127.0.0.1", "-p", &port.to_string()])
            .args(["-mp", &sound.first().to_string()])
            .args(["-nostdin", "-trace_err", "-error_file", "errors"])
            .args(more)
            .stdin(Stdio::null())
            .stdout(out.try_clone().expect("a file"))
            .stderr(out)
            .spawn()
            .expect("SIPp is installed (package sip-tester)");
        Self { home, child, _sound: sound }
    }

    /// Waits for the end and says whether every call went as the scenario says.
    ///
    /// # Panics
    /// It does not end within `limit`.
    #[must_use]
    pub fn succeeds(mut self, limit: Duration) -> bool {
        let until = Instant::now() + limit;
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                if !status.success() {
                    eprintln!("--- SIPp ---\n{}", self.says());
                }
                return status.success();
            }
            if Instant::now() > until {
                eprintln!("--- SIPp does not end ---\n{}", self.says());
                return false;
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn says(&self) -> String {
        let read = |name: &str| fs::read_to_string(self.folder().join(name)).unwrap_or_default();
        format!("{}\n{}", read("errors"), read("out"))
    }

    /// Its folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.home.path()
    }
}

impl Drop for Sipp {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}
