//! The helper of a stub-domain: it has the guests' logs and terminals. What is left for domain 0 to serve (the stub-domain itself, and guests that were
//! there before it) it serves, too.

use std::error::Error;

use morgana_daemon::Ready;
use morgana_vchan::{VchanError, connect};
use morgana_xenconsoled::{Daemon, Guests, Helper};

use super::arguments::Settings;
use super::daemon::Started;
use crate::LINK;

/// Where libxl looks for the domain that is to serve the consoles of guests that it makes.
const SERVER: &str = "/tool/xenconsoled/domid";

/// Helps until the process is ended.
pub(crate) fn run(settings: &Settings, name: &str, ready: Ready) -> Result<(), Box<dyn Error>> {
    let mut started = Started::new(settings)?;
    let (outlets, own) = (started.outlets(), started.outlets());
    let options = settings.guests;
    let (platform, client) = (started.platform.clone(), started.client.clone());
    let tasks = started.executor.handle();
    let name = name.to_owned();
    started.block_on(async move {
        let domain = client.domain_called(&name).await?;
        let domain = domain.ok_or_else(|| format!("there is no domain called {name}"))?;
        let path = format!("/local/domain/{}/{LINK}", domain.number());
        let helper = Helper::new(outlets, client.clone(), &tasks, domain);
        let daemon = Daemon::new(own, client.clone(), &tasks, options, Guests::All);
        let _served = tasks.spawn(async move {
            let Err(error) = daemon.serve().await;
            log::error!("the consoles of other guests are not served any longer: {error}");
        })?;
        let mut vchan = connect(&platform, &client, domain, &path).await?;
        client.write(SERVER, domain.number().to_string()).await?;
        ready.tell()?;
        loop {
            log::info!("helps {domain}");
            let end = helper.serve(&vchan).await;
            log::warn!("{domain} has no helper any more: {end}");
            drop(vchan);
            vchan = match connect(&platform, &client, domain, &path).await {
                Err(VchanError::Xenstore(error)) => return Err(error.into()),
                vchan => vchan?,
            };
        }
    })
}
