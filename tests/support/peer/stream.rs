//! A peer on a stream, TCP or TLS: what a test writes, what came in, and when it was closed.

use std::{
    io::{ErrorKind, Read, Write},
    net::{IpAddr, SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, SanType};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName},
    server::WebPkiClientVerifier,
};

use super::{draft::Draft, seen::Seen};

const PATIENCE: Duration = Duration::from_secs(4);
/// How long one look at the socket takes.
const GLANCE: Duration = Duration::from_millis(20);

trait Wire: Read + Write + Send {}
impl<T: Read + Write + Send> Wire for T {}

/// One end of a connection to the node.
pub struct Stream {
    /// Our end.
    pub own: SocketAddr,
    /// The node's end.
    pub node: SocketAddr,
    /// The certificate that the node has shown.
    pub shown: Option<CertificateDer<'static>>,
    wire: Box<dyn Wire>,
    octets: Vec<u8>,
    waiting: Vec<Seen>,
    closed: bool,
}

impl Stream {
    /// Connects to the node.
    ///
    /// # Panics
    /// It does not take connections.
    #[must_use]
    pub fn to(node: SocketAddr) -> Self {
        let stream = TcpStream::connect(node).expect("a connection");
        Self::over(stream, node, None, |stream| Box::new(stream))
    }

    /// Connects to the node under TLS, as whoever has this certificate.
    ///
    /// # Errors
    /// The handshake fails, or the node closes the connection after it.
    ///
    /// # Panics
    /// It does not take connections.
    pub fn secured(
        node: SocketAddr,
        ca: &Authority,
        as_who: Option<&Paper>,
    ) -> Result<Self, String> {
        let mut stream = TcpStream::connect(node).expect("a connection");
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(ca.roots());
        let config = match as_who {
            Some(paper) => {
                builder.with_client_auth_cert(paper.chain(), paper.key()).expect("a pair")
            }
            None => builder.with_no_client_auth(),
        };
        let name = ServerName::try_from("node.example").expect("a name");
        let mut tls = ClientConnection::new(Arc::new(config), name).expect("a client");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
        while tls.is_handshaking() {
            tls.complete_io(&mut stream).map_err(|error| error.to_string())?;
        }
        let shown = tls.peer_certificates().and_then(<[_]>::first).cloned();
        Ok(Self::over(stream, node, shown, |stream| Box::new(StreamOwned::new(tls, stream))))
    }

    fn over(
        stream: TcpStream,
        node: SocketAddr,
        shown: Option<CertificateDer<'static>>,
        wire: impl FnOnce(TcpStream) -> Box<dyn Wire>,
    ) -> Self {
        stream.set_nodelay(true).expect("an option");
        stream.set_read_timeout(Some(GLANCE)).expect("a time-out");
        let own = stream.local_addr().expect("an address");
        let wire = wire(stream);
        let (octets, waiting) = (Vec::new(), Vec::new());
        Self { own, node, shown, wire, octets, waiting, closed: false }
    }

    /// Writes a message.
    pub fn send(&mut self, draft: &Draft) {
        self.write(&draft.wire());
    }

    /// Writes any octets. A connection that the node has closed takes them in silence.
    pub fn write(&mut self, octets: &[u8]) {
        let _closed = self.wire.write_all(octets).and_then(|()| self.wire.flush());
    }

    /// Waits for a request of this method or a response with this status, and takes it.
    ///
    /// # Panics
    /// None comes.
    pub fn expect(&mut self, what: &str) -> Seen {
        let until = Instant::now() + PATIENCE;
        loop {
            let is = |seen: &Seen| {
                seen.method() == Some(what)
                    || seen.status().is_some_and(|status| status.to_string() == what)
            };
            if let Some(place) = self.waiting.iter().position(is) {
                return self.waiting.remove(place);
            }
            let waiting: Vec<_> = self.waiting.iter().map(|seen| seen.text.as_str()).collect();
            assert!(
                Instant::now() < until && !self.closed,
                "no {what} by the stream (closed: {}); there is:\n{}",
                self.closed,
                waiting.join("\n")
            );
            self.look();
        }
    }

