//! Ours: a stack over netfront in one emulated domain, a stack over netback in another.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use embedded_io_async::{Read, Write};
use morgana_emul::{DomainConfig, Hypervisor, Outcome};
use morgana_exec::Handle;
use morgana_hal::{DomId, Exit};
use morgana_net_device::{Device, Offload};
use morgana_net_stack::{
    AddressConfig, Buffers, ConnectOptions, Limits, ListenOptions, Stack, StackConfig, TcpListener,
    TcpOptions, TcpStream,
};
use morgana_netback::{Config, RxNotify};
use morgana_netfront::{Chains, Features};

use crate::BLOCK;
use crate::device::{Back, Front};

const BACK: DomId = DomId::new(0);
const FRONT: DomId = DomId::new(1);
const FRONT_ADDRESS: &str = "ip=10.0.0.1/24 ip6=off";
const BACK_ADDRESS: &str = "ip=10.0.0.2/24 ip6=off";
const SINK: &str = "10.0.0.2:5001";

/// As a domain of 32 MiB has it: for a bulk stream and more.
const BUFFER_MEMORY: usize = 8 << 20;

/// Eight large frames, so that both ends, which run at once, find something to do while what the other has done is on its way. (On Xen fewer are faster.)
const BUFFERS: Buffers = Buffers {
    receive: 524_288,
    transmit: 524_288,
};

const FEATURES: Features = Features {
    checksum: Offload::Both,
    chains: Chains::Several,
    segmentation: Offload::Both,
};

/// Sends from the front end to the back end; gives the time until the receiver had all.
pub(crate) fn stream(bytes: u64) -> Result<Duration> {
    let machine = Hypervisor::new();
    let (back, front) = (
        machine.create(DomainConfig::default())?,
        machine.create(DomainConfig::default())?,
    );
    let (tell_keys, keys) = mpsc::channel();
    let (tell_done, done) = mpsc::channel();
    let (tell_end, ended) = mpsc::channel::<()>();
    let sender = front.spawn(move |platform, tasks, _| async move {
        let config = morgana_netfront::Config::default();
        let link = morgana_netfront::Link::new(&platform, BACK, &config, FEATURES, 1500);
        let Ok(mut link) = link else {
            return Exit::Crash;
        };
        link.flush();
        if tell_keys.send(link.keys()).is_err() {
            return Exit::Crash;
        }
        match send(Front(link), &tasks, bytes).await {
            Ok(took) => {
                let _ = tell_done.send(took);
            }
            Err(error) => eprintln!("sender: {error}"),
        }
        // The back end unmaps first.
        let _ = ended.recv();
        Exit::Poweroff
    })?;
    let receiver = back.spawn(move |platform, tasks, _| async move {
        let Ok(keys) = keys.recv() else {
            return Exit::Crash;
        };
        let (notify, config) = (RxNotify::WhenAsked, Config::default());
        let link = morgana_netback::Link::new(&platform, FRONT, &keys, FEATURES, notify, &config);
        let Ok(link) = link else {
            return Exit::Crash;
        };
        if let Err(error) = receive(Back(link), &tasks).await {
            eprintln!("receiver: {error}");
        }
        drop(tell_end);
        Exit::Poweroff
    })?;
    for domain in [receiver, sender] {
        ensure!(
            domain.join() == Outcome::Exited(Exit::Poweroff),
            "a domain failed"
        );
    }
    Ok(done.recv()?)
}

fn stack(device: impl Device + 'static, tasks: &Handle, addresses: &str) -> Result<Stack> {
    let config = StackConfig {
        addresses: AddressConfig::parse(addresses).map_err(|error| anyhow::anyhow!("{error}"))?,
        limits: Limits {
            buffer_memory: BUFFER_MEMORY,
            ..Limits::default()
        },
        seed: [7, 8],
    };
    let (stack, runner) = Stack::new(device, config, &tasks.timers());
    tasks
        .spawn(async move { match runner.run().await {} })
        .map_err(|_| anyhow::anyhow!("no task is left"))?;
    Ok(stack)
}

fn bulk() -> TcpOptions {
    TcpOptions {
        buffers: Some(BUFFERS),
        ..TcpOptions::default()
    }
}

async fn send(device: Front, tasks: &Handle, bytes: u64) -> Result<Duration> {
    let stack = stack(device, tasks, FRONT_ADDRESS)?;
    let options = ConnectOptions {
        tcp: bulk(),
        ..ConnectOptions::default()
    };
    let mut stream = TcpStream::connect(&stack, SINK.parse()?, options).await?;
    let block = vec![0x5a; BLOCK];
    let start = Instant::now();
    let mut left = bytes;
    while left > 0 {
        let len = left.min(BLOCK as u64);
        stream.write_all(&block[..len as usize]).await?;
        left -= len;
    }
    stream.shutdown();
    ensure!(stream.read(&mut [0]).await? == 0, "the sink does not send");
    Ok(start.elapsed())
}

async fn receive(device: Back, tasks: &Handle) -> Result<()> {
    let stack = stack(device, tasks, BACK_ADDRESS)?;
    let options = ListenOptions {
        tcp: bulk(),
        ..ListenOptions::default()
    };
    let listener = TcpListener::bind(&stack, 5001, options)?;
    let mut stream = listener.accept().await;
    let mut block = vec![0; BLOCK];
    while stream.read(&mut block).await? > 0 {}
    stream.shutdown();
    // What is left to be sent leaves before the domain ends.
    tasks.timers().sleep(Duration::from_millis(100)).await;
    Ok(())
}
