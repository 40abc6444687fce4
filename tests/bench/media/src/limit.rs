//! The limit: a bare epoll loop that receives a packet, looks at its header and sends it on.
//!
//! Every leg has a connected socket, as a real relay has; a packet costs one wait (shared when more
//! are ready), one receive and one send, and nothing else.

use std::net::UdpSocket;

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};

use crate::{
    error::{Error, during},
    ground::{HERE, port, write},
};

/// Longer than any packet that arrives here.
const LARGEST: usize = 2048;

/// Relays so many calls until it is killed; says in the file where they are to be sent.
pub(crate) fn relay(calls: usize, file: &str) -> Result<(), Error> {
    let epoll = Epoll::new(EpollCreateFlags::empty()).map_err(during("epoll"))?;
    let (mut legs, mut ports) = (Vec::with_capacity(calls * 2), Vec::with_capacity(calls));
    for call in 0..calls {
        let pair = [leg(0, call)?, leg(1, call)?];
        let mut own = [0; 2];
        for (own, leg) in own.iter_mut().zip(&pair) {
            *own = leg.local_addr().map_err(during("a leg's port"))?.port();
        }
        for leg in pair {
            let event = EpollEvent::new(EpollFlags::EPOLLIN, legs.len() as u64);
            epoll.add(&leg, event).map_err(during("epoll"))?;
            legs.push(leg);
        }
        ports.push(own);
    }
    write(file, &ports)?;
    forward(&epoll, &legs)
}

fn leg(side: usize, call: usize) -> Result<UdpSocket, Error> {
    let leg = UdpSocket::bind((HERE, 0)).map_err(during("a leg's socket"))?;
    leg.connect((HERE, port(side, call))).map_err(during("a leg's socket"))?;
    leg.set_nonblocking(true).map_err(during("a leg's socket"))?;
    Ok(leg)
}

fn forward(epoll: &Epoll, legs: &[UdpSocket]) -> Result<(), Error> {
    let mut ready = [EpollEvent::empty(); 256];
    let mut packet = [0; LARGEST];
    loop {
        let count = match epoll.wait(&mut ready, EpollTimeout::NONE) {
            Ok(count) => count,
            Err(nix::Error::EINTR) => continue,
            Err(why) => return Err(Error::System("epoll", why.into())),
        };
        for event in ready.iter().take(count) {
            let index = event.data() as usize;
            // The two legs of a call stand beside each other.
            let (Some(from), Some(to)) = (legs.get(index), legs.get(index ^ 1)) else { continue };
            // An error here is the other end's: it has gone or is not there yet.
            let Ok(length) = from.recv(&mut packet) else { continue };
            let Some(heard) = packet.get(..length) else { continue };
            if length >= 12 && heard.first().is_some_and(|first| first >> 6 == 2) {
                let _gone = to.send(heard);
            }
        }
    }
}
