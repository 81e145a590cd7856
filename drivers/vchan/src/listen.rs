//! The server's end.

use morgana_hal::{Channel, DomId, Events, Memory, MemoryError, Pages as _, Platform, SharedPages};
use morgana_xenstore_client::Client;

use crate::VchanError;
use crate::keys::Keys;
use crate::layout::{
    CLIENT_LIVE, CLIENT_NOTIFY, GRANTS, NOT_YET, NOTIFY_WRITE, ORDERS, Order, Orders, SERVER_LIVE,
    Sizes, THERE,
};
use crate::memory::Shared;
use crate::vchan::{End, Pages, Vchan};

/// Offers a vchan to the domain `peer`, at `path` in xenstore, as libxenvchan's servers do. What is written to it before the client comes waits
/// in the ring. The keys stay when it is dropped; who listens at the same path again replaces them.
///
/// # Errors
///
/// [`VchanError`].
pub async fn listen<P: Platform>(
    platform: &P,
    client: &Client,
    peer: DomId,
    path: &str,
    sizes: Sizes,
) -> Result<Vchan<P>, VchanError> {
    let (vchan, keys) = offer(platform, peer, sizes)?;
    let own = DomId::new(client.read_number("domid").await?);
    keys.write(client, path, own, peer).await?;
    Ok(vchan)
}

/// Makes a server's end for the domain `peer`, and what its client needs to know: for those who tell it otherwise than by xenstore.
///
/// # Errors
///
/// [`VchanError::TooLarge`], [`VchanError::Memory`] and [`VchanError::Channel`].
pub fn offer<P: Platform>(
    platform: &P,
    peer: DomId,
    sizes: Sizes,
) -> Result<(Vchan<P>, Keys), VchanError> {
    let orders = Orders::of(sizes).ok_or(VchanError::TooLarge)?;
    let share = |pages| platform.memory().share(peer, pages);
    let page = share(1)?;
    let lane = |order: Order| -> Result<_, MemoryError> {
        match order.pages() {
            0 => Ok(None),
            pages => share(pages).map(Some),
        }
    };
    let (left, right) = (lane(orders.left)?, lane(orders.right)?);
    let channel = platform.events().listen(peer)?;

    let region = page.region();
    region.store_u32(ORDERS, orders.word());
    region.write(CLIENT_LIVE, &[NOT_YET]);
    region.write(SERVER_LIVE, &[THERE]);
    region.write(CLIENT_NOTIFY, &[NOTIFY_WRITE]);
    page.tell_when_gone(SERVER_LIVE, channel.port());
    let grants = [&left, &right].into_iter().flatten();
    let grants = grants.flat_map(|pages| pages.grants());
    for (index, grant) in grants.enumerate() {
        region.store_u32(GRANTS + index * size_of::<u32>(), grant.number());
    }

    let ring = *page.grants().first().ok_or(MemoryError::NoFreeGrant)?;
    let keys = Keys {
        ring,
        port: channel.port(),
    };
    let pages = Pages {
        page: Shared::Own(page),
        left: left.map(Shared::Own),
        right: right.map(Shared::Own),
    };
    Ok((Vchan::new(pages, channel, orders, End::Server), keys))
}
