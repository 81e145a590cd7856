//! A guest and a gateway, each with a stack of its own, on one domain's thread; the test plays the host's clients on another.

use core::task::{Context, Poll};
use std::io;
use std::os::fd::AsFd;

use morgana_emul::{DomainConfig, DomainThread, Hypervisor, Reactor};
use morgana_exec::Handle;
use morgana_hal::{Exit, Platform};
use morgana_net_device::{MacAddr, PairConfig, pair};
use morgana_net_stack::{AddressConfig, Stack, StackConfig};
use morgana_usernet::{Config, Direction, Forward, Gateway, Listener, Readiness, Source};

#[derive(Clone)]
pub(crate) struct Watch(Reactor);

pub(crate) struct Watched<T: AsFd>(morgana_emul::Source<T>);

impl Readiness for Watch {
    type Source<T: AsFd + 'static> = Watched<T>;

    fn register<T: AsFd + 'static>(&self, io: T) -> io::Result<Watched<T>> {
        self.0.register(io).map(Watched)
    }
}

impl<T: AsFd + 'static> Source<T> for Watched<T> {
    fn io(&self) -> &T {
        self.0.io()
    }

    fn poll_io<R>(
        &self,
        direction: Direction,
        cx: &mut Context<'_>,
        operation: impl FnMut(&T) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        let direction = match direction {
            Direction::Read => morgana_emul::Direction::Read,
            Direction::Write => morgana_emul::Direction::Write,
        };
        self.0.poll_io(direction, cx, operation)
    }
}

/// What a guest does with its stack.
pub(crate) type Guest<F> = fn(Stack, Handle) -> F;

/// Runs `guest` on a stack configured by `addresses`, beside a gateway; hands the test the host's port, which leads where `forward` says.
pub(crate) fn machine<F>(
    config: Config,
    forward: Forward,
    addresses: &'static str,
    guest: Guest<F>,
) -> (u16, DomainThread)
where
    F: Future<Output = ()> + 'static,
{
    let listener = Listener::bind(forward).unwrap();
    let port = listener.forward().host;
    let domain = Hypervisor::new().create(DomainConfig::default()).unwrap();
    let thread = domain.spawn(move |platform, tasks, reactor| async move {
        let macs = [MacAddr([2, 0, 0, 0, 0, 1]), MacAddr([2, 0, 0, 0, 0, 2])];
        let (back, front) = pair(macs, PairConfig::default());
        let mut seed = [0; 16];
        platform.entropy(&mut seed);
        let seed = [u64::from_le_bytes(*seed.first_chunk().unwrap()), 1];
        let gateway = Gateway::start(back, config, &[listener], &Watch(reactor), &tasks, seed);
        let gateway = gateway.unwrap();
        let stack_config = StackConfig {
            addresses: AddressConfig::parse(addresses).unwrap(),
            seed,
            ..StackConfig::default()
        };
        let (stack, runner) = Stack::new(front, stack_config, &tasks.timers());
        tasks
            .spawn(async move { match runner.run().await {} })
            .unwrap();
        guest(stack, tasks).await;
        drop(gateway);
        Exit::Poweroff
    });
    (port, thread.unwrap())
}
