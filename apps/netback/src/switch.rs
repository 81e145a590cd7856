//! One switch for all guests, and for this domain's own interface where it has one.

use alloc::boxed::Box;
use alloc::string::ToString;

use morgana::exec::{Either, select};
use morgana::netfront::Netfront;
use morgana::{Domain, Platform, log};
use morgana_bridge::{Bridge, Sources};
use morgana_netback::Netback;
use morgana_vifs::{Config, Vifs};

use crate::StartError;
use crate::arguments::Arguments;
use crate::report;

/// What is behind a port: a guest, or the way out.
type Port<P> = Either<Netback<P>, Netfront<P>>;

/// Serves until the connection to xenstored fails.
pub(crate) async fn run<P: Platform>(
    domain: &Domain<P>,
    arguments: Arguments,
) -> Result<(), StartError> {
    let (client, tasks) = (domain.xenstore()?, domain.tasks());
    let bridge = Bridge::new(tasks.clone(), morgana_bridge::Config::default());
    let vifs = Vifs::new(Config {
        sources: arguments.sources,
        ..Config::default()
    });
    let uplink = bridge.clone();
    let serve = vifs.serve(
        domain.platform(),
        client,
        tasks,
        move |_| Ok(bridge.clone()),
    );
    log::info!("serving network interfaces");
    let besides = async {
        uplink_of(domain, &uplink).await?;
        report::run(&vifs, &domain.timers(), arguments.report).await;
        Ok::<_, StartError>(())
    };
    match select(serve, besides).await {
        Either::First(ended) => match ended? {},
        Either::Second(failed) => failed,
    }
}

/// Makes this domain's own interface a port, if it has one. Guests are served meanwhile.
async fn uplink_of<P: Platform>(
    domain: &Domain<P>,
    bridge: &Bridge<Port<P>>,
) -> Result<(), StartError> {
    let client = domain.xenstore()?;
    let Some(&index) = morgana_xenbus::frontends(client, "vif").await?.first() else {
        log::info!("no interface of its own: guests reach each other only");
        return Ok(());
    };
    let config = morgana::netfront::Config {
        transmit_pages: 128,
        receive_pages: 256,
        ..morgana::netfront::Config::default()
    };
    let front = Netfront::connect(domain.platform(), client, domain.tasks(), index, config).await?;
    log::info!("uplink: vif {index}, {}", front.mac());
    bridge
        .add(Either::Second(front), Sources::Any)
        .map_err(|refused| Box::<dyn core::error::Error>::from(refused.to_string()))?;
    Ok(())
}
