//! The vchans that a server offers.

use alloc::collections::BTreeMap;
use alloc::format;
use core::time::Duration;

use counter::{CLIENTS, Served, clients};
use morgana::exec::Task;
use morgana::hal::DomId;
use morgana::xenstore::{Client, Error};
use morgana::{Domain, Platform, log};
use morgana_actors::Begun;
use morgana_vchan::{Sizes, VchanError, listen};

/// Before a vchan is offered again.
const PAUSE: Duration = Duration::from_millis(100);
/// The same if it could not be offered.
const LONG_PAUSE: Duration = Duration::from_secs(2);

/// Offers a vchan to each domain that the toolstack names, as long as it does.
pub(crate) async fn offer<P: Platform>(domain: Domain<P>, served: Served) {
    let Ok(store) = domain.xenstore() else {
        return;
    };
    if let Err(error) = follow(&domain, store, &served).await {
        log::error!("no more vchans: {error}");
    }
}

async fn follow<P: Platform>(
    domain: &Domain<P>,
    store: &Client,
    served: &Served,
) -> Result<(), Error> {
    let watch = store.watch(CLIENTS).await?;
    let mut offers = BTreeMap::<DomId, Task<()>>::new();
    loop {
        watch.next().await?;
        // Without the node there are none.
        let wanted = clients(&store.read_text(CLIENTS).await.unwrap_or_default());
        offers.retain(|client, offer| {
            let stays = wanted.contains(client);
            if !stays {
                offer.abort();
            }
            stays
        });
        for client in wanted {
            if offers.contains_key(&client) {
                continue;
            }
            let offering = offer_to(domain.clone(), served.clone(), client);
            match domain.tasks().spawn(offering) {
                Ok(task) => _ = offers.insert(client, task),
                Err(error) => log::warn!("no vchan for {client}: {error}"),
            }
        }
    }
}

/// Serves one domain, again and again.
async fn offer_to<P: Platform>(domain: Domain<P>, served: Served, client: DomId) {
    loop {
        let pause = match serve_once(&domain, &served, client).await {
            Ok(()) => PAUSE,
            Err(error) => {
                log::warn!("no vchan for {client}: {error}");
                LONG_PAUSE
            }
        };
        domain.timers().sleep(pause).await;
    }
}

async fn serve_once<P: Platform>(
    domain: &Domain<P>,
    served: &Served,
    client: DomId,
) -> Result<(), VchanError> {
    let Ok(store) = domain.xenstore() else {
        return Ok(());
    };
    let path = format!("data/actors/{}", client.number());
    let vchan = listen(domain.platform(), store, client, &path, Sizes::default()).await?;
    log::info!("a vchan is offered to {client}");
    // It may take long until somebody takes it up. Whoever goes again without a word was none.
    if let Ok(vchan) = Begun::wait(vchan).await {
        served
            .serve(vchan, format!("domain {}", client.number()))
            .await;
    }
    Ok(())
}
