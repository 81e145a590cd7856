//! The client's end.

use alloc::vec::Vec;

use morgana_hal::{
    Channel, DomId, EventError, Events, GrantRef, Memory, MemoryError, Pages as _, Platform,
};
use morgana_xenstore_client::{Client, Error, KeyError, Problem};
use morgana_xenstore_wire::Errno;

use crate::VchanError;
use crate::keys::Keys;
use crate::layout::{
    CLIENT_LIVE, GONE, GRANTS, NOTIFY_WRITE, ORDERS, Orders, SERVER_LIVE, Sizes, THERE,
};
use crate::memory::Shared;
use crate::vchan::{End, Pages, Vchan};

/// Takes up the vchan that the domain `peer` offers at `path` in xenstore; waits until there is one. One that is no longer served counts as
/// none.
///
/// # Errors
///
/// [`VchanError`].
pub async fn connect<P: Platform>(
    platform: &P,
    client: &Client,
    peer: DomId,
    path: &str,
) -> Result<Vchan<P>, VchanError> {
    connect_within(platform, client, peer, path, Sizes::MOST).await
}

/// As [`connect`], for those who map the pages of strangers: no rings larger than `most` are taken up.
///
/// # Errors
///
/// [`VchanError`].
pub async fn connect_within<P: Platform>(
    platform: &P,
    client: &Client,
    peer: DomId,
    path: &str,
    most: Sizes,
) -> Result<Vchan<P>, VchanError> {
    let watch = client.watch(path).await?;
    loop {
        if let Some(vchan) = connect_now(platform, client, peer, path, most).await? {
            return Ok(vchan);
        }
        watch.next().await?;
    }
}

/// As [`connect_within`], for those who watch the keys themselves: `None` if no vchan is offered now.
///
/// # Errors
///
/// [`VchanError`].
pub async fn connect_now<P: Platform>(
    platform: &P,
    client: &Client,
    peer: DomId,
    path: &str,
    most: Sizes,
) -> Result<Option<Vchan<P>>, VchanError> {
    while let Some(keys) = keys(client, path).await? {
        let attached = attach_within(platform, peer, keys, most);
        // While it was taken up another server may have replaced the keys: numbers of grants and ports are used again.
        if self::keys(client, path).await? != Some(keys) {
            continue;
        }
        return match attached {
            Err(error) if is_left(&error) => Ok(None),
            attached => attached.map(Some),
        };
    }
    Ok(None)
}

/// The server's keys, if there are any. Below a node that this domain may not read, what is not there is refused.
async fn keys(client: &Client, path: &str) -> Result<Option<Keys>, KeyError> {
    match Keys::read(client, path).await {
        Err(error) if error.is_not_found() || is_refused(&error) => Ok(None),
        keys => keys.map(Some),
    }
}

fn is_refused(error: &KeyError) -> bool {
    matches!(
        error.problem,
        Problem::Request(Error::Refused(Errno::Access))
    )
}

/// Whether it is what a server that is gone has left, or what one that comes has not written yet.
fn is_left(error: &VchanError) -> bool {
    matches!(
        error,
        VchanError::Closed
            | VchanError::BadOrders(0)
            | VchanError::Memory(MemoryError::BadGrant | MemoryError::NoSuchDomain)
            | VchanError::Channel(EventError::Refused | EventError::NoSuchDomain)
    )
}

/// Takes up the vchan of the domain `peer` whose keys are these.
///
/// # Errors
///
/// [`VchanError`]: what the server has written makes no sense, or it is gone.
pub fn attach<P: Platform>(platform: &P, peer: DomId, keys: Keys) -> Result<Vchan<P>, VchanError> {
    attach_within(platform, peer, keys, Sizes::MOST)
}

fn attach_within<P: Platform>(
    platform: &P,
    peer: DomId,
    keys: Keys,
    most: Sizes,
) -> Result<Vchan<P>, VchanError> {
    let import = |grants: &[GrantRef]| platform.memory().import(peer, grants);
    let page = import(&[keys.ring])?;
    let region = page.region();
    // Read once: the server may change it.
    let word = region.load_u32(ORDERS);
    let orders = Orders::from_word(word).ok_or(VchanError::BadOrders(word))?;
    if !orders.are_within(most) {
        return Err(VchanError::NotWithin(word));
    }
    let grants: Vec<GrantRef> = (0..orders.pages())
        .map(|index| region.load_u32(GRANTS + index * size_of::<u32>()))
        .map(GrantRef::new)
        .collect();
    let (left, right) = grants.split_at(orders.left.pages());
    let lane = |grants: &[GrantRef]| match grants {
        [] => Ok(None),
        grants => import(grants).map(|pages| Some(Shared::Mapped(pages))),
    };
    let (left, right) = (lane(left)?, lane(right)?);
    let mut live = [GONE];
    region.read(SERVER_LIVE, &mut live);
    if live[0] == GONE {
        return Err(VchanError::Closed);
    }
    let channel = platform.events().connect(peer, keys.port)?;
    page.tell_when_gone(CLIENT_LIVE, channel.port());
    region.write(CLIENT_LIVE, &[THERE]);
    region.set_bits(End::Client.wishes(), NOTIFY_WRITE);
    channel.notify();
    let pages = Pages {
        page: Shared::Mapped(page),
        left,
        right,
    };
    Ok(Vchan::new(pages, channel, orders, End::Client))
}
