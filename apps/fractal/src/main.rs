//! Tiles of the Mandelbrot set, made while the client waits: the program. Its README has the words of the command line.

#![cfg_attr(target_os = "none", no_std, no_main)]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::boxed::Box;
use alloc::rc::Rc;
use core::net::SocketAddr;

use fractal::{Order, Posters, Site, Size, Tile};
use morgana::net::{ListenOptions, TcpListener};
use morgana::{Domain, Platform, log};
use morgana_http::{Limits, Server};
use morgana_queue_client::{RemoteQueue, Settings};
use morgana_web::{ByStack, serve};

morgana::main!(
    run,
    help = "  port=N             the port that it serves (80)\n  \
            side=N             pixels of a tile in each direction (64)\n  \
            iterations=N       steps of a pixel at the most (256)\n  \
            queue=ADDRESS:PORT the queue for posters\n"
);

/// Connections that wait to be accepted.
const BACKLOG: usize = 64;

/// Whatever goes wrong at the start, for the log.
type StartError = Box<dyn core::error::Error>;

async fn run<P: Platform>(domain: Domain<P>) -> Result<(), StartError> {
    let line = domain.command_line();
    let port = line.parse("port", 80)?;
    let size = Size {
        side: line.parse("side", 64)?,
        iterations: line.parse("iterations", 256)?,
    };
    // The same bounds as those of posters.
    Order::new(Tile::new(0, 0, 0)?, size.side, size.iterations)?;
    let queue: Option<SocketAddr> = line.value("queue").map(str::parse).transpose()?;
    let network = domain.network().await?;
    let stack = network.stack();
    let posters = queue.map(|address| {
        let connect = ByStack(stack.clone());
        let settings = Settings::default();
        Posters::new(RemoteQueue::new(
            connect,
            address,
            domain.timers(),
            settings,
        ))
    });
    let options = ListenOptions {
        backlog: BACKLOG,
        ..ListenOptions::default()
    };
    let listener = TcpListener::bind(stack, port, options)?;
    let site = Site::new(size, posters);
    let server = Rc::new(Server::new(site, domain.timers(), Limits::DEFAULT));
    log::info!("serving on port {port}");
    match serve(domain.clone(), listener, server).await {}
}
