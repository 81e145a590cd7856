//! Apps as guests of Xen under QEMU.

use std::fs::File;
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Error, Result, bail};

use super::lines::Lines;
use super::plan::{Announce, Plan};
use super::tell::tell;
use crate::build::{Changes, Image};
use crate::cli::PortPair;
use crate::interrupt::Claim;
use crate::symbolize::{Annotator, Scope, Symbols};
use crate::testbed::{Birth, Deadline, End, Forward, Guest, Testbed, Xenstored};
use crate::workspace::Workspace;

/// The guest's address in the testbed's network.
pub(crate) const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 50);
/// How the guest learns it.
pub(crate) const ADDRESS_WORDS: &str = "ip=10.0.2.50/24 gw=10.0.2.2";
/// How long a guest may take to shut down.
const PATIENCE: Duration = Duration::from_secs(15);

/// Builds the apps, starts them, shows their consoles until the first of them ends or we are asked to end them; then the others are shut down, too.
pub(super) fn run(workspace: &Workspace, plans: &[Plan<'_>], announce: &Announce) -> Result<i32> {
    let apps: Vec<_> = plans.iter().map(|plan| plan.app).collect();
    let images = Image::build(workspace, &apps)?;
    for image in &images {
        println!("{}", image.summary()?);
    }
    let testbed = Testbed::start(Xenstored::C)?;
    let mut guests = Vec::new();
    for (plan, image) in plans.iter().zip(&images) {
        guests.push(install(workspace, &testbed, plan, image)?);
    }
    let claim = Claim::new();
    let over = AtomicBool::new(false);
    let show = Show {
        testbed: &testbed,
        over: &over,
        names: plans.len() > 1,
    };
    let ends: Vec<Result<End>> = std::thread::scope(|scope| {
        let running: Vec<_> = plans
            .iter()
            .zip(&images)
            .zip(&guests)
            .map(|((plan, image), guest)| scope.spawn(move || show.guest(plan, image, guest)))
            .collect();
        scope.spawn(|| tell(plans, announce, &over));
        scope.spawn(|| attend(&claim, &over, &testbed, &guests));
        running
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|_| bail!("a thread panicked")))
            .collect()
    });
    let asked = claim.requested();
    for (plan, end) in plans.iter().zip(ends) {
        let name = &plan.app.name;
        match end? {
            End::PowerOff => {}
            End::Crash => bail!("{name} crashed"),
            End::Reboot | End::Destroyed if asked || plans.len() > 1 => {}
            End::Reboot => eprintln!("{name} asked to be restarted"),
            End::Destroyed => bail!("{name} was destroyed"),
        }
    }
    Ok(0)
}

/// Opens the ports, makes the disks, and copies all to dom0.
fn install(
    workspace: &Workspace,
    testbed: &Testbed,
    plan: &Plan<'_>,
    image: &Image,
) -> Result<Guest> {
    let Plan { app, address, .. } = *plan;
    for &PortPair {
        protocol,
        host,
        guest,
    } in &plan.forwards
    {
        testbed.forward(Forward {
            protocol,
            host,
            address,
            port: guest,
        })?;
    }
    let mut disks = app.domain.disks.clone();
    for disk in &plan.disks {
        disks.push(testbed.disk(&disk.file, &disk.name, disk.access)?);
    }
    if plan.pcap.is_some() {
        Guest::prepare_recording(testbed)?;
    }
    let own = match app.domain.vif {
        true => format!("ip={address}/24 gw=10.0.2.2"),
        false => String::new(),
    };
    let changes = Changes {
        extra: format!("{own} {}", plan.words).trim().to_owned(),
        disks: Some(disks),
        ..Changes::default()
    };
    Guest::install_as(testbed, workspace, image, &changes)
}

/// What a thread needs that shows a guest.
#[derive(Clone, Copy)]
struct Show<'a> {
    testbed: &'a Testbed,
    over: &'a AtomicBool,
    /// Whether each line of a console has its guest's name.
    names: bool,
}

impl Show<'_> {
    /// Runs the guest and shows its console until it ends.
    fn guest(self, plan: &Plan<'_>, image: &Image, guest: &Guest) -> Result<End> {
        let name = self.names.then(|| plan.app.name.clone());
        let symbols = Symbols::load(&image.symbols);
        let end = symbols.and_then(|symbols| {
            let out = Lines::new(std::io::stdout(), name);
            let mut console = Annotator::new(out, Some(symbols), Scope::Backtraces);
            match &plan.pcap {
                None => guest.run(self.testbed, Deadline::never(), &mut console),
                Some(file) => self.recorded(guest, file, &mut console),
            }
        });
        self.over.store(true, Ordering::SeqCst);
        end
    }

    fn recorded(
        self,
        guest: &Guest,
        file: &Path,
        console: &mut (dyn std::io::Write + Send),
    ) -> Result<End> {
        let cannot = || format!("cannot write {}", file.display());
        let mut out = File::create(file).with_context(cannot)?;
        std::thread::scope(|scope| {
            let recorder = scope.spawn(|| guest.record(self.testbed, &mut out));
            let end = guest.run_from(Birth::Paused, self.testbed, Deadline::never(), console);
            let recorded = recorder
                .join()
                .unwrap_or_else(|_| Err(Error::msg("a thread panicked")));
            // A guest that has not begun to run is the greater trouble.
            end.and_then(|end| recorded.map(|()| end))
        })
    }
}

/// Shuts the guests down, the last one first, when a signal asks for it or one of them has ended.
fn attend(claim: &Claim, over: &AtomicBool, testbed: &Testbed, guests: &[Guest]) {
    const PAUSE: Duration = Duration::from_millis(50);
    while !claim.requested() && !over.load(Ordering::SeqCst) {
        std::thread::sleep(PAUSE);
    }
    if guests.len() == 1 && !claim.requested() {
        return;
    }
    for guest in guests.iter().rev() {
        let name = guest.name();
        if !guest.exists(testbed) {
            continue;
        }
        eprintln!("shutting {name} down (once more to end at once)");
        if let Err(error) = guest.shut_down(testbed, PATIENCE) {
            if !guest.exists(testbed) {
                continue;
            }
            eprintln!("{name} does not shut down: it is destroyed ({error:#})");
            let _ = guest.destroy(testbed);
        }
    }
}
