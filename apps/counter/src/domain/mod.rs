//! The program as a domain.

mod dialler;
mod vchans;

use alloc::boxed::Box;
use alloc::rc::Rc;
use core::time::Duration;

use counter::{LIMITS, Load, Role, Served, Words, ask};
use morgana::net::{ListenOptions, TcpListener};
use morgana::{Domain, Platform, log};
use morgana_actors::{Backoff, Identity, Node, Peer, Tcp};

use dialler::Dialler;

/// Whatever goes wrong at the start, for the log.
type StartError = Box<dyn core::error::Error>;

const BACKOFF: Backoff = Backoff {
    first: Duration::from_millis(100),
    most: Duration::from_secs(2),
};

pub(crate) async fn run<P: Platform>(domain: Domain<P>) -> Result<(), StartError> {
    let words = Words::parse(domain.command_line())?;
    match words.role {
        Role::Server => serve(domain, &words).await,
        Role::Client => be_client(domain, &words).await,
    }
}

async fn serve<P: Platform>(domain: Domain<P>, words: &Words) -> Result<(), StartError> {
    let served = Served::start(domain.tasks(), identity(&domain))?;
    let offering = vchans::offer(domain.clone(), served.clone());
    domain.tasks().spawn(offering)?;
    let network = domain.network().await?;
    let listener = TcpListener::bind(network.stack(), words.port, ListenOptions::default())?;
    log::info!("counting at port {}", words.port);
    loop {
        let stream = listener.accept().await;
        match stream.remote_addr() {
            Some(peer) => served.take(Tcp(stream), peer),
            None => log::info!("a connection was gone before it was taken"),
        }
    }
}

async fn be_client<P: Platform>(domain: Domain<P>, words: &Words) -> Result<(), StartError> {
    let identity = identity(&domain);
    let node = Node::new(domain.tasks(), identity, LIMITS);
    let dialler = Rc::new(Dialler::new(domain.clone(), words).await?);
    let dial = {
        let dialler = dialler.clone();
        move || {
            let dialler = dialler.clone();
            async move {
                let way = dialler.dial().await;
                way.inspect_err(|error| log::info!("no way to the counter: {error}"))
            }
        }
    };
    let peer = Peer::start(domain.tasks(), &node, dial, BACKOFF, identity.incarnation)?;
    let load = Load {
        requests: words.requests,
        ..Load::DEFAULT
    };
    match ask(domain.tasks(), &peer, || dialler.way(), &load).await? {}
}

/// A node that lives as long as its domain.
fn identity<P: Platform>(domain: &Domain<P>) -> Identity {
    let mut random = [0; 16];
    domain.platform().entropy(&mut random);
    let random = u128::from_le_bytes(random);
    Identity {
        node: random as u64,
        incarnation: (random >> 64) as u64,
    }
}
