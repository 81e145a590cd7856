//! What a round trip costs while other connections idle, here and with all sockets in one smoltcp set.
//!
//! `cargo run --release -p morgana-net-stack --example scale` prints one JSON object a line: the time of a round trip of 100 bytes over an
//! in-memory wire, both ends included, in nanoseconds, and the throughput of a bulk transfer.

#![allow(clippy::print_stdout, reason = "that is what it is for")]

use std::time::{Duration, Instant as Wall};

use embedded_io_async::{Read, Write};
use morgana_exec::{Executor, ManualClock, join, yield_now};
use morgana_hal::Instant;
use morgana_net_device::{MacAddr, Offload, PairConfig, PairDevice, pair};
use morgana_net_stack::{
    AddressConfig, ConnectOptions, Limits, ListenOptions, Stack, StackConfig, TcpListener,
    TcpStream,
};

#[path = "scale/plain.rs"]
mod plain;

/// Round trips that are timed.
const ROUND_TRIPS: u32 = 20_000;
/// Bytes of the bulk transfer.
const BULK: usize = 64 << 20;

fn main() {
    for idle in [0, 10, 100, 1000] {
        let ours = median(|| ours(idle));
        let plain = median(|| plain::round_trip(idle, ROUND_TRIPS));
        println!(
            "{{\"bench\":\"stack\",\"case\":\"round-trip-{idle}-idle\",\"unit\":\"ns\",\"ours\":{},\"peer\":\"smoltcp-one-set\",\"theirs\":{},\"ratio\":{:.2}}}",
            ours.as_nanos(),
            plain.as_nanos(),
            plain.as_secs_f64() / ours.as_secs_f64(),
        );
    }
    for (case, offload) in [("bulk", Offload::None), ("bulk-offload", Offload::Both)] {
        let time = median(|| bulk(offload));
        let rate = BULK as f64 / time.as_secs_f64() / 1e6;
        println!(
            "{{\"bench\":\"stack\",\"case\":\"{case}\",\"unit\":\"MB/s\",\"ours\":{rate:.0}}}"
        );
    }
}

fn median(mut measure: impl FnMut() -> Duration) -> Duration {
    let mut times = [measure(), measure(), measure()];
    times.sort_unstable();
    times[1]
}

pub(crate) const MACS: [MacAddr; 2] = [MacAddr([2, 0, 0, 0, 0, 1]), MacAddr([2, 0, 0, 0, 0, 2])];

struct World {
    executor: Executor,
    clock: ManualClock,
    client: Stack,
    server: Stack,
}

fn world(offload: Offload) -> World {
    let clock = ManualClock::default();
    clock.set(Instant::from_nanos(1_000_000_000));
    let mut executor = Executor::new();
    executor.turn(Instant::from_nanos(1_000_000_000));
    let config = PairConfig {
        offload,
        ..PairConfig::default()
    };
    let (left, right) = pair(MACS, config);
    let stack = |device: PairDevice, addresses| {
        let config = StackConfig {
            addresses: AddressConfig::parse(addresses).unwrap(),
            limits: Limits {
                connections: 4096,
                ..Limits::default()
            },
            seed: [5, 6],
        };
        let (stack, runner) = Stack::new(device, config, &executor.handle().timers());
        let task = executor.handle().spawn(async move {
            runner.run().await;
        });
        drop(task.unwrap());
        stack
    };
    let client = stack(left, "ip=10.0.0.1/24 ip6=off");
    let server = stack(right, "ip=10.0.0.2/24 ip6=off");
    World {
        executor,
        clock,
        client,
        server,
    }
}

async fn connection(client: &Stack, listener: &TcpListener) -> (TcpStream, TcpStream) {
    let remote = "10.0.0.2:7".parse().unwrap();
    let connect = TcpStream::connect(client, remote, ConnectOptions::default());
    let (client, server) = join(connect, listener.accept()).await;
    (client.unwrap(), server)
}

/// The time of a round trip with so many other connections open.
fn ours(idle: usize) -> Duration {
    let World {
        mut executor,
        clock,
        client,
        server,
    } = world(Offload::None);
    let ticking = clock.clone();
    let main = async move {
        let listener = TcpListener::bind(&server, 7, ListenOptions::default()).unwrap();
        let mut others = Vec::new();
        for _ in 0..idle {
            others.push(connection(&client, &listener).await);
            tick(&ticking, 20_000).await;
        }
        let (mut one, mut other) = connection(&client, &listener).await;
        let start = Wall::now();
        let mut buf = [0; 100];
        for _ in 0..ROUND_TRIPS {
            one.write_all(&[1; 100]).await.unwrap();
            other.read_exact(&mut buf).await.unwrap();
            other.write_all(&[2; 100]).await.unwrap();
            one.read_exact(&mut buf).await.unwrap();
            tick(&ticking, 100).await;
        }
        start.elapsed() / ROUND_TRIPS
    };
    executor.block_on(main, &mut clock.idle(), &clock)
}

/// Lets so many microseconds pass.
async fn tick(clock: &ManualClock, micros: u64) {
    use morgana_hal::Clock;
    clock.set(clock.now() + Duration::from_micros(micros));
    yield_now().await;
}

fn bulk(offload: Offload) -> Duration {
    let World {
        mut executor,
        clock,
        client,
        server,
    } = world(offload);
    let main = async move {
        let listener = TcpListener::bind(&server, 7, ListenOptions::default()).unwrap();
        let (mut one, mut other) = connection(&client, &listener).await;
        let start = Wall::now();
        let write = async {
            let piece = vec![1; 16 << 10];
            for _ in 0..BULK / piece.len() {
                one.write_all(&piece).await.unwrap();
            }
            one.shutdown();
        };
        let read = async {
            let mut buf = vec![0; 16 << 10];
            let mut total = 0;
            loop {
                match other.read(&mut buf).await.unwrap() {
                    0 => break,
                    read => total += read,
                }
            }
            assert_eq!(total, BULK);
        };
        join(write, read).await;
        start.elapsed()
    };
    executor.block_on(main, &mut clock.idle(), &clock)
}
