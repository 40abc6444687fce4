//! The tasks: one for each socket, one for each connection. They decide nothing.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use rustls::pki_types::{CertificateDer, ServerName};
use sip::Remote;
use socket2::{SockRef, TcpKeepalive};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpSocket, TcpStream, UdpSocket},
    sync::mpsc,
    time,
};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::icmp;

use super::{
    certificate::Names,
    connection::{self, Ends, Letter, Patience, Said},
    sign::{Inlet, Sign},
    table::Number,
    tls::Tls,
};

/// The largest datagram there is (row R-15).
const DATAGRAM: usize = 65_535;
/// After how long a silent connection is asked by the system whether its far end still exists.
const PROBE: Duration = Duration::from_secs(60);
/// How long the far end's system may leave unacknowledged what we have written, or a probe (RFC 5482).
/// Where the power has failed nobody closes a connection, and without this a call would learn of it by
/// timer B only. It is enough for five repetitions of a lost segment.
const UNACKNOWLEDGED: Duration = Duration::from_secs(5);
/// How long a listener rests that could not accept.
const REST: Duration = Duration::from_millis(50);

/// The address as peers are known by: an IPv4 one is never written as IPv6 (row S-10).
fn inward(from: SocketAddr) -> SocketAddr {
    SocketAddr::new(from.ip().to_canonical(), from.port())
}

/// The address as a socket wants it: one of the other family is written in its own.
pub(super) fn outward(own: IpAddr, to: SocketAddr) -> SocketAddr {
    match (own, to.ip()) {
        (IpAddr::V6(_), IpAddr::V4(ip)) => {
            SocketAddr::new(IpAddr::V6(ip.to_ipv6_mapped()), to.port())
        }
        (IpAddr::V4(_) | IpAddr::V6(_), _) => to,
    }
}

/// Reads datagrams until the loop is gone.
pub(super) async fn receive(socket: Arc<UdpSocket>, own: Remote, signs: Inlet) {
    let mut buffer = vec![0; DATAGRAM];
    loop {
        match socket.recv_from(&mut buffer).await {
            Ok((length, source)) => {
                let octets = buffer.get(..length).unwrap_or_default().to_vec();
                let remote = Remote { address: inward(source), ..own };
                if signs.take(Sign::Datagram { remote, octets }).await.is_err() {
                    return;
                }
            }
            // An ICMP answer to something that we sent.
            Err(error) => {
                tracing::debug!(kind = ?error.kind(), "receiving SIP");
                for address in icmp::unreachable(&socket) {
                    let remote = Remote { address: inward(address), ..own };
                    if signs.take(Sign::Refused { remote }).await.is_err() {
                        return;
                    }
                }
            }
        }
    }
}

/// Accepts connections until the loop is gone.
pub(super) async fn accept(listener: TcpListener, own: Remote, signs: Inlet) {
    loop {
        match listener.accept().await {
            Ok((stream, source)) => {
                let remote = Remote { address: inward(source), ..own };
                if signs.take(Sign::Knock { remote, stream }).await.is_err() {
                    return;
                }
            }
            Err(error) => {
                // Out of descriptors, most likely: others must end before one can begin.
                tracing::warn!(kind = ?error.kind(), "a SIP listener failed to accept");
                time::sleep(REST).await;
            }
        }
    }
}

