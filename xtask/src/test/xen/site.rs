//! A site that hosts itself: what `cargo xtask run site` starts, and the guide to a real name, of which the configurations, the zone and the commands are taken from its page.

use std::net::{Ipv4Addr, UdpSocket};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::archives::ArchiveDisk;
use super::{Lab, XenTest};
use crate::build::Changes;
use crate::run::{ADDRESS, ADDRESS_WORDS, SITE_DNS_ADDRESS, site_disks};
use crate::testbed::{Access, Forward, Guest, Protocol};

pub(super) const TESTS: &[XenTest] = &[
    XenTest {
        name: "site/run",
        run,
    },
    XenTest {
        name: "site/hosting",
        run: hosting,
    },
];

/// The name of what is run here, whose certificate is kept in the cache.
const DOMAIN: &str = "on-xen.test";
/// The guide.
const PAGE: &str = include_str!("../../../../docs/hosting.md");
/// How long a guest may take to shut down, and a datagram to be answered.
const PATIENCE: Duration = Duration::from_secs(30);

/// The two guests of `cargo xtask run site`, with its disks: a client that knows nothing but the name server and the authority finds the page.
fn run(lab: &Lab<'_>) -> Result<()> {
    let disks = site_disks(DOMAIN, ADDRESS)?;
    let zones = lab.disk(&disks.zones, "xvda", Access::ReadOnly)?;
    let certificates = lab.disk(&disks.certificates, "xvdb", Access::ReadOnly)?;
    let with = |disk, extra| Changes {
        disks: Some(vec![disk]),
        extra,
        ..Changes::default()
    };
    let own = format!("ip={SITE_DNS_ADDRESS}/24 gw=10.0.2.2 zones=xvda");
    let dns = lab.guest_with("dns", &with(zones, own))?;
    let website = lab.guest_with("website-tls", &with(certificates, ADDRESS_WORDS.to_owned()))?;
    dns.create(lab)?;
    website.create(lab)?;
    lab.expect_line(&dns, "serving 1 zones")?;
    lab.expect_line(&website, "serving on ports 443 and 80")?;
    lab.put(&disks.authority, "/ca.pem")?;
    lab.sh(&format!(
        "echo nameserver {SITE_DNS_ADDRESS} >/etc/resolv.conf"
    ))?;
    for name in [DOMAIN, &format!("www.{DOMAIN}")] {
        finds_page(lab, name)?;
    }
    from_the_host(lab)?;
    website.shut_down(lab, PATIENCE)?;
    dns.shut_down(lab, PATIENCE)
}

/// By http a client is sent to https, and gets the page there. Names are resolved as dom0 is told.
fn finds_page(lab: &Lab<'_>, name: &str) -> Result<()> {
    let told = lab.sh(&format!(
        "curl -sSLi --max-time 50 --cacert /ca.pem http://{name}/"
    ))?;
    let sent = format!("Location: https://{name}/\r\n");
    ensure!(
        told.starts_with("HTTP/1.1 308 ")
            && told.contains(&sent)
            && told.contains("HTTP/1.1 200 ")
            && told.contains("</html>"),
        "{told}"
    );
    Ok(())
}

/// The forwarded ports: UDP to the name server, TCP to the website.
fn from_the_host(lab: &Lab<'_>) -> Result<()> {
    let host = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port();
    lab.forward(Forward {
        protocol: Protocol::Udp,
        host,
        address: SITE_DNS_ADDRESS,
        port: 53,
    })?;
    let answer = ask(host)?;
    // The address stands at the end of the answer's only record.
    ensure!(
        answer[3] & 0xf == 0 && answer[6..8] == [0, 1] && answer.ends_with(&ADDRESS.octets()),
        "{answer:?}"
    );
    let port = lab.forward_to(80)?;
    let sent = lab.http_get(port, "/")?;
    ensure!(sent.status() == Some(308), "{}", sent.head);
    Ok(())
}

