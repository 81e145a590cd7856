//! As many machines as the load wants: the program. Its README has the words of the command line.

#![cfg_attr(target_os = "none", no_std, no_main)]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::boxed::Box;

use autoscaler::{Panel, Words};
use morgana::net::{ListenOptions, TcpListener};
use morgana::{Domain, Platform, log};
use morgana_exec::{Either, select};
use morgana_web::{ByStack, serve};

morgana::main!(run, help = autoscaler::HELP);

/// Whatever goes wrong at the start or ends the service, for the log.
type Wrong = Box<dyn core::error::Error>;

async fn run<P: Platform>(domain: Domain<P>) -> Result<(), Wrong> {
    let words = Words::parse(domain.command_line())?;
    let network = domain.network().await?;
    let stack = network.stack();
    let listener = TcpListener::bind(stack, words.port, ListenOptions::default())?;
    let mut seed = [0; 8];
    domain.platform().entropy(&mut seed);
    let (connect, seed) = (ByStack(stack.clone()), u64::from_ne_bytes(seed));
    let service = autoscaler::start(&words, &connect, domain.tasks(), seed)?;
    let server = Panel::server(service.recorder.clone(), domain.timers());
    log::info!("charts on port {}", words.port);
    match select(serve(domain, listener, server), service.supervision).await {
        Either::First(never) => match never {},
        // The domain crashes, and whoever keeps it makes it anew.
        Either::Second(ended) => Err(alloc::format!("the actors ended: {ended}").into()),
    }
}