/// How a connection of ours is secured: with what, and by which name it asks.
pub(super) type Secured = (TlsConnector, ServerName<'static>);

/// A connection's task.
pub(super) struct Task {
    /// Which.
    pub(super) number: Number,
    /// What is to be written.
    pub(super) queue: mpsc::Receiver<Letter>,
    /// The way to that queue.
    pub(super) own: mpsc::WeakSender<Letter>,
    /// The way to the loop.
    pub(super) signs: Inlet,
    /// How long it waits for what.
    pub(super) patience: Patience,
}

impl Task {
    /// Serves a connection that was opened to us.
    pub(super) async fn answer(self, stream: TcpStream, tls: Option<Arc<Tls>>) {
        settle(&stream);
        let Some(tls) = tls else { return self.serve(stream, false).await };
        let shaking = TlsAcceptor::from(Arc::clone(&tls.server)).accept(stream);
        match time::timeout(self.patience.message, shaking).await {
            Ok(Ok(stream)) => {
                self.shown(stream.get_ref().1.peer_certificates()).await;
                self.serve(stream, false).await;
            }
            Ok(Err(error)) => {
                tracing::info!(why = %Why(&error), "a TLS connection to us was not made");
                self.over().await;
            }
            Err(_) => self.over().await,
        }
    }

    /// Opens a connection from one of our addresses and serves it.
    pub(super) async fn dial(self, own: IpAddr, to: SocketAddr, secured: Option<Secured>) {
        let wait = self.patience.connect;
        match secured {
            None => match time::timeout(wait, connect(own, to)).await {
                Ok(Ok(stream)) => self.serve(stream, true).await,
                Ok(Err(_)) | Err(_) => self.over().await,
            },
            Some((connector, name)) => {
                let shaking = async { connector.connect(name, connect(own, to).await?).await };
                match time::timeout(wait, shaking).await {
                    Ok(Ok(stream)) => {
                        self.shown(stream.get_ref().1.peer_certificates()).await;
                        self.serve(stream, true).await;
                    }
                    Ok(Err(error)) => {
                        tracing::warn!(why = %Why(&error), "a TLS connection of ours was not made");
                        self.over().await;
                    }
                    Err(_) => self.over().await,
                }
            }
        }
    }

    async fn serve(self, stream: impl AsyncRead + AsyncWrite + Unpin, ours: bool) {
        let Self { number, queue, own, signs, patience } = self;
        let hear = |said| {
            let sign = match said {
                Said::Message(octets) => Sign::Message { number, octets },
                Said::End(why) => {
                    if let Some(error) = why.filter(|error| ours && is_alert(error)) {
                        tracing::warn!(why = %Why(&error), "a TLS connection of ours was ended");
                    }
                    Sign::Over { number }
                }
                Said::Unsent(letters) => Sign::Unsent { letters },
            };
            let signs = &signs;
            async move { signs.take(sign).await.is_ok() }
        };
        connection::serve(stream, Ends { queue, own, hear, ours }, patience).await;
    }

    async fn shown(&self, chain: Option<&[CertificateDer<'static>]>) {
        if let Some(first) = chain.and_then(<[_]>::first) {
            let sign = Sign::Shown { number: self.number, names: Names::of(first) };
            let _stopping = self.signs.take(sign).await;
        }
    }

    async fn over(&self) {
        let _stopping = self.signs.take(Sign::Over { number: self.number }).await;
    }
}

pub(super) async fn connect(own: IpAddr, to: SocketAddr) -> io::Result<TcpStream> {
    let to = outward(own, to);
    let socket = if to.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // From the address that the peer knows; its port is anybody's.
    socket.bind(SocketAddr::new(own, 0))?;
    let stream = socket.connect(to).await?;
    settle(&stream);
    Ok(stream)
}

/// Small messages go at once, and a far end that is gone is noticed. Neither is worth a connection.
fn settle(stream: &TcpStream) {
    let _slower = stream.set_nodelay(true);
    let probe = TcpKeepalive::new().with_time(PROBE).with_interval(PROBE / 4);
    let socket = SockRef::from(stream);
    let _unnoticed = socket.set_tcp_keepalive(&probe);
    let _unnoticed = socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED));
}

/// Whether the other side has ended TLS with an alert. With TLS 1.3 it looks at our certificate only
/// when the handshake is over for us (RFC 8446 §2).
fn is_alert(error: &io::Error) -> bool {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    matches!(inner, Some(rustls::Error::AlertReceived(_)))
}

/// Why a handshake failed, without the names that a certificate holds.
pub(super) struct Why<'a>(pub(super) &'a io::Error);

impl std::fmt::Display for Why<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        use rustls::{CertificateError, Error};
        let inner = self.0.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
        f.write_str(match inner {
            Some(Error::InvalidCertificate(fault)) => match fault {
                CertificateError::NotValidForName => {
                    "its certificate is not for the peer's `tls_names`; correct the one or the other"
                }
                CertificateError::UnknownIssuer => {
                    "no authority that we trust signed its certificate; see `listener.tls`"
                }
                CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                    "its certificate has expired; its owner must renew it"
                }
                CertificateError::ApplicationVerificationFailure => {
                    "its certificate is not the one that `lab_pinned_sha256` names"
                }
                _ => "its certificate is not good",
            },
            Some(Error::NoCertificatesPresented) => {
                "it showed no certificate, and `require_client_certificate` asks for one"
            }
            Some(Error::AlertReceived(_)) => "the other side does not accept our certificate",
            Some(_) => "the two sides do not speak the same TLS; 1.2 is the oldest here",
            None => "the other side does not answer, or ends it",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn s_08_a_far_end_that_vanishes_without_a_word_is_noticed_within_seconds_either_way() {
        let local = IpAddr::from([127, 0, 0, 1]);
        let listener = TcpListener::bind((local, 0)).await.unwrap();
        let ours = connect(local, listener.local_addr().unwrap()).await.unwrap();
        let (theirs, _) = listener.accept().await.unwrap();
        settle(&theirs);
        for stream in [ours, theirs] {
            let socket = SockRef::from(&stream);
            assert_eq!(socket.tcp_user_timeout().unwrap(), Some(UNACKNOWLEDGED));
            assert!(socket.keepalive().unwrap());
        }
    }

    #[test]
    fn s_10_an_ipv4_address_is_itself_whatever_the_socket() {
        let four: SocketAddr = "192.0.2.9:5060".parse().unwrap();
        let mapped: SocketAddr = "[::ffff:192.0.2.9]:5060".parse().unwrap();
        assert_eq!(inward(mapped), four);
        assert_eq!(outward("::".parse().unwrap(), four), mapped);
        assert_eq!(outward("0.0.0.0".parse().unwrap(), four), four);
        let six: SocketAddr = "[2001:db8::9]:5060".parse().unwrap();
        assert_eq!((inward(six), outward("::".parse().unwrap(), six)), (six, six));
    }
}
