//! Signed zones, with ldns' tool and always the same key: a seed determines all octets, since Ed25519 signatures are determined by what they sign
//! (RFC 8032) and their times are fixed.

use std::fs;
use std::io;

use morgana_peer_programs::Folder;
use morgana_peer_programs::Packages;

/// How a zone is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signing {
    /// Not at all.
    Unsigned,
    /// With NSEC (RFC 4034).
    Nsec,
    /// With NSEC3 (RFC 5155), hashed so many times more than once.
    Nsec3(u8),
    /// With NSEC3, and without a proof for delegations that are not signed (RFC 5155, section 6).
    OptOut,
}

/// A key that signs all zones, and keeps nothing safe.
const PRIVATE: &str = "Private-key-format: v1.2\nAlgorithm: 15 (ED25519)\n\
                       PrivateKey: JAuZY57XpwucJ3bGYlfBdvB72+dCuPduGeJUWJXN/8k=\n";
const PUBLIC: &str = "IN DNSKEY 257 3 15 7mmz6gExfbXZSqr+oJbl9chCtHbbODGSYFeDEct75Po=";

/// Signs the zone `text`.
///
/// # Errors
///
/// Those of the files and of the tool.
pub(crate) fn sign(
    packages: &Packages,
    origin: &str,
    text: &str,
    signing: Signing,
) -> io::Result<String> {
    let folder = Folder::new()?;
    let path = |name: &str| folder.path().join(name);
    fs::write(path("zone"), text)?;
    fs::write(path("key.private"), PRIVATE)?;
    fs::write(path("key.key"), format!("{origin} {PUBLIC}\n"))?;
    let mut command = packages.command("usr/bin/ldns-signzone");
    command.args(["-o", origin, "-i", "20260101000000", "-e", "20360101000000"]);
    match signing {
        Signing::Unsigned => return Ok(text.to_owned()),
        Signing::Nsec => {}
        Signing::Nsec3(0) => drop(command.args(["-n", "-t", "0"])),
        Signing::Nsec3(more) => drop(command.args(["-n", "-s", "abcd", "-t", &more.to_string()])),
        Signing::OptOut => drop(command.args(["-n", "-p", "-t", "0"])),
    }
    let done = command
        .arg("-f")
        .args([path("signed"), path("zone"), path("key")])
        .output()?;
    if !done.status.success() {
        let said = String::from_utf8_lossy(&done.stderr);
        return Err(io::Error::other(format!("ldns-signzone: {said}")));
    }
    fs::read_to_string(path("signed"))
}
