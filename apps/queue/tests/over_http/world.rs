//! A service whose clock the test sets, and who speaks to it.

use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use morgana_block::{BlockDevice, RamDisk};
use morgana_queue::Limits;
use morgana_queue_client::RemoteQueue;
use morgana_sockets::{Host, Listener, run};
use queue::{Service, Settings, Source, Store};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs a test within a limit of time.
pub(crate) fn test<F: Future<Output = ()> + 'static>(main: impl FnOnce(Host) -> F + 'static) {
    let ended = run(|host| async move {
        let timers = host.timers();
        timers.timeout(PATIENCE, main(host)).await
    });
    ended.expect("descriptors").expect("an end in time");
}

/// The clock of queues.
#[derive(Clone, Default)]
pub(crate) struct Time(Rc<Cell<u64>>);

impl Time {
    pub(crate) fn pass(&self, milliseconds: u64) {
        self.0.set(self.0.get() + milliseconds);
    }
}

pub(crate) fn disk(limits: &Limits) -> RamDisk {
    RamDisk::new(512, limits.device_bytes().div_ceil(512)).expect("a disk")
}

/// Serves a queue on this disk, and says where.
pub(crate) async fn serve<D: BlockDevice + 'static>(
    host: &Host,
    time: &Time,
    settings: Settings,
    disk: Rc<D>,
) -> SocketAddr {
    let now = time.0.clone();
    let source = Source {
        device: disk,
        clock: move || now.get(),
        random: Box::new(|| 1),
        limits: settings.queue,
    };
    let store = Store::open(source).await.expect("a new queue");
    let keeping = store.clone().keep_open(host.timers(), settings);
    host.tasks().spawn(keeping).expect("a task");
    let server = Service::server(store, host.timers(), settings, || 0);
    let listener = Listener::bind(host, "127.0.0.1:0".parse().unwrap()).expect("a port");
    let address = listener.local_addr().expect("an address");
    let tasks = host.tasks().clone();
    let accepting = host.tasks().spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let server = server.clone();
            let serving = async move { server.serve(&mut stream).await };
            tasks.spawn(serving).expect("a task");
        }
    });
    accepting.expect("a task");
    address
}

pub(crate) fn client(host: &Host, address: SocketAddr) -> RemoteQueue<Host> {
    RemoteQueue::new(host.clone(), address, host.timers(), Default::default())
}
