//! The toolstack's wishes: `control/shutdown` (xenstore-paths.pandoc).

use alloc::string::String;
use core::time::Duration;

use morgana_exec::{Timers, join_all};
use morgana_hal::Exit;
use morgana_xenstore_client::{Client, Error, KeyError};

const REQUEST: &str = "control/shutdown";

/// What this domain answers to; the toolstack may look before it asks.
const FEATURES: [&str; 3] = [
    "control/feature-poweroff",
    "control/feature-reboot",
    "control/feature-halt",
];

/// How long a domain has for its own affairs first, such as its network: xenstored serves one request after the other, and a toolstack
/// that wants a domain to end does not need to know at once. What it has asked meanwhile is found then.
const AFTER_BOOT: Duration = Duration::from_millis(200);

/// Ready once the toolstack wants the domain to end, and how.
pub(crate) async fn requested(client: &Client, timers: &Timers) -> Result<Exit, KeyError> {
    timers.sleep(AFTER_BOOT).await;
    join_all(FEATURES.map(|feature| announce(client, feature))).await;
    let watch = client.watch(REQUEST).await.map_err(KeyError::at(REQUEST))?;
    loop {
        watch.next().await.map_err(KeyError::at(REQUEST))?;
        let Some(wish) = take_request(client).await.map_err(KeyError::at(REQUEST))? else {
            continue;
        };
        match wish.as_str() {
            "poweroff" | "halt" => return Ok(Exit::Poweroff),
            "reboot" => return Ok(Exit::Reboot),
            other => {
                log::warn!("the toolstack asks for {other:?}, which this domain does not know")
            }
        }
    }
}

/// Some toolstacks do not let a guest write these; nothing depends on them.
async fn announce(client: &Client, feature: &str) {
    if let Err(error) = client.write(feature, "1").await {
        log::debug!("{feature}: {error}");
    }
}

/// Reads the request and clears it, which is the answer that the toolstack waits for. `None` if there is none.
async fn take_request(client: &Client) -> Result<Option<String>, Error> {
    // Mostly there is none; a transaction would cost three round trips to find out.
    match client.read(REQUEST).await {
        Ok(value) if !value.is_empty() => {}
        Ok(_) => return Ok(None),
        Err(error) if error.is_not_found() => return Ok(None),
        Err(error) => return Err(error),
    }
    client
        .transaction(async |transaction| {
            let wish = match transaction.read(REQUEST).await {
                Ok(value) if value.is_empty() => return Ok(None),
                Ok(value) => value,
                Err(error) if error.is_not_found() => return Ok(None),
                Err(error) => return Err(error),
            };
            transaction.write(REQUEST, "").await?;
            Ok(Some(String::from_utf8_lossy(&wish).into_owned()))
        })
        .await
}
