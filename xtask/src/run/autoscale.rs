//! `cargo xtask run autoscale`: a service that makes virtual machines as its load rises and ends them as it falls, with that load.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Result, ensure};

use super::answers;
use super::ports;
use crate::autoscale::{AUTOSCALER, BALANCER, Load, Plan, Service};
use crate::build::{Make, Workshop};
use crate::cli::{On, PortPair, Run, Target};
use crate::interrupt::Claim;
use crate::testbed::{Forward, Protocol, Testbed, Xenstored};
use crate::workspace::Workspace;

/// What is typed in place of an app's name.
pub(super) const NAME: &str = "autoscale";
/// The ports of the host, if they are free.
const SERVICE: u16 = 8080;
const CHARTS: u16 = 8090;
const PAUSE: Duration = Duration::from_millis(100);

/// Runs it until it is interrupted.
pub(super) fn run(workspace: &Workspace, arguments: &Run) -> Result<i32> {
    ensure!(
        arguments.on == On::Here(Target::Xen),
        "the service needs a toolstack: it runs on Xen only"
    );
    ensure!(
        arguments.disk.is_empty() && arguments.forward.is_empty() && arguments.pcap.is_none(),
        "the service has its own disks and ports"
    );
    let forwards = [SERVICE, CHARTS].map(|host| PortPair {
        protocol: Protocol::Tcp,
        host,
        guest: 80,
    });
    let forwards = ports::available(forwards.to_vec())?;
    let workshop = Workshop::new(workspace, Make::Shipped);
    let load = Load::of(&workshop, &arguments.words)?;
    let testbed = Testbed::start(Xenstored::C)?;
    for (forward, address) in forwards.iter().zip([BALANCER, AUTOSCALER]) {
        testbed.forward(Forward {
            protocol: Protocol::Tcp,
            host: forward.host,
            address,
            port: 80,
        })?;
    }
    let claim = Claim::new();
    let service = Service::start(&workshop, &testbed, &Plan::default())?;
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !claim.requested() {
                std::thread::sleep(PAUSE);
            }
            over.store(true, Ordering::SeqCst);
        });
        for forward in &forwards {
            while !over.load(Ordering::SeqCst)
                && !answers::answers(*forward, Duration::from_secs(2))
            {
                std::thread::sleep(PAUSE);
            }
        }
        let [site, charts] = [0, 1].map(|index| forwards[index].host);
        eprintln!("the service:  http://127.0.0.1:{site}/");
        eprintln!("the charts:   http://127.0.0.1:{charts}/");
        eprintln!("the load is that of: load {}", load.arguments());
        eprintln!("Ctrl-C ends it");
        load.put_on(&service, &over)
    })?;
    Ok(0)
}
