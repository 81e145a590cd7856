//! Which certificate a client is shown.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use core::fmt;

use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use crate::Identity;

/// The certificates of a server, by the names that clients ask for (RFC 6066, 3).
#[derive(Clone, Debug, Default)]
pub struct Certificates {
    default: Option<Identity>,
    by_name: BTreeMap<Box<str>, Identity>,
}

impl Certificates {
    /// None yet: every handshake fails.
    pub fn new() -> Self {
        Self::default()
    }

    /// For clients that ask for no name, or for one that has no certificate: they see that it is not the one that they want.
    #[must_use]
    pub fn or_else(mut self, identity: Identity) -> Self {
        self.default = Some(identity);
        self
    }

    /// For clients that ask for `name`, which may be `*.example.org` for all names right below that have no certificate of their own.
    ///
    /// # Errors
    ///
    /// [`NameError`] if the certificate is not one for this name.
    pub fn add(&mut self, name: &str, identity: Identity) -> Result<(), NameError> {
        let name = name.to_ascii_lowercase();
        // Of a wildcard any name will do.
        let example = match name.strip_prefix("*.") {
            Some(parent) => ["any.", parent].concat(),
            None => name.clone(),
        };
        if !identity.names(&example) {
            return Err(NameError);
        }
        self.by_name.insert(name.into(), identity);
        Ok(())
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.by_name.len() + usize::from(self.default.is_some())
    }

    fn find(&self, name: Option<&str>) -> Option<&Identity> {
        let named = name.and_then(|name| {
            let name = name.to_ascii_lowercase();
            self.by_name.get(&*name).or_else(|| {
                let (_, parent) = name.split_once('.')?;
                let wildcard: String = ["*.", parent].concat();
                self.by_name.get(&*wildcard)
            })
        });
        named.or(self.default.as_ref())
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = hello.server_name().map(ToString::to_string);
        self.find(name.as_deref())
            .map(|identity| identity.0.clone())
    }
}

/// The certificate is not one for this name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NameError;

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the certificate is not one for this name")
    }
}

impl core::error::Error for NameError {}
