//! An authoritative DNS server: the program. Its README has the words of the command line, and so has `--help`.

#![cfg_attr(target_os = "none", no_std, no_main)]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::boxed::Box;
use alloc::rc::Rc;
use core::cell::Cell;

use dns::{Figures, HELP, Notifier, Shared, Source, StreamLimits, Words, serve_stream, serve_udp};
use morgana::net::{ListenOptions, Stack, TcpListener, UdpOptions, UdpSocket};
use morgana::{Domain, Platform, log};

morgana::main!(serve, help = HELP);

/// Whatever goes wrong at the start, for the log.
type StartError = Box<dyn core::error::Error>;

/// How many datagrams wait to be answered, and how many answers to leave.
const DATAGRAMS: usize = 256;

async fn serve<P: Platform>(domain: Domain<P>) -> Result<(), StartError> {
    let words = Words::parse(domain.command_line())?;
    let network = domain.network().await?;
    let stack = network.stack();
    let mut source = Source::open(&domain, &words).await?;
    let platform = domain.platform();
    let shared = Shared::new(platform.clone(), domain.timers(), words.config(platform));
    let loaded = source.load().await?;
    loaded.report();
    shared.server().replace(loaded.zones());
    let options = UdpOptions {
        receive_datagrams: DATAGRAMS,
        send_datagrams: DATAGRAMS,
        ..UdpOptions::default()
    };
    let socket = UdpSocket::bind(stack, words.port, options)?;
    let listener = TcpListener::bind(stack, words.port, ListenOptions::default())?;
    domain.tasks().spawn(serve_udp(shared.clone(), socket))?;
    domain.tasks().spawn(accept(
        domain.clone(),
        shared.clone(),
        listener,
        words.connections,
    ))?;
    if let Some(port) = words.metrics {
        let listener = TcpListener::bind(stack, port, ListenOptions::default())?;
        domain.tasks().spawn(show(
            domain.clone(),
            shared.clone(),
            stack.clone(),
            listener,
        ))?;
    }
    log::info!(
        "serving {} zones on port {}",
        shared.server().zones().len(),
        words.port
    );
    let notifier = Notifier::new(stack, domain.timers(), &words);
    loop {
        match source.changed().await {
            Ok(loaded) => {
                loaded.report();
                if !loaded.is_whole() {
                    log::error!("the zones stay as they were");
                    continue;
                }
                let changed = shared.replace(loaded.zones());
                log::info!(
                    "serving {} zones, of which {} are new or changed",
                    shared.server().zones().len(),
                    changed.len()
                );
                notifier.notify(domain.tasks(), changed);
            }
            Err(error) => log::error!("the zones stay as they were: {error}"),
        }
    }
}

/// Accepts connections, and gives each a task.
async fn accept<P: Platform>(
    domain: Domain<P>,
    shared: Shared<P>,
    listener: TcpListener,
    most: usize,
) {
    let open = Rc::new(Cell::new(0usize));
    loop {
        let mut stream = listener.accept().await;
        let Some(address) = stream.remote_addr() else {
            continue;
        };
        if open.get() >= most {
            shared.refused();
            stream.abort();
            continue;
        }
        open.set(open.get() + 1);
        let (shared, timers, count) = (shared.clone(), domain.timers(), open.clone());
        let served = domain.tasks().spawn(async move {
            let limits = StreamLimits::default();
            let end = serve_stream(&shared, &timers, &limits, address.ip(), &mut stream).await;
            log::debug!("connection of {address}: {end:?}");
            count.set(count.get() - 1);
        });
        if let Err(error) = served {
            open.set(open.get() - 1);
            log::warn!("connection refused: {error}");
        }
    }
}

/// Shows figures over HTTP.
async fn show<P: Platform>(
    domain: Domain<P>,
    shared: Shared<P>,
    stack: Stack,
    listener: TcpListener,
) {
    let server = Figures::server(shared, stack, domain.timers());
    loop {
        let mut stream = listener.accept().await;
        let server = server.clone();
        let served = domain.tasks().spawn(async move {
            server.serve(&mut stream).await;
        });
        if let Err(error) = served {
            log::warn!("connection refused: {error}");
        }
    }
}
