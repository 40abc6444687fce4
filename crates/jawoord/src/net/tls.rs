//! TLS as rustls does it, on ring: who we are, whom we let in, and how we know whom we reached.

use std::{fmt, net::IpAddr, sync::Arc};

use ring::digest::{SHA256, digest};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName, Error, RootCertStore,
    ServerConfig, SignatureScheme,
    client::{
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_cert_signed_by_trust_anchor,
    },
    crypto::{CryptoProvider, ring as provider, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime},
    server::{ParsedCertificate, WebPkiClientVerifier},
    sign::{CertifiedKey, SingleCertAndKey},
};

use super::certificate::{Fault, Names};

/// Whom we expect at the other end of a connection that we open.
#[derive(Clone, PartialEq, Eq)]
pub enum Expected {
    /// Any of these SIP domains; the first one is asked for.
    Names(Box<[Box<str>]>),
    /// An address that the certificate names.
    Address(IpAddr),
    /// One certificate, by the SHA-256 of its DER form; nothing else about it is looked at.
    Pinned([u8; 32]),
}

impl fmt::Debug for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Names(_) => "Names",
            Self::Address(_) => "Address",
            Self::Pinned(_) => "Pinned",
        })
    }
}

/// Who may connect.
#[derive(Debug)]
pub enum Clients {
    /// Anybody; nobody shows a certificate.
    Any,
    /// Who shows a certificate must show one that these signed.
    Optional(RootCertStore),
    /// Only who shows one that these signed.
    Required(RootCertStore),
}

/// What a TLS listener needs for both directions.
pub struct Tls {
    /// For connections to us.
    pub server: Arc<ServerConfig>,
    /// Whether callers are asked for a certificate.
    pub asks: bool,
    own: Arc<CertifiedKey>,
    roots: Arc<RootCertStore>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls")
    }
}

impl Tls {
    /// Puts a certificate chain, its key, the authorities of callers and those of the called
    /// together.
    ///
    /// # Errors
    /// Certificate and key do not belong together, or one cannot be used.
    pub fn new(
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
        clients: Clients,
        roots: RootCertStore,
    ) -> Result<Self, Fault> {
        let crypto = Arc::new(provider::default_provider());
        let own = CertifiedKey::from_der(chain, key, &crypto).map_err(|error| match error {
            Error::InconsistentKeys(_) => Fault::Mismatched,
            _ => Fault::Malformed,
        })?;
        let own = Arc::new(own);
        let authorities = |roots| {
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&crypto))
        };
        let asks = !matches!(clients, Clients::Any);
        let verifier = match clients {
            Clients::Any => None,
            Clients::Optional(roots) => Some(authorities(roots).allow_unauthenticated().build()),
            Clients::Required(roots) => Some(authorities(roots).build()),
        };
        let builder = ServerConfig::builder_with_provider(crypto)
            .with_safe_default_protocol_versions()
            .map_err(|_| Fault::Malformed)?;
        let builder = match verifier {
            None => builder.with_no_client_auth(),
            Some(verifier) => {
                builder.with_client_cert_verifier(verifier.map_err(|_| Fault::Empty)?)
            }
        };
        let keys = Arc::new(SingleCertAndKey::from(Arc::clone(&own)));
        let server = Arc::new(builder.with_cert_resolver(keys));
        Ok(Self { server, asks, own, roots: Arc::new(roots) })
    }

    /// The configuration of one connection of ours. Our certificate is shown to who asks for it.
    ///
    /// # Errors
    /// The provider has no protocol version, which would be a fault of the build.
    pub fn client(&self, expected: Expected) -> Result<ClientConfig, Error> {
        let crypto = Arc::new(provider::default_provider());
        Ok(ClientConfig::builder_with_provider(crypto)
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(self.verifier(expected))
            .with_client_cert_resolver(Arc::new(SingleCertAndKey::from(Arc::clone(&self.own)))))
    }

    /// Who judges the certificate of the one that we connect to.
    pub(super) fn verifier(&self, expected: Expected) -> Arc<dyn ServerCertVerifier> {
        let crypto = Arc::new(provider::default_provider());
        Arc::new(Verifier { expected, roots: Arc::clone(&self.roots), crypto })
    }
}

/// The name that goes into the handshake: that of the domain, or nothing for an address
/// (RFC 6066 §3).
#[must_use]
pub fn server_name(expected: &Expected, address: IpAddr) -> ServerName<'static> {
    let named = match expected {
        Expected::Names(names) => {
            names.first().and_then(|name| ServerName::try_from(name.to_string()).ok())
        }
        Expected::Address(_) | Expected::Pinned(_) => None,
    };
    named.unwrap_or_else(|| ServerName::from(address))
}

/// Looks at the certificate of who answers: signed by an authority of ours, in its time, and for the
/// domain that we meant by the rules of SIP and not by those of the web.
#[derive(Debug)]
struct Verifier {
    expected: Expected,
    roots: Arc<RootCertStore>,
    crypto: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let named = match &self.expected {
            Expected::Pinned(pin) => {
                let same = digest(&SHA256, end).as_ref() == pin;
                return if same {
                    Ok(ServerCertVerified::assertion())
                } else {
                    Err(CertificateError::ApplicationVerificationFailure.into())
                };
            }
            Expected::Names(names) => {
                let shown = Names::of(end);
                names.iter().any(|name| shown.has(name))
            }
            Expected::Address(address) => Names::of(end).has(&address.to_string()),
        };
        let algorithms = self.crypto.signature_verification_algorithms.all;
        let parsed = ParsedCertificate::try_from(end)?;
        let roots = &self.roots;
        verify_server_cert_signed_by_trust_anchor(&parsed, roots, intermediates, now, algorithms)?;
        if named {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(CertificateError::NotValidForName.into())
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.crypto.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.crypto.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.crypto.signature_verification_algorithms.supported_schemes()
    }

    fn root_hint_subjects(&self) -> Option<&[DistinguishedName]> {
        None
    }
}