    /// The statuses of the responses that come until there are so many, in four seconds at most; where
    /// none is wanted, those of 30 ms.
    pub fn says(&mut self, enough: usize) -> Vec<u16> {
        let patience = if enough == 0 { Duration::from_millis(30) } else { PATIENCE };
        let until = Instant::now() + patience;
        while self.waiting.len() < enough.max(1) && !self.closed && Instant::now() < until {
            self.look();
        }
        self.waiting.drain(..).filter_map(|seen| seen.status()).collect()
    }

    /// Waits for these octets in front of everything else, and takes them.
    ///
    /// # Panics
    /// They do not come.
    pub fn expect_octets(&mut self, wanted: &[u8]) {
        let until = Instant::now() + PATIENCE;
        while !self.octets.starts_with(wanted) {
            assert!(Instant::now() < until && !self.closed, "{:?}", self.octets);
            self.look();
        }
        self.octets.drain(..wanted.len());
    }

    /// Whether the node closes the connection within so long.
    pub fn closes(&mut self, within: Duration) -> bool {
        let until = Instant::now() + within;
        while !self.closed && Instant::now() < until {
            self.look();
        }
        self.closed
    }

    fn look(&mut self) {
        let mut buffer = [0; 65_536];
        match self.wire.read(&mut buffer) {
            Ok(0) => self.closed = true,
            Ok(length) => self.octets.extend(&buffer[..length]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => self.closed = true,
        }
        while let Some(seen) = self.message() {
            self.waiting.push(seen);
        }
    }

    /// Cuts the next message off, by its Content-Length.
    fn message(&mut self) -> Option<Seen> {
        let letter = self.octets.first()?.is_ascii_alphabetic();
        let head =
            self.octets.windows(4).position(|four| four == b"\r\n\r\n").filter(|_| letter)?;
        let text = String::from_utf8_lossy(&self.octets[..head]).into_owned();
        let stated = text.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("Content-Length")
                .then(|| value.trim().parse::<usize>().ok())?
        });
        let end = head + 4 + stated.expect("what goes over a stream says how long it is");
        let octets: Vec<u8> = self.octets.get(..end)?.to_vec();
        self.octets.drain(..end);
        let text = String::from_utf8_lossy(&octets).into_owned();
        Some(Seen { at: Instant::now(), from: self.node, octets, text })
    }
}

/// Takes connections from the node.
pub struct Ear {
    /// Where.
    pub own: SocketAddr,
    listener: TcpListener,
}

