//! On Linux: a tap device for each guest's interface. The toolstack's hotplug script puts it into a bridge of the host.

use alloc::format;
use alloc::string::ToString;

use morgana::exec::Either;
use morgana::{Domain, Platform, log};
use morgana_bridge::{Bridge, Sources};
use morgana_netback::Config as DeviceConfig;
use morgana_reactor::HasReactor;
use morgana_tap::Tap;
use morgana_vifs::{Config, Directories, Hotplug, SourcePolicy, Vif, Vifs};

use crate::StartError;
use crate::arguments::Arguments;
use crate::report;

/// An interface and its tap device.
const PORTS: usize = 2;

/// Serves until the connection to xenstored fails.
pub(crate) async fn run<P: Platform + HasReactor>(
    domain: &Domain<P>,
    arguments: Arguments,
) -> Result<(), StartError> {
    let (client, tasks) = (domain.xenstore()?, domain.tasks());
    let device = DeviceConfig {
        hotplug: Hotplug::ByToolstack,
        ..DeviceConfig::default()
    };
    let ip_mtu = device.mtu;
    let vifs = Vifs::<P, Tap>::new(Config {
        device,
        // Who may send what is a matter of the host's bridge.
        sources: SourcePolicy::Any,
        directories: Directories::LeftToToolstack,
        ..Config::default()
    });
    let (reactor, handle) = (domain.platform().reactor().clone(), tasks.clone());
    let cable = move |vif: &Vif| {
        let interface = morgana_linux::open_tap(&vif.to_string())
            .map_err(|error| format!("no interface {vif}: {error}"))?;
        let tap = Tap::new(&reactor, interface, ip_mtu).map_err(|error| error.to_string())?;
        let config = morgana_bridge::Config {
            ports: PORTS,
            ..Default::default()
        };
        let bridge = Bridge::new(handle.clone(), config);
        bridge
            .add(Either::Second(tap), Sources::Any)
            .map_err(|refused| refused.to_string())?;
        Ok(bridge)
    };
    let serve = vifs.serve(domain.platform(), client, tasks, cable);
    log::info!("serving network interfaces, each by a tap device");
    let timers = domain.timers();
    let report = report::run(&vifs, &timers, arguments.report);
    match morgana::exec::select(serve, report).await {
        Either::First(ended) => match ended? {},
        Either::Second(()) => Ok(()),
    }
}
