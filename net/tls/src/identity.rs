//! Who a server is: a chain of certificates and the key of the first one.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use rustls::Error as Rustls;
use rustls::client::verify_server_name;
use rustls::crypto::CryptoProvider;
use rustls::server::ParsedCertificate;
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};

/// Certificates in a chain.
const CHAIN: usize = 8;

/// A certificate with its chain and its key.
#[derive(Clone, Debug)]
pub struct Identity(pub(crate) Arc<CertifiedKey>);

impl Identity {
    /// From PEM (RFC 7468): the chain, its own certificate first, and the private key (PKCS #8, PKCS #1 or SEC 1; ECDSA on P-256 or P-384, Ed25519, or RSA of
    /// 2,048 to 8,192 bits).
    ///
    /// # Errors
    ///
    /// [`IdentityError`].
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, IdentityError> {
        let certificates = CertificateDer::pem_slice_iter(chain)
            .take(CHAIN + 1)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| IdentityError::Pem)?;
        if certificates.is_empty() {
            return Err(IdentityError::NoCertificate);
        }
        if certificates.len() > CHAIN {
            return Err(IdentityError::ChainTooLong);
        }
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| IdentityError::NoKey)?;
        let provider = provider();
        let identity = CertifiedKey::from_der(certificates, key, &provider);
        identity
            .map(|key| Self(Arc::new(key)))
            .map_err(|error| match error {
                Rustls::InconsistentKeys(_) => IdentityError::OtherKey,
                Rustls::InvalidCertificate(_) => IdentityError::Certificate,
                _ => IdentityError::Key,
            })
    }

    /// Whether the certificate is one for this name.
    pub fn names(&self, name: &str) -> bool {
        let Ok(name) = ServerName::try_from(name) else {
            return false;
        };
        let own = self.0.cert.first().map(ParsedCertificate::try_from);
        matches!(own, Some(Ok(own)) if verify_server_name(&own, &name).is_ok())
    }
}

/// The cryptography.
pub(crate) fn provider() -> CryptoProvider {
    rustls::crypto::ring::default_provider()
}

/// Why these are no certificates with their key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IdentityError {
    /// The certificates' file is not PEM.
    Pem,
    /// There is no certificate in it.
    NoCertificate,
    /// There are more than eight.
    ChainTooLong,
    /// The first one is no certificate.
    Certificate,
    /// There is no private key in the key's file.
    NoKey,
    /// The key is broken, or of a kind that is not supported.
    Key,
    /// The key is not that of the first certificate.
    OtherKey,
}

impl fmt::Display for IdentityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pem => "the certificates are not in PEM",
            Self::NoCertificate => "there is no certificate in PEM",
            Self::ChainTooLong => "there are more than eight certificates",
            Self::Certificate => "the first certificate is broken",
            Self::NoKey => "there is no private key in PEM",
            Self::Key => "the private key is broken or of a kind that is not supported",
            Self::OtherKey => "the private key is not that of the first certificate",
        })
    }
}

impl core::error::Error for IdentityError {}
