//! The apps, as their users run them.

use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::{Lab, XenTest};
use crate::build::Changes;
use crate::run::ADDRESS_WORDS;
use crate::testbed::{Deadline, End};

pub(super) const TESTS: &[XenTest] = &[
    XenTest {
        name: "apps/hello",
        run: hello,
    },
    XenTest {
        name: "apps/website",
        run: website,
    },
    XenTest {
        name: "apps/toolstack",
        run: toolstack,
    },
    XenTest {
        name: "apps/load",
        run: load,
    },
    XenTest {
        name: "apps/too-little-memory",
        run: too_little_memory,
    },
];

/// How long a guest may take that has too little memory.
const PATIENCE: Duration = Duration::from_secs(60);

fn hello(lab: &Lab<'_>) -> Result<()> {
    let (end, console) = lab.run_guest("hello", &words("seconds=0"))?;
    ensure!(
        end == End::PowerOff,
        "it ends with {end:?}; its console:\n{console}"
    );
    ensure!(
        console.contains("Hello") && console.contains("Goodbye"),
        "its console:\n{console}"
    );
    let (end, console) = lab.run_guest("hello", &words("seconds=soon"))?;
    ensure!(
        end == End::Crash && console.contains("seconds=soon"),
        "{end:?}, its console:\n{console}"
    );
    Ok(())
}

/// An app's own configuration with these words on the command line.
fn words(extra: &str) -> Changes {
    Changes {
        extra: extra.to_owned(),
        ..Changes::default()
    }
}

fn website(lab: &Lab<'_>) -> Result<()> {
    let guest = lab.guest("website", ADDRESS_WORDS)?;
    let port = lab.forward_to(80)?;
    guest.create(lab)?;
    let page = lab.http_get(port, "/")?;
    let body = String::from_utf8_lossy(&page.body).into_owned();
    ensure!(
        page.status() == Some(200) && body.contains("</html>"),
        "{}\n{body}",
        page.head
    );
    let missing = lab.http_get(port, "/no/such/page")?;
    ensure!(missing.status() == Some(404), "{}", missing.head);
    let metrics = lab.http_get(port, "/metrics")?;
    ensure!(
        metrics.status() == Some(200) && metrics.head.contains("text/plain"),
        "{}",
        metrics.head
    );
    guest.shut_down(lab, Duration::from_secs(30))?;
    let log = lab.expect_line(&guest, "toolstack")?;
    ensure!(log.contains("Poweroff"), "{log}");
    Ok(())
}

/// The files as `cargo xtask build` makes them, in the hands of someone who knows only xl: an address by DHCP.
pub(super) fn toolstack(lab: &Lab<'_>) -> Result<()> {
    let image = lab.image("website")?;
    lab.put(&image.kernel, "/website.xen")?;
    lab.put(&image.kernel.with_extension("cfg"), "/website.cfg")?;
    lab.sh("cd / && xl create website.cfg")?;
    // It would stay until there is more to show.
    let console = "timeout 20 xl console website | { grep -m 1 'address 10\\.'; kill $(pidof xenconsole) 2>/dev/null; true; }";
    let line = lab.sh(console)?;
    let address = line
        .split_whitespace()
        .find_map(|word| word.strip_suffix("/24"))
        .context("no address by DHCP")?;
    let page = lab.sh(&format!("curl -sf --max-time 20 http://{address}/"))?;
    ensure!(page.contains("</html>"), "{page}");
    // xl makes the domain anew; it has another address then.
    lab.sh("rm /var/log/xen/console/guest-website.log; pkill -HUP xenconsoled; timeout 40 xl reboot -w website")?;
    lab.sh("until grep -q serving /var/log/xen/console/guest-website.log 2>/dev/null; do sleep 0.2; done")?;
    lab.sh("xl destroy website")?;
    let domains = lab.sh("xl list")?;
    ensure!(
        !domains.contains("website"),
        "it is still there:\n{domains}"
    );
    Ok(())
}

fn load(lab: &Lab<'_>) -> Result<()> {
    lab.add_packages(&["wrk".to_owned()])?;
    let guest = lab.guest("website", ADDRESS_WORDS)?;
    guest.create(lab)?;
    lab.expect_line(&guest, "serving")?;
    lab.sh(
        "curl -sf --retry 20 --retry-connrefused --retry-delay 1 -o /dev/null http://10.0.2.50/",
    )?;
    let report = lab.sh("wrk -t 1 -c 30 -d 10 --timeout 20 http://10.0.2.50/")?;
    ensure!(
        report.contains("requests in") && !report.contains(" 0 requests in"),
        "{report}"
    );
    ensure!(
        !report.contains("Non-2xx") && !report.contains("Socket errors"),
        "{report}"
    );
    let metrics = lab.sh("curl -sf --max-time 20 http://10.0.2.50/metrics")?;
    ensure!(metrics.contains("# TYPE"), "{metrics}");
    guest.shut_down(lab, Duration::from_secs(30))
}

fn too_little_memory(lab: &Lab<'_>) -> Result<()> {
    // xl itself gives no PV domain less than 4 MiB.
    let changes = Changes {
        memory: Some(4),
        extra: ADDRESS_WORDS.to_owned(),
        ..Changes::default()
    };
    let guest = lab.guest_with("website", &changes)?;
    let mut console = Vec::new();
    // It either serves in so little, and is ended then, or says why not and ends with the crash code.
    let end = thread::scope(|scope| {
        scope.spawn(|| {
            if lab.expect_line(&guest, "serving").is_ok() {
                let _ = guest.destroy(lab);
            }
        });
        guest.run(lab, Deadline::after(PATIENCE), &mut console)
    })?;
    let console = String::from_utf8_lossy(&console).into_owned();
    let wanted = match end {
        End::Destroyed => "serving",
        _ => "memory",
    };
    ensure!(
        [End::Destroyed, End::Crash].contains(&end) && console.contains(wanted),
        "{end:?}, its console:\n{console}"
    );
    Ok(())
}
