//! Serves the page over made-up recordings, for trying it by hand and for the browser test.
//!
//! `cargo run -p jawoord-portal --example page [PORT]` prints the one-time link; every line on
//! standard input prints a new one, and the end of it ends the program.

#[path = "../tests/room/archive.rs"]
#[allow(dead_code, clippy::unwrap_used, reason = "it serves tests, which use more of it")]
mod archive;

use std::{
    io::{self, BufRead},
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use call::Time;
use portal::Portal;
use ring::rand::{SecureRandom, SystemRandom};
use tokio::net::TcpListener;

fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time::from_micros(u64::try_from(since.as_micros()).unwrap_or(u64::MAX))
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let port = std::env::args().nth(1).and_then(|port| port.parse().ok()).unwrap_or(0);
    let mut key = [0; 32];
    SystemRandom::new().fill(&mut key).map_err(|_| io::Error::other("no random numbers"))?;
    let shelf = Arc::new(archive::Shelf::of_a_morning(now()));
    let portal = Portal::new(shelf, key, "Enter in this terminal", now);
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?;
    let address = listener.local_addr()?;
    println!("{}", portal.new_link().url(address));
    let router = portal.router();
    std::thread::spawn(move || {
        for _ in io::stdin().lock().lines() {
            println!("{}", portal.new_link().url(address));
        }
        std::process::exit(0);
    });
    axum::serve(listener, router).await
}
