//! Which disks there are.

use alloc::vec::Vec;

use morgana_blkif::{Vdev, keys};
use morgana_xenbus::frontends;
use morgana_xenstore_client::{Client, Error};

/// The disks that the toolstack has given to this domain, in the order of their numbers.
///
/// # Errors
///
/// [`Error`]; no disks at all is not one.
pub async fn disks(client: &Client) -> Result<Vec<Vdev>, Error> {
    let numbers = frontends(client, keys::CLASS).await?;
    Ok(numbers.into_iter().map(Vdev::new).collect())
}
