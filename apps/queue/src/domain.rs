//! The queue as a domain of its own.

use alloc::boxed::Box;
use alloc::format;
use alloc::rc::Rc;
use alloc::string::String;

use morgana::blkfront::Blkfront;
use morgana::exec::{TimeOfDay, join};
use morgana::net::{ListenOptions, TcpListener};
use morgana::{Domain, Platform, log};
use morgana_block::BlockDevice;
use morgana_web::serve as serve_http;
use queue::{Service, Source, Store, Words};

/// Whatever goes wrong at the start, for the log.
type StartError = Box<dyn core::error::Error>;

pub(crate) async fn serve<P: Platform>(domain: Domain<P>) -> Result<(), StartError> {
    let words = Words::parse(domain.command_line())?;
    let name = words.disk.as_deref().unwrap_or("xvda");
    let time = Rc::new(TimeOfDay::new(domain.platform().clone(), domain.timers()));
    let stored = async {
        let disk = domain.disk(name).await?;
        let opened = open(&domain, disk, &time, &words).await;
        Ok::<_, StartError>(opened.map_err(|error| format!("{name}: {error}"))?)
    };
    // At the same time: whoever waits for a queue that has begun anew waits for the slower of the two.
    let (store, network) = join(stored, domain.network()).await;
    let (store, network) = (store?, network?);
    store.log().await;
    let keeping = store.clone().keep_open(domain.timers(), words.settings);
    domain.tasks().spawn(keeping)?;
    let options = ListenOptions::default();
    let listener = TcpListener::bind(network.stack(), words.port, options)?;
    log::info!("serving the queue of {name} on port {}", words.port);
    let seconds = move || time.now().unix_seconds();
    let server = Service::server(store, domain.timers(), words.settings, seconds);
    match serve_http(domain, listener, server).await {}
}

async fn open<P: Platform>(
    domain: &Domain<P>,
    disk: Blkfront<P>,
    time: &Rc<TimeOfDay>,
    words: &Words,
) -> Result<Rc<Store<Blkfront<P>, impl Fn() -> u64 + Clone + 'static>>, String> {
    let (time, platform) = (time.clone(), domain.platform().clone());
    let bytes = disk.geometry().bytes();
    let source = Source {
        device: Rc::new(disk),
        clock: move || time.now().unix_nanos() / 1_000_000,
        random: Box::new(move || {
            let mut seed = [0; 8];
            platform.entropy(&mut seed);
            u64::from_ne_bytes(seed)
        }),
        limits: words.settings.queue,
    };
    let opened = Store::open(source).await;
    opened.map_err(|error| queue::why_not(error, &words.settings, bytes))
}
