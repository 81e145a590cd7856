//! Which devices there are.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use morgana_hal::DomId;
use morgana_xenstore_client::{Client, Error};

/// Where a back end's device is: `backend/KIND/FRONTEND/INDEX`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct BackendAddress {
    /// The domain that it serves.
    pub frontend: DomId,
    /// The device's number there (`handle` for a vif, the device number for a vbd).
    pub index: u32,
}

/// The numbers of the front ends of a kind (`vif`, `vbd`) that the toolstack has given to this domain, ascending.
///
/// # Errors
///
/// [`Error`]; no devices at all is not one.
pub async fn frontends(client: &Client, kind: &str) -> Result<Vec<u32>, Error> {
    numbers(client, &frontend_path_of(kind)).await
}

/// The back ends of a kind that the toolstack has given to this domain, ascending.
///
/// # Errors
///
/// [`Error`]; no devices at all is not one.
pub async fn backends(client: &Client, kind: &str) -> Result<Vec<BackendAddress>, Error> {
    let mut addresses = Vec::new();
    let root = format!("backend/{kind}");
    for frontend in numbers::<u16>(client, &root).await? {
        for index in numbers(client, &format!("{root}/{frontend}")).await? {
            let frontend = DomId::new(frontend);
            addresses.push(BackendAddress { frontend, index });
        }
    }
    Ok(addresses)
}

/// The own directory of a front end, relative to the domain's home.
pub(crate) fn frontend_path(kind: &str, index: u32) -> String {
    format!("device/{kind}/{index}")
}

/// The own directory of a back end, relative to the domain's home.
pub(crate) fn backend_path(kind: &str, address: BackendAddress) -> String {
    let (frontend, index) = (address.frontend.number(), address.index);
    format!("backend/{kind}/{frontend}/{index}")
}

fn frontend_path_of(kind: &str) -> String {
    format!("device/{kind}")
}

/// The children of a node whose names are numbers, without leading zeros, ascending.
async fn numbers<N>(client: &Client, path: &str) -> Result<Vec<N>, Error>
where
    N: core::str::FromStr + Ord + ToString,
{
    let names = match client.children(path).await {
        Err(error) if error.is_not_found() => return Ok(Vec::new()),
        result => result?,
    };
    let number = |name: &String| name.parse::<N>().ok().filter(|n| n.to_string() == *name);
    let mut numbers: Vec<N> = names.iter().filter_map(number).collect();
    numbers.sort();
    Ok(numbers)
}
