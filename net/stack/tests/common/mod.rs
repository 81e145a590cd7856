//! Two stacks, a wire with faults between them, and a clock that jumps.

#![allow(dead_code, reason = "no test uses everything")]

pub(crate) mod raw;

use std::future::Future;
use std::net::SocketAddr;

use embedded_io_async::{Read, Write};
use morgana_exec::{Executor, Handle, ManualClock, Task, Timers};
use morgana_net_device::{
    FaultPlan, Faulty, MacAddr, Offload, PairConfig, SegmentationOffload, SplitMix, pair,
};
use morgana_net_stack::{AddressConfig, Limits, Stack, StackConfig, TcpStream};

pub(crate) const LEFT: &str = "10.0.0.1";
pub(crate) const RIGHT: &str = "10.0.0.2";
pub(crate) const RIGHT6: &str = "fd00::2";
pub(crate) const MACS: [MacAddr; 2] = [MacAddr([2, 0, 0, 0, 0, 1]), MacAddr([2, 0, 0, 0, 0, 2])];

/// What a world is like.
#[derive(Clone)]
pub(crate) struct Setup {
    pub(crate) left: &'static str,
    pub(crate) right: &'static str,
    pub(crate) left_limits: Limits,
    pub(crate) right_limits: Limits,
    pub(crate) faults: FaultPlan,
    pub(crate) seed: u64,
    pub(crate) offload: Offload,
    pub(crate) segmentation: SegmentationOffload,
    pub(crate) frames: usize,
    pub(crate) ip_mtu: usize,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            left: "ip=10.0.0.1/24 ip6=fd00::1/64",
            right: "ip=10.0.0.2/24 ip6=fd00::2/64",
            left_limits: Limits::default(),
            right_limits: Limits::default(),
            faults: FaultPlan::default(),
            seed: 1,
            offload: Offload::None,
            segmentation: SegmentationOffload::NONE,
            frames: 256,
            ip_mtu: 1500,
        }
    }
}

/// Two stacks, and what runs them.
pub(crate) struct World {
    pub(crate) left: Stack,
    pub(crate) right: Stack,
    pub(crate) left_runner: Task<()>,
    pub(crate) right_runner: Task<()>,
    pub(crate) handle: Handle,
    pub(crate) timers: Timers,
}

/// Runs a test in a world of its own.
pub(crate) fn run<F, T>(setup: Setup, test: impl FnOnce(World) -> F) -> T
where
    F: Future<Output = T> + 'static,
    T: 'static,
{
    let clock = ManualClock::default();
    // Not at the origin, as no real clock is.
    clock.set(morgana_hal::Instant::from_nanos(5_000_000_000));
    let mut executor = Executor::new();
    executor.turn(morgana_hal::Instant::from_nanos(5_000_000_000));
    let handle = executor.handle();
    let config = PairConfig {
        frames: setup.frames,
        offload: setup.offload,
        ip_mtu: setup.ip_mtu,
        segmentation: setup.segmentation,
    };
    let (left, right) = pair(MACS, config);
    let left = Faulty::new(left, setup.faults, setup.seed);
    let right = Faulty::new(right, setup.faults, setup.seed ^ 0xffff);
    let timers = handle.timers();
    let stack = |device, addresses, limits: &Limits, seed| {
        let config = StackConfig {
            addresses: AddressConfig::parse(addresses).unwrap(),
            limits: limits.clone(),
            seed: [seed, 99],
        };
        let (stack, runner) = Stack::new(device, config, &timers);
        let task = handle.spawn(async move {
            runner.run().await;
        });
        (stack, task.unwrap())
    };
    let (left, left_runner) = stack(left, setup.left, &setup.left_limits, setup.seed);
    let (right, right_runner) = stack(right, setup.right, &setup.right_limits, setup.seed + 1);
    let world = World {
        left,
        right,
        left_runner,
        right_runner,
        handle,
        timers: timers.clone(),
    };
    executor.block_on(test(world), &mut clock.idle(), &clock)
}

pub(crate) fn addr(ip: &str, port: u16) -> SocketAddr {
    SocketAddr::new(ip.parse().unwrap(), port)
}

/// Bytes that are a function of a seed.
pub(crate) fn bytes(seed: u64, len: usize) -> Vec<u8> {
    let mut random = SplitMix::new(seed);
    let mut bytes = Vec::with_capacity(len + 8);
    while bytes.len() < len {
        bytes.extend(random.next_u64().to_le_bytes());
    }
    bytes.truncate(len);
    bytes
}

pub(crate) async fn write_all(stream: &mut TcpStream, bytes: &[u8]) {
    stream.write_all(bytes).await.unwrap();
}

/// Reads to the end of the stream.
pub(crate) async fn read_to_end(stream: &mut TcpStream) -> Vec<u8> {
    let mut all = Vec::new();
    let mut buf = [0; 3000];
    loop {
        match stream.read(&mut buf).await.unwrap() {
            0 => return all,
            n => all.extend(&buf[..n]),
        }
    }
}

pub(crate) async fn read_exact(stream: &mut TcpStream, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    stream.read_exact(&mut bytes).await.unwrap();
    bytes
}
