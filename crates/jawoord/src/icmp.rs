//! Which of the addresses that we sent datagrams to cannot be reached (RFC 3261 §18.4, row R-16).

use std::{
    io::{self, IoSliceMut},
    net::{SocketAddr, SocketAddrV4, SocketAddrV6},
    os::fd::AsRawFd,
};

use nix::{
    errno::Errno,
    sys::socket::{
        ControlMessageOwned, MsgFlags, RecvMsg, SockaddrStorage, recvmsg, setsockopt, sockopt,
    },
};
use tokio::net::UdpSocket;

/// Room for one error with the address of whoever reported it.
const CONTROL: usize = 256;
/// Errors read in one go; the rest waits for the next.
const MOST: usize = 64;

/// Asks the system to keep the ICMP errors of a socket.
///
/// # Errors
/// The system does not.
pub fn watch(socket: &UdpSocket) -> io::Result<()> {
    if socket.local_addr()?.is_ipv4() {
        setsockopt(socket, sockopt::Ipv4RecvErr, &true)?;
    } else {
        setsockopt(socket, sockopt::Ipv6RecvErr, &true)?;
    }
    Ok(())
}

/// Takes what has been kept: the addresses that refused a datagram or that no way leads to.
pub fn unreachable(socket: &UdpSocket) -> Vec<SocketAddr> {
    let mut addresses = Vec::new();
    for _ in 0..MOST {
        let (mut payload, mut control) = ([0; 1], vec![0_u8; CONTROL]);
        let mut room = [IoSliceMut::new(&mut payload)];
        let flags = MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT;
        let received = recvmsg(socket.as_raw_fd(), &mut room, Some(&mut control), flags);
        let Ok(message) = received else { break };
        if let Some(address) = destination(&message)
            && !addresses.contains(&address)
        {
            addresses.push(address);
        }
    }
    addresses
}

/// Where the datagram went that the error is about, if the error means that nobody is there. One
/// that says only that it was too large does not.
fn destination(message: &RecvMsg<'_, '_, SockaddrStorage>) -> Option<SocketAddr> {
    let code = message.cmsgs().ok()?.find_map(|control| match control {
        ControlMessageOwned::Ipv4RecvErr(error, _) | ControlMessageOwned::Ipv6RecvErr(error, _) => {
            i32::try_from(error.ee_errno).ok()
        }
        // The system's list, not ours; anything else beside the error is of no interest.
        _ => None,
    })?;
    let nobody = matches!(
        Errno::from_raw(code),
        Errno::ECONNREFUSED | Errno::EHOSTUNREACH | Errno::ENETUNREACH | Errno::EHOSTDOWN
    );
    let address = message.address.filter(|_| nobody)?;
    let v4 = address.as_sockaddr_in().map(|v4| SocketAddr::V4(SocketAddrV4::from(*v4)));
    v4.or_else(|| address.as_sockaddr_in6().map(|v6| SocketAddr::V6(SocketAddrV6::from(*v6))))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn refused(own: &str) {
        let socket = UdpSocket::bind(own).await.expect("a socket");
        watch(&socket).expect("errors are kept");
        let gone = UdpSocket::bind(own).await.expect("a port");
        let address = gone.local_addr().expect("an address");
        drop(gone);
        let alive = UdpSocket::bind(own).await.expect("a port");
        let other = alive.local_addr().expect("an address");
        socket.send_to(b"nobody", address).await.expect("the first goes out");
        let mut buffer = [0; 16];
        let error = socket.recv_from(&mut buffer).await.expect_err("nobody is there");
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        assert_eq!(unreachable(&socket), [address]);
        assert_eq!(unreachable(&socket), []);
        socket.send_to(b"somebody", other).await.expect("it goes out");
        let (length, _) = alive.recv_from(&mut buffer).await.expect("it comes in");
        assert_eq!((length, unreachable(&socket)), (8, Vec::new()));
    }

    #[tokio::test]
    async fn r_16_an_address_that_refuses_a_datagram_is_named() {
        refused("127.0.0.1:0").await;
    }

    #[tokio::test]
    async fn r_16_an_ipv6_address_that_refuses_a_datagram_is_named() {
        refused("[::1]:0").await;
    }
}
