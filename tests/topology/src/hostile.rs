//! A guest that connects by the book, and then writes anything into its rings.

use std::time::Duration;

use morgana_hal::{Channel, DomId, Events, Memory, Pages, Platform, SharedPages};
use morgana_xenstore_client::{Client, Error};

use crate::{Inside, Random, World};

const DIRECTORY: &str = "device/vif/0";

/// Starts such a guest, whose back end is in `back`.
pub fn hostile(world: &mut World, back: DomId) -> Inside {
    let random = Random::new(world.random.number());
    world.start(move |inside| main(inside, back, random))
}

async fn main(inside: Inside, back: DomId, mut random: Random) {
    let client = inside.xenstore();
    loop {
        // Whatever does not work is tried again.
        let _ = attack(&inside, &client, back, &mut random).await;
        inside
            .handle
            .timers()
            .sleep(Duration::from_millis(100))
            .await;
    }
}

async fn attack(
    inside: &Inside,
    client: &Client,
    back: DomId,
    random: &mut Random,
) -> Result<(), Error> {
    let (platform, timers) = (&inside.platform, inside.handle.timers());
    let (Ok(tx), Ok(rx), Ok(channel)) = (
        platform.memory().share(back, 1),
        platform.memory().share(back, 1),
        platform.events().listen(back),
    ) else {
        return Ok(());
    };
    let mut keys = vec![
        ("tx-ring-ref", tx.grants()[0].number().to_string()),
        ("rx-ring-ref", rx.grants()[0].number().to_string()),
        ("event-channel", channel.port().number().to_string()),
        ("request-rx-copy", "1".to_owned()),
    ];
    if random.below(4) == 0 {
        let wrong = random.below(keys.len() as u64) as usize;
        keys[wrong].1 = random.number().to_string();
    }
    for (key, value) in keys.into_iter().chain([("state", "4".to_owned())]) {
        client.write(&format!("{DIRECTORY}/{key}"), value).await?;
    }
    for _ in 0..random.below(60) {
        let page = if random.below(2) == 0 { &tx } else { &rx };
        // Mostly the indices, sometimes the entries.
        let place = match random.below(3) {
            0 => random.below(1024) as usize * 4,
            _ => random.below(4) as usize * 4,
        };
        let value = match random.below(2) {
            0 => random.below(300) as u32,
            _ => random.number() as u32,
        };
        page.region().store_u32(place, value);
        channel.notify();
        timers.sleep(Duration::from_micros(random.below(200))).await;
    }
    client.write(&format!("{DIRECTORY}/state"), "6").await?;
    timers
        .sleep(Duration::from_millis(random.below(2000)))
        .await;
    client.write(&format!("{DIRECTORY}/state"), "1").await
}
