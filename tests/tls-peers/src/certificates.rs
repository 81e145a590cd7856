//! The certificates of `net/tls`'s own tests, which are good for a hundred years.

use morgana_tls::Identity;

/// The authority that has signed all of them.
pub const CA: &[u8] = include_bytes!("../../../net/tls/tests/certs/ca.pem");

/// For `example.test`, on P-256: the certificate and its key.
pub const P256: [&[u8]; 2] = [
    include_bytes!("../../../net/tls/tests/certs/p256.cert.pem"),
    include_bytes!("../../../net/tls/tests/certs/p256.key.pem"),
];

/// For `ed.test`, by Ed25519.
pub const ED25519: [&[u8]; 2] = [
    include_bytes!("../../../net/tls/tests/certs/ed25519.cert.pem"),
    include_bytes!("../../../net/tls/tests/certs/ed25519.key.pem"),
];

/// For `rsa.test`, by RSA.
pub const RSA: [&[u8]; 2] = [
    include_bytes!("../../../net/tls/tests/certs/rsa.cert.pem"),
    include_bytes!("../../../net/tls/tests/certs/rsa.key.pem"),
];

/// One of them, read.
///
/// # Panics
///
/// If it is none.
pub fn identity([chain, key]: [&[u8]; 2]) -> Identity {
    Identity::from_pem(chain, key).expect("it is one of the tests'")
}