/// Asks for the site's address at a port of the host until it is answered.
fn ask(port: u16) -> Result<Vec<u8>> {
    let mut query = vec![0x4d, 0x6f, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in DOMAIN.split('.') {
        query.push(label.len() as u8);
        query.extend_from_slice(label.as_bytes());
    }
    query.extend_from_slice(&[0, 0, 1, 0, 1]);
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    socket.connect((Ipv4Addr::LOCALHOST, port))?;
    socket.set_read_timeout(Some(Duration::from_secs(2)))?;
    let start = Instant::now();
    let mut answer = vec![0; 512];
    loop {
        socket.send(&query)?;
        match socket.recv(&mut answer) {
            Ok(len) => {
                answer.truncate(len);
                ensure!(len > query.len(), "{answer:?}");
                return Ok(answer);
            }
            Err(error) if start.elapsed() > PATIENCE => {
                return Err(error).context("the name server does not answer the host");
            }
            Err(_) => {}
        }
    }
}

/// The guide, word by word: its configurations with their memory, its zone, its commands.
fn hosting(lab: &Lab<'_>) -> Result<()> {
    // dom0 has what the guide says of the host.
    for number in [0, 1] {
        ArchiveDisk::new(lab, number)?;
    }
    lab.sh(
        "ip address add 192.0.2.1/24 dev xenbr0; mkdir -p /dev/vg0 /work; ln -s /dev/ram0 /dev/vg0/zones; ln -s /dev/ram1 /dev/vg0/certificates; \
         ln -sf $(which busybox) /bin/tar",
    )?;
    lab.put_bytes(
        block("; example.org.zone")?.as_bytes(),
        "/work/example.org.zone",
        0o644,
    )?;
    for (name, bytes) in [
        (
            "fullchain.pem",
            include_bytes!("../../../../net/tls/tests/certs/p256.cert.pem").as_slice(),
        ),
        (
            "privkey.pem",
            include_bytes!("../../../../net/tls/tests/certs/p256.key.pem"),
        ),
    ] {
        lab.put_bytes(bytes, &format!("/work/{name}"), 0o600)?;
    }
    for app in ["dns", "website-tls"] {
        let kernel = lab.image(app)?.kernel;
        lab.put(&kernel, &format!("/srv/{app}.xen"))?;
        let commands = block(&format!("domid {app}"))?;
        // The last line tells a domain that is there.
        let (fill, tell) = commands
            .trim_end()
            .rsplit_once('\n')
            .context("one command only")?;
        lab.sh(&format!("cd /work && set -e\n{fill}"))?;
        let text = block(&format!("name = \"{app}\""))?;
        let guest = Guest::configured(lab, app, text)?;
        guest.create(lab)?;
        lab.expect_line(&guest, "serving ")?;
        lab.sh(&format!("cd /work && set -e\n{fill}\n{tell}"))?;
        let reloaded = if app == "dns" {
            "serving 1 zones, of which 0"
        } else {
            "1 new certificates"
        };
        lab.expect_line(&guest, reloaded)?;
    }
    lab.sh("echo nameserver 192.0.2.53 >/etc/resolv.conf")?;
    let told = lab.sh("curl -sSi --max-time 50 http://www.example.org/")?;
    ensure!(
        told.starts_with("HTTP/1.1 308 ") && told.contains("https://www.example.org/"),
        "{told}"
    );
    let told = lab.sh("curl -skS --max-time 50 https://example.org/")?;
    ensure!(told.contains("</html>"), "{told}");
    let told = lab.sh("curl -sS --max-time 50 http://192.0.2.53:9153/metrics")?;
    ensure!(told.contains("# TYPE"), "{told}");
    Ok(())
}

/// The only code block of the page that has `text` in it.
fn block(text: &str) -> Result<&'static str> {
    let mut found = PAGE
        .split("\n```")
        .skip(1)
        .step_by(2)
        .filter_map(|block| Some(block.split_once('\n')?.1))
        .filter(|block| block.contains(text));
    let first = found.next();
    ensure!(
        found.next().is_none(),
        "the page has {text:?} in two places"
    );
    first.with_context(|| format!("the page has no block with {text:?}"))
}
