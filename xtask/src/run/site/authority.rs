//! A certificate authority of one's own, and a server's certificate by it, kept in the cache folder.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use time::OffsetDateTime;

/// How long what is made is good: what browsers take from an authority of one's own, and less than the 398 days that they take from others.
const GOOD: Duration = Duration::from_secs(397 * DAY);
/// After which it is made anew.
const RENEWED: Duration = Duration::from_secs(300 * DAY);
const DAY: u64 = 24 * 60 * 60;

/// The files of a name's certificate.
#[derive(Clone, Debug)]
pub(super) struct Certificate {
    /// The authority's certificate, which clients are to trust.
    pub(super) authority: PathBuf,
    /// The server's certificate.
    pub(super) chain: PathBuf,
    /// Its key.
    pub(super) key: PathBuf,
}

impl Certificate {
    /// That of `name`, of `folder`; made if it is not there or becomes old. The authority's key is not kept: it signs once.
    pub(super) fn of(name: &str, folder: &Path) -> Result<Certificate> {
        let file = |name: &str| folder.join(name);
        let certificate = Certificate {
            authority: file("ca.pem"),
            chain: file("cert.pem"),
            key: file("key.pem"),
        };
        if !certificate.is_good() {
            certificate
                .make(name)
                .with_context(|| format!("cannot make a certificate for {name}"))?;
        }
        Ok(certificate)
    }

    fn is_good(&self) -> bool {
        let young = |file: &PathBuf| {
            let age = file.metadata().ok()?.modified().ok()?.elapsed().ok()?;
            Some(age < RENEWED)
        };
        [&self.authority, &self.chain, &self.key]
            .iter()
            .all(|file| young(file) == Some(true))
    }

    fn make(&self, name: &str) -> Result<()> {
        let mut authority = params(Vec::new(), &format!("Test authority of {name}"))?;
        authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate()?;
        let trusted = authority.self_signed(&key)?.pem();
        let issuer = Issuer::new(authority, key);

        let names = vec![name.to_owned(), format!("www.{name}")];
        let mut server = params(names, name)?;
        server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        server.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate()?;
        let chain = server.signed_by(&key, &issuer)?.pem();

        write(&self.authority, 0o644, &trusted)?;
        write(&self.key, 0o600, &key.serialize_pem())?;
        write(&self.chain, 0o644, &chain)
    }
}

fn params(names: Vec<String>, common: &str) -> Result<CertificateParams> {
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    let at = |time: Duration| OffsetDateTime::from_unix_timestamp(time.as_secs() as i64);
    // A clock may be a little behind.
    params.not_before = at(now.saturating_sub(Duration::from_secs(DAY)))?;
    params.not_after = at(now + GOOD - Duration::from_secs(DAY))?;
    Ok(params)
}

/// Writes a file that has `mode` from its beginning.
fn write(path: &Path, mode: u32, text: &str) -> Result<()> {
    // One that is there keeps its own mode.
    let _ = fs::remove_file(path);
    let file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes()))
        .with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::Certificate;

    #[test]
    fn a_key_is_for_its_owner_and_all_is_kept() {
        let folder = std::env::temp_dir().join(format!("morgana-ca-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let made = Certificate::of("morgana.test", &folder).unwrap();
        let mode = made.key.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let chain = std::fs::read(&made.chain).unwrap();
        assert!(chain.starts_with(b"-----BEGIN CERTIFICATE-----"));
        let again = Certificate::of("morgana.test", &folder).unwrap();
        assert_eq!(std::fs::read(&again.chain).unwrap(), chain);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
