//! The program on Linux, over the host's sockets: there is no vchan.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};
use std::io;
use std::process::ExitCode;
use std::time::Duration;

use counter::{HELP, LIMITS, Load, Role, Served, Words, ask};
use morgana_actors::{Backoff, Identity, Node, Peer, Place, Way};
use morgana_native::{Arguments, Disks, Program};
use morgana_sockets::{Host, Stream};

/// How long connecting may take.
const WITHIN: Duration = Duration::from_secs(4);
const BACKOFF: Backoff = Backoff {
    first: Duration::from_millis(100),
    most: Duration::from_secs(2),
};

const PROGRAM: Program = Program {
    name: "counter",
    summary: "Counts for actors of other domains and hosts, or asks such a counter.",
    disks: Disks::None,
    words: HELP,
};

pub(crate) fn main() -> ExitCode {
    morgana_native::main(&PROGRAM, start)
}

async fn start(host: Host, arguments: Arguments) -> Result<(), String> {
    let words = Words::parse(arguments.command_line()).map_err(|error| error.to_string())?;
    match words.role {
        Role::Server => serve(host, &arguments, &words).await,
        Role::Client => be_client(host, &words).await,
    }
}

async fn serve(host: Host, arguments: &Arguments, words: &Words) -> Result<(), String> {
    let served = Served::start(host.tasks(), identity()).map_err(|error| error.to_string())?;
    let listener = arguments.listen(&host, words.port)?;
    let told = listener.local_addr().map_err(|error| error.to_string())?;
    log::info!("counting at {told}");
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => served.take(stream, peer),
            Err(error) => {
                log::warn!("no connection: {error}");
                host.timers().sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn be_client(host: Host, words: &Words) -> Result<(), String> {
    let tcp = words
        .server
        .ok_or("server=ADDRESS:PORT is missing: the counter")?;
    let place = Place { near: None, tcp };
    let identity = identity();
    let node = Node::new(host.tasks(), identity, LIMITS);
    let tasks = host.tasks().clone();
    let dial = move || {
        let (host, place) = (host.clone(), place.clone());
        async move {
            let way = connect(&host, &place).await;
            way.inspect_err(|error| log::info!("no way to the counter: {error}"))
        }
    };
    let peer = Peer::start(&tasks, &node, dial, BACKOFF, identity.incarnation);
    let peer = peer.map_err(|error| error.to_string())?;
    let load = Load {
        requests: words.requests,
        ..Load::DEFAULT
    };
    match ask(&tasks, &peer, || "TCP", &load).await {
        Ok(never) => match never {},
        Err(error) => Err(error.to_string()),
    }
}

async fn connect(
    host: &Host,
    place: &Place,
) -> Result<Way<Stream, Stream>, morgana_actors::DialError<io::Error>> {
    let no_vchan = async |_, _: &str| Err(());
    let tcp = async |to| Stream::connect(host, to).await;
    place
        .dial(None, &host.timers(), WITHIN, no_vchan, tcp)
        .await
}

/// A node that lives as long as its process. Its numbers come from the kernel's random ones.
fn identity() -> Identity {
    let random = || RandomState::new().build_hasher().finish();
    Identity {
        node: random(),
        incarnation: random(),
    }
}
