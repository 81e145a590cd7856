//! A machine in the lockstep emulation: domain 0 with xenstored, the logger's domain, and guests.

use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use morgana_block::RamDisk;
use morgana_emul::{Domain, DomainConfig, EmulPlatform, Lockstep, XenstoreServer};
use morgana_exec::{Handle, select};
use morgana_hal::{Clock, DomId, Exit, Platform};
use morgana_journal::open;
use morgana_logger::{Logger, Options};
use morgana_logs::record::{Entry, Query, Record, ToDomain};
use morgana_logs::{Destination, Forwarder, ReadError, Reader, publish};
use morgana_xenstore_client::{Client, Error};
use morgana_xenstore_wire::{Access, Permission};
use morgana_xenstored::{Quota, Rights, Server};

pub(crate) const D0: DomId = DomId::new(0);
pub(crate) const D1: DomId = DomId::new(1);
pub(crate) const D2: DomId = DomId::new(2);
pub(crate) const D3: DomId = DomId::new(3);

/// What a domain of a machine has.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) platform: EmulPlatform,
    pub(crate) client: Client,
    pub(crate) tasks: Handle,
}

/// What a domain does. Domain 0 has a way to xenstored already.
type Main = Box<dyn FnOnce(EmulPlatform, Handle, Option<Client>) -> Running + Send>;
type Running = Pin<Box<dyn Future<Output = Exit>>>;

/// Makes a domain's main function of an async closure. A guest says when it has ended.
pub(crate) fn main<F: Future<Output = ()> + 'static>(
    main: impl FnOnce(Place) -> F + Send + 'static,
) -> Main {
    Box::new(move |platform, tasks, zero| {
        Box::pin(async move {
            let client = zero
                .clone()
                .unwrap_or_else(|| Client::start(platform.xenstore().unwrap(), &tasks).unwrap());
            let place = Place {
                platform,
                client: client.clone(),
                tasks,
            };
            main(place).await;
            if zero.is_none() {
                client.write("data/ended", "1").await.unwrap();
            }
            Exit::Poweroff
        })
    })
}

