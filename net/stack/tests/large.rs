//! Streams over a device that takes large TCP frames.

mod common;

use core::time::Duration;

use common::*;
use morgana_exec::join;
use morgana_net_device::{FaultPlan, Offload, SegmentationOffload};
use morgana_net_stack::{
    Buffers, ConnectOptions, Limits, ListenOptions, Stats, TcpListener, TcpOptions, TcpStream,
};

/// Sends `bytes` from left to right over a connection with large buffers. Gives what both stacks counted.
fn transfer(ip: &'static str, setup: Setup, bytes: usize) -> [Stats; 2] {
    run(setup, move |world| async move {
        let tcp = TcpOptions {
            buffers: Some(Buffers::BULK),
            ..TcpOptions::default()
        };
        let options = ListenOptions {
            tcp,
            ..ListenOptions::default()
        };
        let listener = TcpListener::bind(&world.right, 7, options).unwrap();
        let sent: Vec<u8> = (0..bytes).map(|at| ((at * 31) >> 3) as u8).collect();
        let server = async {
            let mut stream = listener.accept().await;
            read_to_end(&mut stream).await
        };
        let client = async {
            let options = ConnectOptions {
                tcp,
                ..ConnectOptions::default()
            };
            let connected = TcpStream::connect(&world.left, addr(ip, 7), options).await;
            let mut stream = connected.unwrap();
            write_all(&mut stream, &sent).await;
            stream.shutdown();
            read_to_end(&mut stream).await
        };
        let (received, nothing) = join(server, client).await;
        assert!(received == sent && nothing.is_empty());
        [world.left.stats(), world.right.stats()]
    })
}

fn setup(kinds: Offload, max_frame: usize) -> Setup {
    Setup {
        offload: Offload::Both,
        segmentation: SegmentationOffload { kinds, max_frame },
        ..Setup::default()
    }
}

#[test]
fn a_stream_takes_few_frames() {
    for ip in [RIGHT, RIGHT6] {
        for max_frame in [9_000, 65_535] {
            let [left, right] = transfer(ip, setup(Offload::Both, max_frame), 1 << 20);
            assert!(left.large_sent > 0);
            assert_eq!(left.large_sent, right.large_received);
            assert!(left.frames_sent < (1 << 20) / 1460 / 2);
            assert_eq!(right.bad_checksums + right.malformed, 0);
        }
    }
}

#[test]
fn what_the_device_does_not_take_is_not_sent() {
    for (kinds, large) in [
        (Offload::None, [false, false]),
        (Offload::Ipv4, [true, false]),
        (Offload::Ipv6, [false, true]),
    ] {
        for (ip, large) in [RIGHT, RIGHT6].into_iter().zip(large) {
            let [left, _] = transfer(ip, setup(kinds, 65_535), 300_000);
            assert_eq!(left.large_sent > 0, large);
        }
    }
}

#[test]
fn nothing_is_lost_where_frames_are() {
    for seed in 0..10 {
        let faults = FaultPlan {
            drop_per_mille: 30,
            duplicate_per_mille: 20,
            reorder_per_mille: 50,
            ..FaultPlan::default()
        };
        let setup = Setup {
            faults,
            seed,
            ..setup(Offload::Both, 65_535)
        };
        let [left, _] = transfer(RIGHT, setup, 500_000);
        assert!(left.large_sent > 0);
    }
}

/// A sender that begins slowly sends one large frame and waits: what was several segments is acknowledged at once, like every second one.
#[test]
fn a_large_frame_is_acknowledged_at_once() {
    let waited = run(setup(Offload::Both, 65_535), |world| async move {
        let listener = TcpListener::bind(&world.right, 7, ListenOptions::default()).unwrap();
        let tcp = TcpOptions {
            buffers: Some(Buffers {
                receive: 4096,
                transmit: 2 * 1460,
            }),
            ..TcpOptions::default()
        };
        let options = ConnectOptions {
            tcp,
            ..ConnectOptions::default()
        };
        let connected = TcpStream::connect(&world.left, addr(RIGHT, 7), options);
        let (accepted, connected) = join(listener.accept(), connected).await;
        let mut stream = connected.unwrap();
        let before = world.timers.now();
        // Only an acknowledgement makes room for the last byte.
        write_all(&mut stream, &[1; 2 * 1460]).await;
        write_all(&mut stream, &[2]).await;
        let waited = world.timers.now().since(before);
        assert!(world.left.stats().large_sent > 0);
        drop((stream, accepted));
        waited
    });
    assert!(waited < Duration::from_millis(10), "{waited:?}");
}

#[test]
fn buffers_are_halved_until_they_fit() {
    // A quarter of it is less than the buffers that both ends ask for, and more than ordinary ones.
    let limits = Limits {
        buffer_memory: 4 * 300_000,
        ..Limits::default()
    };
    let setup = Setup {
        left_limits: limits.clone(),
        right_limits: limits,
        ..setup(Offload::Both, 65_535)
    };
    let [left, _] = transfer(RIGHT, setup, 1 << 20);
    // Ordinary windows hold no frame of more than 8,192 bytes.
    assert!(left.frames_sent < (1 << 20) / 8192 / 2, "{left:?}");
}
