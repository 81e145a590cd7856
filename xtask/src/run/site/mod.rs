//! `cargo xtask run site`: the project's website and the name server of its name, each a domain of its own.

mod authority;
mod zone;

use std::fs;
use std::net::Ipv4Addr;
use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};

use self::authority::Certificate;
use super::disks::{Disk, pack};
use super::plan::{Announce, Plan};
use super::{linux, ports, xen};
use crate::cache::Cache;
use crate::cli::{On, PortPair, Run, Target};
use crate::testbed::{Access, Protocol};
use crate::workspace::Workspace;

pub(crate) use zone::zone;

/// What is typed in place of an app's name.
pub(super) const NAME: &str = "site";
/// The name that the site has if none is given: one that nobody can own (RFC 6761 section 6.2).
const DOMAIN: &str = "morgana.test";

/// The apps, and their addresses in the testbed's network.
const DNS: &str = "dns";
const WEBSITE: &str = "website-tls";
/// The name server's.
pub(crate) const DNS_ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 53);
/// The ports of the host, if they are free.
const FORWARDS: [(Protocol, u16, u16); 2] = [(Protocol::Tcp, 8080, 80), (Protocol::Tcp, 8443, 443)];

/// The disks of a site.
#[derive(Clone, Debug)]
pub(crate) struct Disks {
    /// Zone files.
    pub(crate) zones: PathBuf,
    /// Certificates and their keys.
    pub(crate) certificates: PathBuf,
    /// The certificate that clients are to trust.
    pub(crate) authority: PathBuf,
}

/// Makes both disks for a name that is at `address`.
pub(crate) fn disks(domain: &str, address: Ipv4Addr) -> Result<Disks> {
    let text = zone(domain, address, xen::ADDRESS, DNS_ADDRESS)?;
    let cache = Cache::open()?;
    let folder = cache.folder(&format!("site/{domain}"))?;
    let certificate = Certificate::of(domain, &folder)?;
    let write = |name: &str, bytes: &[u8]| -> Result<()> {
        let path = folder.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))
    };
    write(&format!("zones/{domain}.zone"), text.as_bytes())?;
    let disks = Disks {
        zones: folder.join("zones.tar"),
        certificates: folder.join("certificates.tar"),
        authority: certificate.authority.clone(),
    };
    pack(&folder.join("zones"), &disks.zones)?;
    // For each of the two its file, by the name that the website knows.
    let tls = folder.join("certificates/tls");
    fs::create_dir_all(&tls).with_context(|| format!("cannot make {}", tls.display()))?;
    for (file, name) in [
        (&certificate.chain, "cert.pem"),
        (&certificate.key, "key.pem"),
    ] {
        // Its permissions come with it.
        fs::copy(file, tls.join(name))
            .with_context(|| format!("cannot copy {}", file.display()))?;
    }
    private(&disks.certificates)?;
    pack(&folder.join("certificates"), &disks.certificates)?;
    Ok(disks)
}

/// Makes a file that only its owner may read, empty if it is not there.
fn private(path: &std::path::Path) -> Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let _ = fs::remove_file(path);
    fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map(drop)
        .with_context(|| format!("cannot write {}", path.display()))
}

/// Runs both.
pub(super) fn run(workspace: &Workspace, arguments: &Run) -> Result<i32> {
    ensure!(
        arguments.disk.is_empty() && arguments.words.is_empty(),
        "the site has its own disks and command lines"
    );
    let domain = arguments.domain.as_deref().unwrap_or(DOMAIN);
    // Whoever asks from the host comes by the host's forwarded ports.
    let disks = disks(domain, Ipv4Addr::LOCALHOST)?;
    let (dns, website) = (workspace.app(DNS)?, workspace.app(WEBSITE)?);
    let for_dns = |forward: &&PortPair| forward.guest == 53;
    let asked: Vec<PortPair> = arguments.forward.iter().filter(for_dns).copied().collect();
    let to_dns = ports::choose(&asked, dns)?;
    let asked: Vec<PortPair> = arguments
        .forward
        .iter()
        .filter(|forward| !for_dns(forward))
        .copied()
        .collect();
    let to_website = if asked.is_empty() {
        let own = FORWARDS.map(|(protocol, host, guest)| PortPair {
            protocol,
            host,
            guest,
        });
        ports::available(own.to_vec())?
    } else {
        ports::choose(&asked, website)?
    };
    let disk = |name: &str, file: &PathBuf| Disk {
        name: name.to_owned(),
        file: file.clone(),
        access: Access::ReadOnly,
    };
    let text = text(domain, &disks, &to_dns, &to_website);
    // Clients see the forwarded port.
    let https = host(&to_website, 443);
    let words = https.map(|port| format!("redirect={port}"));
    let plans = [
        Plan {
            app: dns,
            address: DNS_ADDRESS,
            forwards: to_dns,
            disks: vec![disk("xvda", &disks.zones)],
            pcap: None,
            words: "zones=xvda".to_owned(),
        },
        Plan {
            app: website,
            address: xen::ADDRESS,
            forwards: to_website,
            disks: vec![disk("xvdb", &disks.certificates)],
            pcap: arguments.pcap.clone(),
            words: words.unwrap_or_default(),
        },
    ];
    let announce = Announce::Together(text);
    match &arguments.on {
        On::Here(Target::Xen) => xen::run(workspace, &plans, &announce),
        On::Here(Target::Linux) => linux::run_all(workspace, &plans, &announce),
        On::Elsewhere(_, at) => bail!("{NAME} runs on xen and on linux, not on {at}"),
    }
}

/// The host's port that leads to one of a guest's.
fn host(forwards: &[PortPair], guest: u16) -> Option<u16> {
    let found = forwards.iter().find(|forward| forward.guest == guest);
    found.map(|forward| forward.host)
}

/// What can be typed when both answer.
fn text(domain: &str, disks: &Disks, to_dns: &[PortPair], to_website: &[PortPair]) -> String {
    let mut lines = vec![format!("{domain} is there:")];
    if let Some(port) = host(to_dns, 53) {
        lines.push(format!("  dig @127.0.0.1 -p {port} {domain}"));
    }
    if let Some(port) = host(to_website, 443) {
        let authority = disks.authority.display();
        lines.push(format!(
            "  curl --cacert {authority} --resolve {domain}:{port}:127.0.0.1 https://{domain}:{port}/"
        ));
        lines.push(format!(
            "  chromium --host-resolver-rules='MAP {domain} 127.0.0.1' https://{domain}:{port}/"
        ));
        lines.push(format!(
            "  (a browser trusts it once {authority} is among its authorities)"
        ));
    }
    if let Some(port) = host(to_website, 80) {
        let to = host(to_website, 443).map(|port| format!(", at port {port}"));
        let to = to.unwrap_or_default();
        lines.push(format!("  http://127.0.0.1:{port}/ leads to https{to}"));
    }
    lines.join("\n")
}