/// Makes a guest of an app. It says itself when it has ended.
pub(crate) fn app<A, F>(command_line: &'static str, app: A) -> Main
where
    A: FnOnce(morgana::Domain<EmulPlatform>) -> F + Send + 'static,
    F: Future<Output = ()> + 'static,
{
    Box::new(move |platform, tasks, _| Box::pin(morgana::run(platform, tasks, command_line, app)))
}

/// Runs a machine: domain 0's main function, and guests', of which the first is domain 1. It ends when domain 0's and all guests' have returned.
pub(crate) fn machine(seed: u64, first: Main, guests: Vec<Main>) {
    let mut world = Lockstep::new(seed);
    let config = |xenstore| DomainConfig {
        xenstore: Some(xenstore),
        ..DomainConfig::default()
    };
    let hypervisor = world.hypervisor();
    let zero = hypervisor.create(config(XenstoreServer::Itself)).unwrap();
    let ring = |domain: &Domain| domain.xenstore_ring().unwrap().port();
    let own = ring(&zero);
    let guests: Vec<(Domain, Main)> = guests
        .into_iter()
        .map(|main| {
            let domain = hypervisor.create(config(XenstoreServer::Domain(D0)));
            (domain.unwrap(), main)
        })
        .collect();
    let ports: Vec<_> = guests.iter().map(|(guest, _)| ring(guest)).collect();
    world.start(zero, move |platform, tasks| async move {
        let daemon = Server::new(platform.clone(), &tasks, Quota::default());
        daemon.introduce(D0, own, Rights::Control).unwrap();
        let client = Client::start(platform.xenstore().unwrap(), &tasks).unwrap();
        client.write("/local/domain/0/domid", "0").await.unwrap();
        client
            .write("/local/domain/0/name", "Domain-0")
            .await
            .unwrap();
        for (index, port) in ports.iter().enumerate() {
            let domain = DomId::new(index as u16 + 1);
            home(&client, domain).await.unwrap();
            daemon.introduce(domain, *port, Rights::Guest).unwrap();
        }
        first(platform, tasks, Some(client.clone())).await;
        until_ended(&client, (1..).take(ports.len())).await;
        Exit::Poweroff
    });
    for (guest, main) in guests {
        world.start(guest, move |platform, tasks| main(platform, tasks, None));
    }
    assert_eq!(world.run(), Ok(()), "seed {seed}");
    world.hypervisor().assert_clean();
}

/// What a toolstack makes for a guest.
async fn home(client: &Client, domain: DomId) -> Result<(), Error> {
    let number = domain.number();
    let home = format!("/local/domain/{number}");
    let permission = |domain, access| Permission { domain, access };
    let read = [
        permission(D0, Access::None),
        permission(domain, Access::Read),
    ];
    let own = [permission(domain, Access::None)];
    for (path, value, permissions) in [
        (home.clone(), String::new(), &read[..]),
        (format!("{home}/domid"), number.to_string(), &read),
        (format!("{home}/name"), format!("guest{number}"), &read),
        (format!("{home}/data"), String::new(), &own),
    ] {
        client.write(&path, value).await?;
        client.set_permissions(&path, permissions).await?;
    }
    Ok(())
}

/// Waits until there is a node.
pub(crate) async fn until_there(client: &Client, path: &str) {
    let watch = client.watch(path).await.unwrap();
    while client.read(path).await.is_err() {
        watch.next().await.unwrap();
    }
}

/// Waits until these domains have said that they are done.
pub(crate) async fn until_ended(client: &Client, domains: impl IntoIterator<Item = u16>) {
    for domain in domains {
        until_there(client, &format!("/local/domain/{domain}/data/ended")).await;
    }
}

/// Serves as the logger, until domain 0 has a key that ends it.
pub(crate) async fn serve(place: Place, disk: Rc<RamDisk>, options: Options, until: &str) {
    let Place {
        platform,
        client,
        tasks,
    } = place;
    let journal = open(disk, 7).await.unwrap();
    let logger = Logger::new(&platform, &client, &tasks, journal, options);
    let logger = logger.await.unwrap();
    let ended = until_there(&client, until);
    select(async move { logger.serve().await.map(drop) }, ended).await;
}

/// A disk in memory of so many segments.
pub(crate) fn disk(segments: u64) -> Rc<RamDisk> {
    Rc::new(RamDisk::new(512, segments * 128).unwrap())
}

/// Ends loggers and guests that wait for this.
pub(crate) async fn tell(place: &Place, path: &str) {
    place.client.write(path, "1").await.unwrap();
    let everybody = Permission {
        domain: D0,
        access: Access::Read,
    };
    place
        .client
        .set_permissions(path, &[everybody])
        .await
        .unwrap();
}

pub(crate) async fn make_logger(place: &Place, domain: DomId) {
    publish(&place.client, domain).await.unwrap();
}

/// Begins to send records to the logger that is published.
pub(crate) fn forward(place: &Place, capacity: usize) -> Forwarder {
    let forwarder = Forwarder::new(capacity);
    let Place {
        platform,
        client,
        tasks,
    } = place.clone();
    let (driver, timers) = (forwarder.clone(), tasks.timers());
    let driven = async move {
        let to = Destination::Published;
        driver.drive(&platform, &client, &timers, to).await.unwrap();
    };
    tasks.spawn(driven).unwrap();
    forwarder
}

pub(crate) fn record(place: &Place, level: log::Level, target: &str, message: &str) -> Record {
    Record {
        time: place.platform.clock().wall(),
        level,
        target: target.into(),
        message: message.into(),
        fields: vec![("n".into(), "1".into())],
    }
}

/// Waits until the logger keeps all that was put, also if it has to come first.
pub(crate) async fn all_kept(place: &Place, forwarder: &Forwarder) {
    for _ in 0..20_000 {
        if forwarder.is_empty() {
            return;
        }
        place.tasks.timers().sleep(Duration::from_millis(10)).await;
    }
    panic!("not all is kept after 200 s");
}

/// Begins to read.
pub(crate) async fn read(place: &Place, peer: DomId, query: Query) -> Reader<EmulPlatform> {
    let Place {
        platform,
        client,
        tasks,
    } = place;
    let timers = tasks.timers();
    let reader = Reader::open(platform, client, &timers, peer, "read", query);
    reader.await.unwrap()
}

/// Asks a logger for what there is.
pub(crate) async fn ask(
    place: &Place,
    peer: DomId,
    query: Query,
) -> Result<Vec<(u64, Entry)>, ReadError> {
    let Place {
        platform,
        client,
        tasks,
    } = place;
    let timers = tasks.timers();
    let mut reader = Reader::open(platform, client, &timers, peer, "ask", query).await?;
    let mut entries = Vec::new();
    let end = loop {
        match reader.next().await {
            Ok(ToDomain::Entry(number, entry)) => entries.push((number, entry)),
            Ok(ToDomain::UpToDate(_)) => break Ok(entries),
            Ok(ToDomain::Lost(count)) => panic!("{count} lost"),
            Ok(other) => panic!("{other:?}"),
            Err(error) => break Err(error),
        }
    };
    reader.close().await.unwrap();
    end
}

/// The messages of entries.
pub(crate) fn messages(entries: &[(u64, Entry)]) -> Vec<&str> {
    entries
        .iter()
        .map(|(_, entry)| entry.record.message.as_str())
        .collect()
}

/// One turn of the run loop.
pub(crate) async fn turn() {
    let mut first = true;
    poll_fn(|cx| {
        if std::mem::take(&mut first) {
            cx.waker().wake_by_ref();
            return std::task::Poll::Pending;
        }
        std::task::Poll::Ready(())
    })
    .await;
}
