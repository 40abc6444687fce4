//! When a datagram came in. The system notes it, so that a busy machine, which lets the thread that waits
//! for it wait longer, changes nothing about it.

use std::{
    io::{self, IoSliceMut},
    net::{SocketAddr, UdpSocket},
    os::fd::AsRawFd,
    time::{Duration, Instant, SystemTime},
};

use nix::{
    cmsg_space,
    sys::{
        socket::{
            ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, setsockopt,
            sockopt::ReceiveTimestampns,
        },
        time::TimeSpec,
    },
};

/// A socket's datagrams are noted from here on.
///
/// # Panics
/// The system notes nothing.
pub fn note(socket: &UdpSocket) {
    setsockopt(socket, ReceiveTimestampns, &true).expect("the system notes when a datagram comes");
}

/// The next datagram: its length, who sent it, and when it came in. When nobody noted that, it is now.
///
/// # Errors
/// As for [`UdpSocket::recv_from`].
///
/// # Panics
/// It comes from something that is not on IP.
pub fn receive(socket: &UdpSocket, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr, Instant)> {
    let mut room = cmsg_space!(TimeSpec);
    let mut parts = [IoSliceMut::new(buffer)];
    let came = recvmsg::<SockaddrStorage>(
        socket.as_raw_fd(),
        &mut parts,
        Some(&mut room),
        MsgFlags::empty(),
    )?;
    let noted = came.cmsgs()?.find_map(|message| match message {
        ControlMessageOwned::ScmTimestampns(at) => Some(Duration::from(at)),
        _ => None,
    });
    let at = noted.map_or_else(Instant::now, instant);
    let from = came.address.expect("an address");
    let from = match (from.as_sockaddr_in(), from.as_sockaddr_in6()) {
        (Some(from), _) => SocketAddr::from((from.ip(), from.port())),
        (None, from) => SocketAddr::V6((*from.expect("an address of IP")).into()),
    };
    Ok((came.bytes, from, at))
}

/// The moment that the other clock called so, counted from 1970.
fn instant(at: Duration) -> Instant {
    loop {
        let before = Instant::now();
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        // Who is kept from the processor between the two clocks takes one for the other.
        if before.elapsed() < Duration::from_micros(50) {
            return before.checked_sub(now.saturating_sub(at)).unwrap_or(before);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{thread, time::Duration};

    use super::*;

    #[test]
    fn a_datagram_came_when_it_came_and_not_when_it_is_read() {
        for ip in ["127.0.0.1:0", "[::1]:0"] {
            let [near, far] = [(); 2].map(|()| UdpSocket::bind(ip).expect("a free port"));
            note(&near);
            // The system begins to note when it has a moment; until then it is when somebody looks.
            thread::sleep(Duration::from_millis(200));
            let before = Instant::now();
            far.send_to(b"sound", near.local_addr().expect("an address")).expect("it is sent");
            let after = Instant::now();
            thread::sleep(Duration::from_millis(60));
            let mut buffer = [0; 16];
            let (length, from, at) = receive(&near, &mut buffer).expect("a datagram");
            assert_eq!((&buffer[..length], from), (&b"sound"[..], far.local_addr().unwrap()));
            // The two clocks are read one after the other.
            let slack = Duration::from_millis(1);
            assert!(at + slack > before && at < after + slack, "{:?} late", at - before);
        }
    }
}
