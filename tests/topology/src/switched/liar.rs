//! A guest with a front end in order, and frames that are not: from others' addresses, from none, to bridges.

use std::rc::Rc;
use std::time::Duration;

use morgana_emul::EmulPlatform;
use morgana_net_device::MacAddr;
use morgana_netfront::{Netfront, TxMeta};

use crate::switched::frame::{EVERYBODY, Header, JUNK, Purpose, SHORTEST};
use crate::switched::roster::{Epoch, Roster, SEATS, Seat};
use crate::switched::station::connect;
use crate::{Inside, Random, World, control};

/// IEEE 802.1Q, table 8-1: the address of all bridges.
const BRIDGES: MacAddr = MacAddr([0x01, 0x80, 0xc2, 0, 0, 0]);

/// Starts one that pretends to be one of the roster's stations.
pub fn liar(world: &mut World, roster: &Rc<Roster>) -> Inside {
    let (roster, random) = (roster.clone(), Random::new(world.random.number()));
    world.start(move |inside| main(inside, roster, random))
}

async fn main(inside: Inside, roster: Rc<Roster>, mut random: Random) {
    let mut front = connect(&inside).await;
    let own = control::mac(inside.id());
    let timers = inside.handle.timers();
    loop {
        for _ in 0..random.below(60) {
            lie(&mut front, &roster, own, &mut random);
        }
        front.flush();
        while front.receive().is_some() {}
        timers
            .sleep(Duration::from_micros(random.below(3000)))
            .await;
    }
}

/// Sends one frame, if there is room for it.
fn lie(front: &mut Netfront<EmulPlatform>, roster: &Roster, own: MacAddr, random: &mut Random) {
    let victim = Seat(random.below(SEATS as u64) as usize);
    let (there, all) = (roster.mac(victim), EVERYBODY);
    let to = if random.below(4) == 0 { all } else { there };
    let other = roster.mac(roster.other(victim, random));
    let (to, from) = match random.below(6) {
        0 => (to, other),
        1 => (to, all),
        2 => (to, MacAddr([0; 6])),
        3 => (BRIDGES, own),
        // What comes from a port for a station behind it stays there.
        4 => (own, own),
        _ => return noise(front, to, own, random),
    };
    let header = Header {
        to,
        from,
        purpose: Purpose::Forged,
        sender: victim,
        sender_epoch: Epoch::default(),
        learned: None,
        serial: roster.number(),
        answers: 0,
    };
    send(front, SHORTEST, |frame| header.write(frame));
}

/// From the own address and to whomever: nobody may forbid that.
fn noise(front: &mut Netfront<EmulPlatform>, to: MacAddr, own: MacAddr, random: &mut Random) {
    let len = 14 + random.below(front.max_frame() as u64 - 13) as usize;
    send(front, len, |frame| {
        frame.fill_with(|| random.number() as u8);
        frame[..6].copy_from_slice(&to.0);
        frame[6..12].copy_from_slice(&own.0);
        frame[12..14].copy_from_slice(&JUNK);
    });
}

fn send(front: &mut Netfront<EmulPlatform>, len: usize, write: impl FnOnce(&mut [u8])) {
    if let Some(slot) = front.transmit() {
        slot.send(len, |frame| {
            write(frame);
            TxMeta::default()
        });
    }
}
