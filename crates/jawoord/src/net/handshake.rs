//! A look at a TLS peer: one handshake by the node's own rules, and what was shown in it.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rustls::{
    DigitallySignedStruct, Error, SignatureScheme,
    client::{
        ResolvesClientCert,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    pki_types::{CertificateDer, ServerName, UnixTime},
    sign::CertifiedKey,
};
use tokio::time;
use tokio_rustls::TlsConnector;

use super::{
    task::{self, Why},
    tls::{self, Expected, Tls},
};

/// What came of a handshake.
#[derive(Debug)]
pub struct Handshake {
    /// The certificate chain that the peer has shown, its own first; none when it came to none.
    pub chain: Vec<CertificateDer<'static>>,
    /// Whether it asked for ours.
    pub mutual: bool,
    /// Why a connection would not be made, with the mend; `None` when it is made.
    pub refused: Option<Box<str>>,
}

/// Shakes hands with an address from one of ours and hangs up.
pub async fn look(
    tls: &Tls,
    expected: Expected,
    own: IpAddr,
    to: SocketAddr,
    patience: Duration,
) -> Handshake {
    let seen = Arc::new(Seen::default());
    let result = match connector(tls, &expected, &seen) {
        Ok(connector) => {
            let name = tls::server_name(&expected, to.ip());
            let shaking = async { connector.connect(name, task::connect(own, to).await?).await };
            let shaken = time::timeout(patience, shaking).await;
            shaken.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())).map(drop)
        }
        Err(error) => Err(io::Error::other(error)),
    };
    Handshake {
        chain: seen.chain.get().cloned().unwrap_or_default(),
        mutual: seen.asked.load(Ordering::Acquire),
        refused: result.err().map(|error| Why(&error).to_string().into()),
    }
}

fn connector(tls: &Tls, expected: &Expected, seen: &Arc<Seen>) -> Result<TlsConnector, Error> {
    let mut config = tls.client(expected.clone())?;
    let (verifier, keys) = (tls.verifier(expected.clone()), config.client_auth_cert_resolver);
    config.client_auth_cert_resolver = Arc::new(Keys { keys, seen: Arc::clone(seen) });
    let witness = Witness { verifier, seen: Arc::clone(seen) };
    config.dangerous().set_certificate_verifier(Arc::new(witness));
    Ok(TlsConnector::from(Arc::new(config)))
}

/// What is seen in the course of a handshake, also of one that fails.
#[derive(Debug, Default)]
struct Seen {
    chain: OnceLock<Vec<CertificateDer<'static>>>,
    asked: AtomicBool,
}

/// Remembers the chain and lets the verifier judge it.
#[derive(Debug)]
struct Witness {
    verifier: Arc<dyn ServerCertVerifier>,
    seen: Arc<Seen>,
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        end: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let chain = std::iter::once(end).chain(intermediates);
        let _first = self.seen.chain.set(chain.map(|one| one.clone().into_owned()).collect());
        self.verifier.verify_server_cert(end, intermediates, server_name, ocsp, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}

/// Remembers whether our certificate was asked for.
#[derive(Debug)]
struct Keys {
    keys: Arc<dyn ResolvesClientCert>,
    seen: Arc<Seen>,
}

impl ResolvesClientCert for Keys {
    fn resolve(
        &self,
        root_hint_subjects: &[&[u8]],
        sigschemes: &[SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        self.seen.asked.store(true, Ordering::Release);
        self.keys.resolve(root_hint_subjects, sigschemes)
    }

    fn has_certs(&self) -> bool {
        self.keys.has_certs()
    }
}
