//! Certificates in an archive: `tls/cert.pem` and `tls/key.pem` for everybody, `tls/NAME/cert.pem` and `tls/NAME/key.pem` for who asks for `NAME`.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use morgana::Files;
use morgana::Platform;
use morgana::tar::{Kind, ReadError};
use morgana_tls::{Certificates, Identity, IdentityError, NameError};

/// The folder.
const FOLDER: &str = "tls/";
/// A chain of certificates, that of the server first.
const CHAIN: &str = "cert.pem";
/// The key of the first one.
const KEY: &str = "key.pem";
/// Bytes of a file.
const MOST: usize = 64 * 1024;
/// Names with certificates of their own.
const NAMES: usize = 64;

/// Takes all certificates of the archive into memory. One that is wrong spoils them all, so that what an operator sees is all or nothing.
pub(crate) async fn load<P: Platform>(files: &Files<P>) -> Result<Certificates, LoadError> {
    let mut certificates = Certificates::new();
    for entry in files.entries().filter(|entry| entry.kind() == Kind::File) {
        let Some(name) = entry.path().strip_prefix(FOLDER) else {
            continue;
        };
        let Some(name) = name.strip_suffix(CHAIN) else {
            continue;
        };
        let error = |why| LoadError::new(entry.path(), why);
        let identity = identity(files, entry.path()).await?;
        certificates = match name.strip_suffix('/') {
            None if name.is_empty() => certificates.or_else(identity),
            Some(name) if !name.contains('/') => {
                let mut certificates = certificates;
                certificates
                    .add(name, identity)
                    .map_err(|why| error(why.into()))?;
                certificates
            }
            // Something else that is called so.
            _ => certificates,
        };
        if certificates.count() > NAMES {
            return Err(error(Why::TooMany));
        }
    }
    match certificates.count() {
        0 => Err(LoadError::new("tls/cert.pem", Why::Missing)),
        _ => Ok(certificates),
    }
}

/// The chain at `path`, and the key beside it.
async fn identity<P: Platform>(files: &Files<P>, path: &str) -> Result<Identity, LoadError> {
    let chain = read(files, path).await?;
    let key_path = [path.strip_suffix(CHAIN).unwrap_or(path), KEY].concat();
    let key = read(files, &key_path).await?;
    Identity::from_pem(&chain, &key).map_err(|why| {
        let path = match why {
            IdentityError::NoKey | IdentityError::Key | IdentityError::OtherKey => &*key_path,
            _ => path,
        };
        LoadError::new(path, why.into())
    })
}

async fn read<P: Platform>(files: &Files<P>, path: &str) -> Result<Vec<u8>, LoadError> {
    let entry = files.find(path);
    let entry = entry.ok_or_else(|| LoadError::new(path, Why::Missing))?;
    let contents = files.read(&entry, MOST).await;
    contents.map_err(|why| LoadError::new(path, Why::Unread(why)))
}

/// Which file is wrong, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct LoadError {
    path: String,
    why: Why,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Why {
    Missing,
    TooMany,
    Unread(ReadError),
    Identity(IdentityError),
    Name(NameError),
}

impl LoadError {
    fn new(path: &str, why: Why) -> Self {
        let path = path.to_string();
        Self { path, why }
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        f.write_str(": ")?;
        match self.why {
            Why::Missing => f.write_str("there is no such file"),
            Why::TooMany => write!(f, "more than {NAMES} certificates"),
            Why::Unread(error) => error.fmt(f),
            Why::Identity(error) => error.fmt(f),
            Why::Name(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for LoadError {}

impl From<IdentityError> for Why {
    fn from(error: IdentityError) -> Self {
        Self::Identity(error)
    }
}

impl From<NameError> for Why {
    fn from(error: NameError) -> Self {
        Self::Name(error)
    }
}
