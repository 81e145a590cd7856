//! The website over https, as curl and OpenSSL in dom0 see it, and its certificates on a disk that is changed under it.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::archives::{ArchiveDisk, reload};
use super::{Lab, XenTest};
use crate::build::Changes;
use crate::run::ADDRESS_WORDS;

pub(super) const TESTS: &[XenTest] = &[XenTest {
    name: "tls/website",
    run: website,
}];

macro_rules! certificate {
    ($name:literal) => {
        include_bytes!(concat!("../../../../net/tls/tests/certs/", $name))
    };
}

/// curl, which asks the guest whatever the name is, and believes our authority only.
const CURL: &str = "curl -sS --max-time 60 --cacert /ca.pem --connect-to ::10.0.2.50";
const RESUME: &str = include_str!("tls/resume.sh");
/// How long both connections of a session may take.
const PATIENCE: Duration = Duration::from_secs(120);

fn website(lab: &Lab<'_>) -> Result<()> {
    lab.add_packages(&["openssl".to_owned()])?;
    lab.put_bytes(certificate!("ca.pem"), "/ca.pem", 0o644)?;
    let disk = ArchiveDisk::new(lab, 0)?;
    let write = |chain, key| disk.write(&[("tls/cert.pem", chain), ("tls/key.pem", key)]);
    write(certificate!("p256.cert.pem"), certificate!("p256.key.pem"))?;
    let changes = Changes {
        disks: Some(vec![disk.words("xvdb")]),
        extra: ADDRESS_WORDS.to_owned(),
        ..Changes::default()
    };
    let guest = lab.guest_with("website-tls", &changes)?;
    guest.create(lab)?;
    lab.expect_line(&guest, "serving on ports 443 and 80")?;
    pages(lab).context("pages")?;
    resumption(lab).context("resumption")?;
    refusals(lab).context("refusals")?;

    // Other certificates are on the disk, and the guest is told so.
    write(
        certificate!("ed25519.cert.pem"),
        certificate!("ed25519.key.pem"),
    )?;
    reload(lab, &guest)?;
    lab.expect_line(&guest, "1 new certificates")?;
    healthy(lab, "ed.test")?;
    // The chain of one and the key of another; an archive without files; no archive: each is refused with its reason, and changes nothing.
    let refused = |reason: &str| -> Result<()> {
        reload(lab, &guest)?;
        lab.expect_line(&guest, &format!("{reason}; the old certificates stay"))?;
        healthy(lab, "ed.test")
    };
    write(certificate!("rsa.cert.pem"), certificate!("p256.key.pem"))?;
    refused("tls/key.pem: the private key is not that of the first certificate")?;
    disk.fill("/dev/zero")?;
    refused("tls/cert.pem: there is no such file")?;
    disk.fill("/dev/urandom")?;
    refused("no volume: at byte 0: no header of a tar archive (ustar)")?;
    guest.shut_down(lab, Duration::from_secs(30))
}

/// Asks over https by a name that the certificate must have.
fn healthy(lab: &Lab<'_>, name: &str) -> Result<()> {
    let said = lab.sh_within(&format!("{CURL} https://{name}/healthz"), PATIENCE)?;
    ensure!(said.trim() == "ok", "{said}");
    Ok(())
}

fn pages(lab: &Lab<'_>) -> Result<()> {
    for version in ["--tlsv1.3", "--tls-max 1.2"] {
        let page = lab.sh(&format!("{CURL} -i {version} https://example.test/"))?;
        ensure!(
            page.starts_with("HTTP/1.1 200 ")
                && page.contains("</html>")
                && page.contains("Strict-Transport-Security: max-age="),
            "{version}: {page}"
        );
    }
    let sent = lab.sh(&format!("{CURL} -i 'http://example.test/a%20b?c=d'"))?;
    ensure!(
        sent.starts_with("HTTP/1.1 308 ")
            && sent.contains("Location: https://example.test/a%20b?c=d\r\n")
            && !sent.contains("Strict-Transport-Security"),
        "{sent}"
    );
    let healthy = lab.sh(&format!("{CURL} http://example.test/healthz"))?;
    ensure!(healthy.trim() == "ok", "{healthy}");
    Ok(())
}

fn resumption(lab: &Lab<'_>) -> Result<()> {
    lab.put_bytes(RESUME.as_bytes(), "/resume.sh", 0o644)?;
    for version in ["-tls1_3", "-tls1_2"] {
        let said = lab.sh_within(&format!("sh /resume.sh 10.0.2.50 {version}"), PATIENCE)?;
        ensure!(
            said.contains("Reused, TLSv1") && said.contains("HTTP/1.1 200 OK"),
            "{version}: {said}"
        );
    }
    Ok(())
}

/// Old versions, names without a certificate, what is no TLS: each is refused, and the next client is served.
fn refusals(lab: &Lab<'_>) -> Result<()> {
    let client =
        "openssl s_client -connect 10.0.2.50:443 -CAfile /ca.pem -verify_return_error -brief";
    for (words, expected) in [
        ("-tls1_1 -cipher ALL@SECLEVEL=0", "alert handshake failure"),
        ("-verify_hostname other.test", "ostname mismatch"),
        ("-tls1_2 -cipher AES128-SHA", "handshake failure"),
    ] {
        let said = lab.sh(&format!("{client} {words} </dev/null 2>&1 || true"))?;
        ensure!(said.contains(expected), "{words}: {said}");
    }
    // What is no TLS gets a fatal alert, in TLS: to curl it is an answer of an old kind.
    let said = lab.sh(
        "curl -sS --http0.9 --max-time 60 -o /alert http://10.0.2.50:443/ || true; busybox hexdump -C /alert",
    )?;
    ensure!(said.contains("15 03 03 00 02 02"), "no TLS: {said}");
    let figures = lab.sh_within(&format!("{CURL} https://example.test/metrics"), PATIENCE)?;
    for end in ["new", "resumed", "failed"] {
        let line = format!("\nmorgana_tls_handshakes_total{{end=\"{end}\"}} ");
        let count = figures.split_once(&line).map(|(_, rest)| rest);
        ensure!(
            count.is_some_and(|rest| !rest.starts_with('0')),
            "{end}: {figures}"
        );
    }
    healthy(lab, "example.test").context("afterwards")
}
