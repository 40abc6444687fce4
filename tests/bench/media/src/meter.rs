//! Sends the speech of all calls at its pace, counts what comes back, and reads what that has cost.

use std::{
    io::IoSliceMut,
    net::UdpSocket,
    os::fd::AsRawFd,
    process, thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use nix::{
    cmsg_space,
    sys::{
        socket::{
            ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, setsockopt,
            sockopt::{RcvBuf, RcvBufForce, ReceiveTimestampns},
        },
        time::TimeSpec,
    },
};

use crate::{
    error::{Error, during},
    ground::{Call, HERE, SOCKETS, port},
    process::{cpu_ns, resident_kb},
    tally::Tally,
    traffic::{self, Ears, PACKET, SLOTS, Stream},
};

/// The sockets are emptied once in so many slots; the kernel has noted when a packet came.
const EMPTIED_EVERY: u64 = 4;

/// Sending goes on for so long after the window, until its last packets must be back.
const AFTER: Duration = Duration::from_millis(300);

/// Further behind than this, the meter leaves slots out rather than send them in a burst.
const HOPELESS_NS: u64 = 200_000_000;

/// The parties of all calls.
pub(crate) struct Meter {
    calls: usize,
    slots: Vec<Vec<Stream>>,
    ears: Ears,
    sockets: [Vec<UdpSocket>; 2],
    /// Ports for control packets: open, so that nobody is told that they are closed, and never read.
    _control: Vec<UdpSocket>,
    packet: [u8; PACKET],
    /// The same as it goes out.
    sealed: Vec<u8>,
    tally: Tally,
    begun: Instant,
    slot: u64,
    /// How long a slot lasts.
    slot_ns: u64,
}

/// What happens with packets at the moment.
#[derive(Clone, Copy, PartialEq)]
enum Phase {
    WarmUp,
    Window,
    After,
}

impl Meter {
    /// Opens the sockets for calls that are up at the program under test; each stream has a packet in so
    /// many milliseconds.
    pub(crate) fn new(calls: Vec<Call>, packet_ms: u64) -> Result<Self, Error> {
        let (mut sockets, mut control) = ([Vec::new(), Vec::new()], Vec::new());
        for (side, sockets) in sockets.iter_mut().enumerate() {
            for number in 0..SOCKETS {
                sockets.push(open(port(side, number))?);
                let beside = UdpSocket::bind((HERE, port(side, number) + 1));
                control.push(beside.map_err(during("a port of the meter"))?);
            }
        }
        let count = calls.len();
        let (slots, ears) = traffic::spread(calls);
        Ok(Self {
            calls: count,
            slots,
            ears,
            sockets,
            _control: control,
            packet: traffic::noise(),
            sealed: Vec::with_capacity(256),
            tally: Tally::default(),
            begun: Instant::now(),
            slot: 0,
            slot_ns: packet_ms * 1_000_000 / SLOTS as u64,
        })
    }

    /// One window after a warm-up, both in seconds, of the process with this id.
    pub(crate) fn measure(&mut self, pid: u32, warm_up: f64, window: f64) -> Result<Tally, Error> {
        self.begun = Instant::now();
        self.speak(Phase::WarmUp, Duration::from_secs_f64(warm_up));
        let packets = window * 1e9 / self.slot_ns as f64 / SLOTS as f64 * 2.0 * self.calls as f64;
        self.tally = Tally { calls: self.calls, due: packets as u64, ..Tally::default() };
        let before = (cpu_ns(pid)?, cpu_ns(process::id())?, Instant::now());
        self.speak(Phase::Window, Duration::from_secs_f64(window));
        self.tally.cpu_ns = cpu_ns(pid)?.saturating_sub(before.0);
        self.tally.own_cpu_ns = cpu_ns(process::id())?.saturating_sub(before.1);
        self.tally.wall_ns = before.2.elapsed().as_nanos() as u64;
        self.tally.resident_kb = resident_kb(pid)?;
        self.speak(Phase::After, AFTER);
        Ok(std::mem::take(&mut self.tally))
    }

    fn speak(&mut self, phase: Phase, time: Duration) {
        let end = self.slot + (time.as_nanos() as u64).div_ceil(self.slot_ns);
        while self.slot < end {
            self.wait(phase);
            self.send(phase);
            self.slot += 1;
            if self.slot.is_multiple_of(EMPTIED_EVERY) {
                self.hear(phase);
            }
        }
    }

    /// Sleeps until the slot begins, and notes by how much that was missed.
    fn wait(&mut self, phase: Phase) {
        let due = Duration::from_nanos(self.slot * self.slot_ns);
        let now = self.begun.elapsed();
        if let Some(left) = due.checked_sub(now) {
            thread::sleep(left);
            return;
        }
        let late = now.saturating_sub(due).as_nanos() as u64;
        if phase == Phase::Window {
            self.tally.late_ns = self.tally.late_ns.max(late);
        }
        if late > HOPELESS_NS {
            self.begun += Duration::from_nanos(late);
        }
    }

    fn send(&mut self, phase: Phase) {
        let counted = phase == Phase::Window;
        let Some(slot) = self.slots.get_mut((self.slot % SLOTS as u64) as usize) else { return };
        for stream in slot {
            stream.next(&mut self.packet, time_of_day_ns(), counted);
            let sockets = self.sockets.get(stream.side);
            let Some(socket) = sockets.and_then(|sockets| sockets.get(stream.socket)) else {
                continue;
            };
            let sealed = stream.sealed(&self.packet, &mut self.sealed).is_some();
            let sent = sealed && socket.send_to(&self.sealed, stream.to).is_ok();
            self.tally.sent += u64::from(sent && counted);
        }
    }

    fn hear(&mut self, phase: Phase) {
        let mut space = cmsg_space!(TimeSpec);
        for socket in self.sockets.iter().flatten() {
            while let Some((packet, length, from, received)) = receive(socket, &mut space) {
                let Some(packet) = packet.get(..length) else { continue };
                let heard = match self.ears.get_mut(&from) {
                    // What is not authentic has not come back.
                    Some(ear) => ear.decrypt_rtp(packet).ok().and_then(|own| traffic::heard(&own)),
                    None => traffic::heard(packet),
                };
                let Some((sent, counted)) = heard else { continue };
                self.tally.relayed += u64::from(phase == Phase::Window);
                if counted {
                    self.tally.returned += 1;
                    self.tally.delays_ns.push(received.saturating_sub(sent));
                }
            }
        }
    }
}

fn open(port: u16) -> Result<UdpSocket, Error> {
    let socket = UdpSocket::bind((HERE, port)).map_err(during("a port of the meter"))?;
    socket.set_nonblocking(true).map_err(during("a socket of the meter"))?;
    setsockopt(&socket, ReceiveTimestampns, &true).map_err(during("the kernel's receive times"))?;
    let large = 64 << 20;
    // Only root is given more than the system's limit; the less is enough for fewer calls.
    if setsockopt(&socket, RcvBufForce, &large).is_err() {
        setsockopt(&socket, RcvBuf, &large).map_err(during("a socket's buffer"))?;
    }
    Ok(socket)
}

/// The next packet of a socket, its length, the port that it comes from, and when the kernel got it (time
/// of day in ns).
fn receive(socket: &UdpSocket, space: &mut [u8]) -> Option<([u8; 256], usize, u16, u64)> {
    let mut packet = [0; 256];
    let mut pieces = [IoSliceMut::new(&mut packet)];
    let got = recvmsg::<SockaddrStorage>(
        socket.as_raw_fd(),
        &mut pieces,
        Some(space),
        MsgFlags::MSG_DONTWAIT,
    );
    let got = got.ok()?;
    let time = got.cmsgs().ok()?.find_map(|message| {
        if let ControlMessageOwned::ScmTimestampns(time) = message { Some(time) } else { None }
    })?;
    let (length, from) = (got.bytes, got.address?.as_sockaddr_in()?.port());
    Some((packet, length, from, time.tv_sec() as u64 * 1_000_000_000 + time.tv_nsec() as u64))
}

fn time_of_day_ns() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_nanos() as u64)
}