impl Ear {
    /// Listens on this address.
    ///
    /// # Panics
    /// It is taken.
    #[must_use]
    pub fn at(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).expect("a free port");
        listener.set_nonblocking(true).expect("an option");
        Self { own: listener.local_addr().expect("an address"), listener }
    }

    /// The next connection and who made it; whoever has left again can no longer be asked.
    fn next(&self, within: Duration) -> Option<(TcpStream, SocketAddr)> {
        let until = Instant::now() + within;
        while Instant::now() < until {
            if let Ok((stream, node)) = self.listener.accept() {
                stream.set_nonblocking(false).expect("an option");
                return Some((stream, node));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        None
    }

    /// The next connection of the node.
    ///
    /// # Panics
    /// None comes.
    #[must_use]
    pub fn accept(&self) -> Stream {
        let (stream, node) = self.next(PATIENCE).expect("a connection");
        Stream::over(stream, node, None, |stream| Box::new(stream))
    }

    /// The next connection of the node, under TLS; who connects must be known to the authority.
    ///
    /// # Errors
    /// The handshake fails.
    ///
    /// # Panics
    /// No connection comes.
    pub fn accept_secured(&self, ca: &Authority, paper: &Paper) -> Result<Stream, String> {
        let (mut stream, node) = self.next(PATIENCE).expect("a connection");
        let provider = Arc::new(ring::default_provider());
        let roots = Arc::new(ca.roots());
        let callers = WebPkiClientVerifier::builder_with_provider(roots, Arc::clone(&provider));
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_client_cert_verifier(callers.build().expect("a verifier"))
            .with_single_cert(paper.chain(), paper.key())
            .expect("a pair");
        let mut tls = ServerConnection::new(Arc::new(config)).expect("a server");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
        while tls.is_handshaking() {
            tls.complete_io(&mut stream).map_err(|error| error.to_string())?;
        }
        Ok(Stream::over(stream, node, None, |stream| Box::new(StreamOwned::new(tls, stream))))
    }
}

/// Who signs certificates in a test.
pub struct Authority {
    certificate: CertificateDer<'static>,
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate and its key.
pub struct Paper {
    certificate: CertificateDer<'static>,
    certificate_pem: String,
    key: KeyPair,
}

impl Authority {
    /// One that nobody else trusts.
    ///
    /// # Panics
    /// The machine gives no key.
    #[must_use]
    pub fn new() -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "the tests' authority");
        let certificate = params.self_signed(&key).expect("a certificate");
        let (der, pem) = (certificate.der().clone(), certificate.pem());
        Self { certificate: der, pem, issuer: Issuer::new(params, key) }
    }

    /// Signs a certificate for a DNS name.
    ///
    /// # Panics
    /// It is no name.
    #[must_use]
    pub fn signs(&self, name: &str) -> Paper {
        self.signs_until(name, 4_000)
    }

    /// Signs a certificate for a DNS name that is good until this year begins.
    ///
    /// # Panics
    /// It is no name.
    #[must_use]
    pub fn signs_until(&self, name: &str, year: i32) -> Paper {
        self.certifies(name, None, year)
    }

    /// Signs a certificate for a DNS name and an address.
    ///
    /// # Panics
    /// It is no name.
    #[must_use]
    pub fn signs_at(&self, name: &str, address: IpAddr) -> Paper {
        self.certifies(name, Some(address), 4_000)
    }

    fn certifies(&self, name: &str, address: Option<IpAddr>, year: i32) -> Paper {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::default();
        params.not_after = rcgen::date_time_ymd(year, 1, 1);
        // Who has its issuer's name has signed itself, as OpenSSL sees it.
        params.distinguished_name.push(DnType::CommonName, name);
        params.subject_alt_names = vec![SanType::DnsName(name.try_into().expect("a name"))];
        params.subject_alt_names.extend(address.map(SanType::IpAddress));
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        let certificate_pem = certificate.pem();
        Paper { certificate: certificate.der().clone(), certificate_pem, key }
    }

    fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).expect("an authority");
        roots
    }

    /// Writes the authority's certificate into a folder.
    ///
    /// # Panics
    /// The disk does not take it.
    #[must_use]
    pub fn file(&self, folder: &Path) -> PathBuf {
        let path = folder.join("ca.pem");
        std::fs::write(&path, &self.pem).expect("a file");
        path
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

impl Paper {
    /// The certificate itself.
    #[must_use]
    pub const fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    fn chain(&self) -> Vec<CertificateDer<'static>> {
        vec![self.certificate.clone()]
    }

    fn key(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::Pkcs8(self.key.serialize_der().into())
    }

    /// Writes certificate and key into a folder: `own.pem` and `own.key`.
    ///
    /// # Panics
    /// The disk does not take them.
    pub fn write(&self, folder: &Path) -> (PathBuf, PathBuf) {
        let (certificate, key) = (folder.join("own.pem"), folder.join("own.key"));
        std::fs::write(&certificate, &self.certificate_pem).expect("a file");
        std::fs::write(&key, self.key.serialize_pem()).expect("a file");
        (certificate, key)
    }
}
