//! An app as a guest of Xen under QEMU.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::answers;
use crate::build::Image;
use crate::cli::PortPair;
use crate::interrupt::Claim;
use crate::symbolize::{Annotator, Scope, Symbols};
use crate::testbed::{Deadline, End, Forward, Guest, Testbed, Xenstored};
use crate::workspace::{App, Workspace};

/// The guest's address in the testbed's network.
pub(crate) const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 50);
/// How the guest learns it.
pub(crate) const ADDRESS_WORDS: &str = "ip=10.0.2.50/24 gw=10.0.2.2";
/// How long a guest may take to shut down.
const PATIENCE: Duration = Duration::from_secs(15);

/// Builds the app, starts it, shows its console until it ends or we are asked to end it.
pub(super) fn run(workspace: &Workspace, app: &App, forwards: &[PortPair]) -> Result<i32> {
    let images = Image::build(workspace, &[app])?;
    let image = images.first().context("nothing was built")?;
    println!("{}", image.summary()?);
    let testbed = Testbed::start(Xenstored::C)?;
    for &PortPair {
        protocol,
        host,
        guest,
    } in forwards
    {
        testbed.forward(Forward {
            protocol,
            host,
            address: ADDRESS,
            port: guest,
        })?;
    }
    let extra = if app.domain.vif { ADDRESS_WORDS } else { "" };
    let guest = Guest::install(&testbed, workspace, image, extra)?;

    let claim = Claim::new();
    let over = AtomicBool::new(false);
    let symbols = Symbols::load(&image.symbols)?;
    let end = std::thread::scope(|scope| -> Result<End> {
        for &forward in forwards {
            let over = &over;
            scope.spawn(move || announce(forward, over));
        }
        let attendant = scope.spawn(|| attend(&claim, &over, &testbed, &guest));
        let mut console = Annotator::new(std::io::stdout(), Some(symbols), Scope::Backtraces);
        let end = guest.run(&testbed, Deadline::never(), &mut console);
        over.store(true, Ordering::SeqCst);
        let _ = attendant.join();
        end
    });
    let asked = claim.requested();
    match end? {
        End::PowerOff => Ok(0),
        End::Crash => bail!("{} crashed", app.name),
        End::Reboot | End::Destroyed if asked => Ok(0),
        End::Reboot => {
            eprintln!("{} asked to be restarted", app.name);
            Ok(0)
        }
        End::Destroyed => bail!("{} was destroyed", app.name),
    }
}

/// Says where the app is, as soon as it is there.
fn announce(forward: PortPair, over: &AtomicBool) {
    const PAUSE: Duration = Duration::from_millis(100);
    while !over.load(Ordering::SeqCst) {
        // QEMU accepts connections for a guest that is not there yet, so only an answer counts.
        if answers::answers(forward, Duration::from_secs(2)) {
            eprintln!("{}", answers::announcement(forward));
            return;
        }
        std::thread::sleep(PAUSE);
    }
}

/// Shuts the guest down when a signal asks for it.
fn attend(claim: &Claim, over: &AtomicBool, testbed: &Testbed, guest: &Guest) {
    const PAUSE: Duration = Duration::from_millis(50);
    while !claim.requested() {
        if over.load(Ordering::SeqCst) {
            return;
        }
        std::thread::sleep(PAUSE);
    }
    eprintln!("shutting {} down (once more to end at once)", guest.name());
    if let Err(error) = guest.shut_down(testbed, PATIENCE) {
        eprintln!(
            "{} does not shut down: it is destroyed ({error:#})",
            guest.name()
        );
        let _ = guest.destroy(testbed);
    }
}
