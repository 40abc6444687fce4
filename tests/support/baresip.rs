//! Runs baresip as a caller: a tone for a microphone, a file for an ear, and its control port.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{
    port::{self, Ports},
    wave,
};

/// How its sound travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sound {
    /// As RTP.
    Plain,
    /// As SRTP under keys in its descriptions, or not at all.
    Secured,
    /// As RTP, in G.722.
    Wide,
    /// As RTP, in Opus.
    Opus,
}

/// A running baresip.
pub struct Baresip {
    home: TempDir,
    child: Child,
    control: TcpStream,
    _sound: Ports,
}

impl Baresip {
    /// Starts one that speaks a tone of so many hertz.
    ///
    /// # Panics
    /// It is not installed (package baresip-core), or does not start within ten seconds.
    #[must_use]
    pub fn start(user: &str, tone_hz: f64, goes: Sound) -> Self {
        // It takes the next port for TLS.
        Self::at(port::pair(), user, tone_hz, goes)
    }

    /// The same at a port for SIP, where it answers whom its user is called for.
    ///
    /// # Panics
    /// As above.
    #[must_use]
    pub fn at(sip: u16, user: &str, tone_hz: f64, goes: Sound) -> Self {
        let home = TempDir::new().expect("a temporary folder");
        let (control, sound) = (port::free(), Ports::reserve(10));
        configure(home.path(), (user, goes), tone_hz, (sip, control), &sound);
        let out = fs::File::create(home.path().join("out")).expect("a file");
        let child = Command::new("baresip")
            .arg("-f")
            .arg(home.path())
            .stdin(Stdio::null())
            .stdout(out.try_clone().expect("a file"))
            .stderr(out)
            .spawn()
            .expect("baresip is installed (package baresip-core)");
        let until = Instant::now() + Duration::from_secs(10);
        let control = loop {
            if let Ok(stream) = TcpStream::connect(("127.0.0.1", control)) {
                break stream;
            }
            assert!(Instant::now() < until, "baresip: {}", says(home.path()));
            thread::sleep(Duration::from_millis(50));
        };
        control.set_read_timeout(Some(Duration::from_millis(50))).expect("a socket");
        Self { home, child, control, _sound: sound }
    }

    /// Gives it a command: `dial`, `sndcode`, `hold`, `resume`, `hangup`.
    ///
    /// # Panics
    /// It has gone.
    pub fn order(&mut self, command: &str, parameter: &str) {
        let text = format!(r#"{{"command":"{command}","params":"{parameter}","token":"t"}}"#);
        let netstring = format!("{}:{text},", text.len());
        self.control.write_all(netstring.as_bytes()).expect("baresip listens");
    }

    /// Waits until it has reported an event, such as `CALL_ESTABLISHED`, and says whether it has.
    #[must_use]
    pub fn reports(&mut self, event: &str, limit: Duration) -> bool {
        let until = Instant::now() + limit;
        let mut said = String::new();
        while !said.contains(event) {
            if Instant::now() > until {
                eprintln!("--- baresip ---\n{}", says(self.home.path()));
                return false;
            }
            let mut buffer = [0; 4_096];
            // Silence is no fault; a baresip that has gone says nothing either.
            let length = self.control.read(&mut buffer).unwrap_or(0);
            said.push_str(&String::from_utf8_lossy(&buffer[..length]));
        }
        true
    }

    /// Ends it and gives what it heard, in A-law: mono, 8 kHz.
    ///
    /// # Panics
    /// It had no call.
    #[must_use]
    pub fn heard(self) -> Vec<i16> {
        self.heard_at(8_000)
    }

    /// The same in a codec of another rate.
    ///
    /// # Panics
    /// As above.
    #[must_use]
    pub fn heard_at(mut self, rate_hz: u32) -> Vec<i16> {
        self.end();
        let files = fs::read_dir(self.home.path()).expect("a folder").flatten();
        let heard = files
            .map(|file| file.path())
            .find(|path| path.to_string_lossy().ends_with("-dec.wav"))
            .unwrap_or_else(|| panic!("baresip heard nothing: {}", says(self.home.path())));
        wave::mono_at(&heard, rate_hz)
    }

    /// Lets it close its files.
    fn end(&mut self) {
        let _sent = Command::new("kill").arg(self.child.id().to_string()).status();
        let until = Instant::now() + Duration::from_secs(5);
        while self.child.try_wait().is_ok_and(|status| status.is_none()) {
            if Instant::now() > until {
                let _gone = self.child.kill();
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Baresip {
    fn drop(&mut self) {
        self.end();
    }
}

fn says(home: &Path) -> String {
    fs::read_to_string(home.join("out")).unwrap_or_default()
}

fn configure(
    home: &Path,
    (user, goes): (&str, Sound),
    tone_hz: f64,
    (sip, control): (u16, u16),
    sound: &Ports,
) {
    // It ends the call where its microphone's file ends.
    let (rate_hz, codec) = match goes {
        Sound::Plain | Sound::Secured => (8_000, "PCMA/8000/1"),
        Sound::Wide => (16_000, "G722/16000/1"),
        Sound::Opus => (48_000, "opus/48000/1"),
    };
    let tone = crate::sound::tone_at(tone_hz, 90_000, 8_000.0, rate_hz);
    wave::write_at(&home.join("speaks.wav"), &tone, rate_hz);
    let (first, last) = (sound.first(), sound.last());
    let here = home.display();
    let config = format!(
        "poll_method epoll\nsip_listen 127.0.0.1:{sip}\nnet_interface 127.0.0.1\n\
         audio_source aufile,{here}/speaks.wav\naudio_level no\nrtp_ports {first}-{last}\n\
         module_path /usr/lib/baresip/modules\nmodule g711.so\nmodule g722.so\n\
         module opus.so\nopus_stereo no\nopus_sprop_stereo no\n\
         module aufile.so\n\
         module sndfile.so\nmodule_tmp account.so\nmodule_app menu.so\nmodule_app ctrl_tcp.so\n\
         module srtp.so\nsnd_path {here}\nctrl_tcp_listen 127.0.0.1:{control}\n"
    );
    let secured = if goes == Sound::Secured { ";mediaenc=srtp-mand" } else { "" };
    let account = format!(
        "<sip:{user}@127.0.0.1:{sip}>;regint=0;answermode=auto;dtmfmode=rtpevent;audio_codecs={codec}{secured}\n"
    );
    for (name, text) in [("config", config), ("accounts", account), ("contacts", String::new())] {
        fs::write(home.join(name), text).expect("a file");
    }
}
