//! Where the logger and those who use it find each other in xenstore.

use alloc::string::ToString;

use morgana_hal::DomId;
use morgana_xenstore_client::{Client, Error, KeyError, Problem};
use morgana_xenstore_wire::{Access, Errno, Permission};

/// Which domain is the machine's logger: a number that every domain may read. Written again whenever there is another one, or the same one begins anew.
pub const LOGGER: &str = "/tool/morgana/logger/domid";

/// Below this folder of its home a domain offers vchans to the logger, each at a name of its own.
pub const OFFERS: &str = "data/log";

/// The machine's logger, if there is one.
///
/// # Errors
///
/// [`KeyError`].
pub async fn logger(client: &Client) -> Result<Option<DomId>, KeyError> {
    let refused = |error: &KeyError| {
        matches!(
            error.problem,
            Problem::Request(Error::Refused(Errno::Access))
        )
    };
    match client.read_number(LOGGER).await {
        Ok(number) => Ok(Some(DomId::new(number))),
        Err(error) if error.is_not_found() || refused(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Tells all domains that this one is the machine's logger. Only the control domain may.
///
/// # Errors
///
/// [`Error`].
pub async fn publish(client: &Client, domain: DomId) -> Result<(), Error> {
    let everybody = Permission {
        domain: DomId::DOM0,
        access: Access::Read,
    };
    client
        .transaction(async |tree| {
            tree.write(LOGGER, domain.number().to_string()).await?;
            tree.set_permissions(LOGGER, &[everybody]).await
        })
        .await
}
