//! Megabytes over a wire that loses, damages, repeats and reorders frames; every seed replays exactly.

mod common;

use std::time::Duration;

use common::*;
use embedded_io_async::{Read, Write};
use morgana_exec::join;
use morgana_net_device::{FaultPlan, Offload};
use morgana_net_stack::{ConnectOptions, ListenOptions, TcpListener, TcpStream};

/// Sends `len` bytes both ways at once, and compares what arrives.
fn transfer(setup: Setup, ip: &'static str, len: usize) {
    // Where much is lost, either side may give up before it has heard that the other one has closed.
    let closes = setup.faults.drop_per_mille < 100;
    let seed = setup.seed;
    run(setup, move |world| async move {
        let listener = TcpListener::bind(&world.right, 7, ListenOptions::default()).unwrap();
        let options = ConnectOptions {
            timeout: Duration::from_secs(600),
            ..ConnectOptions::default()
        };
        let connect = TcpStream::connect(&world.left, addr(ip, 7), options);
        let (client, mut server) = join(connect, listener.accept()).await;
        let mut client = client.unwrap();
        join(
            exchange(&mut client, seed, seed + 1, len),
            exchange(&mut server, seed + 1, seed, len),
        )
        .await;
        if closes {
            client.shutdown();
            server.shutdown();
            join(read_to_end(&mut client), read_to_end(&mut server)).await;
        }
    });
}

async fn exchange(stream: &mut TcpStream, sends: u64, hears: u64, len: usize) {
    let sent = bytes(sends, len);
    let expected = bytes(hears, len);
    let (mut reader, mut writer) = stream.split();
    let write = async { writer.write_all(&sent).await.unwrap() };
    let read = async {
        let mut heard = vec![0; len];
        reader.read_exact(&mut heard).await.unwrap();
        assert!(heard == expected, "seed {sends}");
    };
    join(write, read).await;
}

#[test]
fn without_faults() {
    for (ip, offload) in [(RIGHT, Offload::None), (RIGHT6, Offload::Both)] {
        let setup = Setup {
            offload,
            ..Setup::default()
        };
        transfer(setup, ip, 2 << 20);
    }
}

#[test]
fn with_every_fault() {
    for seed in 1..=8 {
        let setup = Setup {
            seed,
            faults: FaultPlan {
                drop_per_mille: 20,
                corrupt_per_mille: 20,
                duplicate_per_mille: 20,
                reorder_per_mille: 50,
            },
            ..Setup::default()
        };
        let ip = if seed % 2 == 0 { RIGHT } else { RIGHT6 };
        transfer(setup, ip, 300_000);
    }
}

#[test]
fn over_a_wire_that_is_always_full() {
    for seed in 1..=4 {
        let setup = Setup {
            seed,
            frames: 2,
            faults: FaultPlan {
                drop_per_mille: 10,
                ..FaultPlan::default()
            },
            ..Setup::default()
        };
        transfer(setup, RIGHT, 200_000);
    }
}

#[test]
fn a_fifth_of_all_frames_lost() {
    let setup = Setup {
        faults: FaultPlan {
            drop_per_mille: 200,
            ..FaultPlan::default()
        },
        ..Setup::default()
    };
    transfer(setup, RIGHT, 20_000);
}
