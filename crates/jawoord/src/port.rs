//! Media ports: even for RTP, the next for RTCP, handed out in turn.

use std::{
    io,
    net::{IpAddr, UdpSocket},
};

use rustix::io::Errno;

/// A pair of bound sockets.
#[derive(Debug)]
pub struct Pair {
    /// RTP, on an even port.
    pub rtp: UdpSocket,
    /// RTCP, on the port above it.
    pub rtcp: UdpSocket,
    /// The RTP port.
    pub port: u16,
}

/// Hands out pairs in turn, so that a port rests as long as the range allows before it is used
/// again and an old peer's late packets meet no new call (row O-04).
#[derive(Debug)]
pub struct Ports {
    address: IpAddr,
    first: u16,
    pairs: u16,
    next: u16,
}

impl Ports {
    /// The pairs between two ports of an address, beginning with any of them: `chance` says which. A
    /// node that begins anew after a crash meets the packets of its old calls nowhere but by chance.
    #[must_use]
    pub const fn new(address: IpAddr, (min, max): (u16, u16), chance: u16) -> Self {
        let pairs = (max - min).div_ceil(2);
        let next = if pairs == 0 { 0 } else { chance % pairs };
        Self { address, first: min, pairs, next }
    }

    /// Binds the next pair that is free. No other pair is tried when there is no descriptor for it.
    ///
    /// # Errors
    /// The last reason why no pair of the range could be bound.
    pub fn bind(&mut self) -> io::Result<Pair> {
        let mut error = io::Error::from(io::ErrorKind::AddrNotAvailable);
        for _ in 0..self.pairs {
            let port = self.first + self.next * 2;
            self.next = (self.next + 1) % self.pairs;
            match bind(self.address, port) {
                Ok(pair) => return Ok(pair),
                Err(failed) if is_exhausted(&failed) => return Err(failed),
                Err(failed) => error = failed,
            }
        }
        Err(error)
    }
}

/// Whether a socket was refused for want of a descriptor, of this process or of the whole machine.
#[must_use]
pub fn is_exhausted(error: &io::Error) -> bool {
    matches!(Errno::from_io_error(error), Some(Errno::MFILE | Errno::NFILE))
}

fn bind(address: IpAddr, port: u16) -> io::Result<Pair> {
    let (rtp, rtcp) = (UdpSocket::bind((address, port))?, UdpSocket::bind((address, port + 1))?);
    rtp.set_nonblocking(true)?;
    rtcp.set_nonblocking(true)?;
    Ok(Pair { rtp, rtcp, port })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An address of loopback on which nothing but this process has ports.
    fn own() -> IpAddr {
        let [_, high, middle, low] = std::process::id().to_be_bytes();
        IpAddr::from([127, 64 | high & 63, middle, low])
    }

    #[test]
    fn pairs_are_even_and_a_taken_one_is_passed_over() {
        let address = own();
        let mut ports = Ports::new(address, (47_310, 47_317), 5);
        let taken = ports.bind().unwrap();
        let mut ports = Ports::new(address, (47_310, 47_317), 5);
        let next = ports.bind().unwrap();
        assert!(next.port.is_multiple_of(2) && next.port != taken.port);
    }

    #[test]
    fn want_of_a_descriptor_is_told_from_a_port_that_is_taken() {
        let of = |errno: Errno| is_exhausted(&io::Error::from(errno));
        assert!(of(Errno::MFILE) && of(Errno::NFILE));
        assert!(!of(Errno::ADDRINUSE) && !is_exhausted(&io::ErrorKind::AddrNotAvailable.into()));
    }

    #[test]
    fn a_range_in_use_is_an_error_and_never_a_wait() {
        let address = own();
        let mut ports = Ports::new(address, (47_320, 47_323), 0);
        let _held = (ports.bind().unwrap(), ports.bind().unwrap());
        assert!(ports.bind().is_err());
    }
}
