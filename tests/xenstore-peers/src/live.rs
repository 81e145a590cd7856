//! A daemon behind its socket and its rings.

use std::io::{self, ErrorKind};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use morgana_hal::DomId;
use morgana_xenstore_wire::{Header, Operation, PAYLOAD_MAX, RequestId, TransactionId};

use crate::daemon::Daemon;
use crate::link::{Link, Ring};
use crate::script::{CLIENTS, Cast, Episode};
use crate::subject::{Before, Event, Played, Reply, Subject, play};
use crate::world::{Life, PATIENCE, World};

/// Plays the episode to a daemon that has just been started.
///
/// # Errors
///
/// Those of connecting.
pub fn started(daemon: &Daemon, episode: &Episode) -> io::Result<Played> {
    let world = Some(daemon.world());
    let live = Live::new(daemon.world().socket(), world, episode.cast)?;
    Ok(play(live, episode))
}

/// Plays the episode to the daemon at a socket.
///
/// # Errors
///
/// As for [`started`].
pub fn at_socket(socket: &Path, episode: &Episode) -> io::Result<Played> {
    let live = Live::new(socket.to_owned(), None, episode.cast)?;
    Ok(play(live, episode))
}

/// Rounds of requests until a daemon has surely seen an event.
const ROUNDS: usize = 6;

struct Live<'a> {
    socket: PathBuf,
    world: Option<&'a World>,
    cast: Cast,
    links: Vec<Option<Link>>,
    /// Whether a client has asked for events since it connected.
    watches: [bool; CLIENTS],
    events: Vec<Event>,
    /// This client's last step may have brought about events.
    restless: Option<usize>,
}

impl<'a> Live<'a> {
    fn new(socket: PathBuf, world: Option<&'a World>, cast: Cast) -> io::Result<Self> {
        let mut live = Self {
            socket,
            world,
            cast,
            links: Vec::new(),
            watches: [false; CLIENTS],
            events: Vec::new(),
            restless: None,
        };
        for client in 0..CLIENTS {
            let link = live.connect(client)?;
            live.links.push(link);
        }
        Ok(live)
    }

    /// A domain that is not there yet has no way to the daemon.
    fn connect(&self, client: usize) -> io::Result<Option<Link>> {
        if let Some(domain) = self.cast.domain(client) {
            let world = self.world.ok_or(ErrorKind::Unsupported)?;
            return Ok(Ring::new(world, domain).ok().map(Link::Ring));
        }
        let stream = UnixStream::connect(&self.socket)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Some(Link::Socket(stream)))
    }

    /// Sends requests in one piece.
    fn send(&mut self, client: usize, requests: &[(Header, &[u8])]) -> io::Result<()> {
        let mut bytes = Vec::new();
        for (header, payload) in requests {
            for word in [
                header.code,
                header.request.0,
                header.transaction.0,
                payload.len() as u32,
            ] {
                bytes.extend(word.to_le_bytes());
            }
            bytes.extend_from_slice(payload);
        }
        let link = self.links[client].as_mut().ok_or(ErrorKind::NotConnected)?;
        link.send(self.world, &bytes)
    }

    /// Waits for the reply to a request; events that come before it are kept.
    fn reply(&mut self, client: usize, request: u32) -> io::Result<Reply> {
        loop {
            let link = self.links[client].as_mut().ok_or(ErrorKind::NotConnected)?;
            let received = link.receive(self.world)?;
            if received.code == Operation::WatchEvent.code() {
                self.events.push((client, received.payload));
            } else if received.request == request {
                return Ok((received.code, received.payload));
            } else {
                return Err(ErrorKind::InvalidData.into());
            }
        }
    }

    /// A domain that is let go, or introduced anew, has no watches.
    fn forget(&mut self, header: Header, payload: &[u8]) {
        let ends = [Operation::Introduce.code(), Operation::Release.code()];
        if !ends.contains(&header.code) {
            return;
        }
        let number = payload.split(|&byte| byte == 0).next();
        let number = number.and_then(|text| core::str::from_utf8(text).ok()?.parse().ok());
        let client =
            (0..CLIENTS).find(|&client| self.cast.domain(client) == number.map(DomId::new));
        if let Some(client) = client.filter(|_| number.is_some()) {
            self.watches[client] = false;
        }
    }

    /// Asks for something that takes no time on every other connection: what comes before the reply is all that there is.
    fn settle(&mut self, asker: Option<usize>) -> io::Result<()> {
        let watching: Vec<usize> = (0..CLIENTS)
            .filter(|&client| self.watches[client] && Some(client) != asker)
            .collect();
        for &client in &watching {
            self.send(client, &[MARK])?;
        }
        for &client in &watching {
            self.reply(client, MARK.0.request.0)?;
        }
        Ok(())
    }
}

/// What takes no time.
const MARK: (Header, &[u8]) = (
    Header {
        code: Operation::GetDomainPath.code(),
        request: RequestId(0xffff_0000),
        transaction: TransactionId::NONE,
        len: 2,
    },
    b"0\0",
);

/// What nobody else hears of.
fn is_quiet(code: u32) -> bool {
    use Operation::{Directory, DirectoryPart, GetDomainPath, GetPerms, Read};
    [Directory, DirectoryPart, GetDomainPath, GetPerms, Read]
        .iter()
        .any(|operation| operation.code() == code)
}

impl Subject for Live<'_> {
    fn ask(&mut self, client: usize, header: Header, payload: &[u8]) -> io::Result<Reply> {
        // Replies come in the order of the requests, and what is behind the second one is of another request.
        self.send(client, &[(header, payload), MARK])?;
        self.restless = (!is_quiet(header.code)).then_some(client);
        let reply = self.reply(client, header.request.0)?;
        self.reply(client, MARK.0.request.0)?;
        self.forget(header, payload);
        if header.code == Operation::Watch.code() {
            self.watches[client] = true;
        }
        Ok(reply)
    }

    fn events(&mut self) -> io::Result<Vec<Event>> {
        if let Some(asker) = self.restless.take() {
            self.settle(Some(asker))?;
        }
        Ok(core::mem::take(&mut self.events))
    }

    fn anew(&mut self, client: usize, before: Before) -> io::Result<()> {
        if before == Before::TooLong {
            let read = Operation::Read.code();
            let mut bytes = Vec::new();
            for word in [read, 0, 0, PAYLOAD_MAX as u32 + 1] {
                bytes.extend(word.to_le_bytes());
            }
            bytes.resize(bytes.len() + PAYLOAD_MAX + 1, b'/');
            if let Some(link) = &mut self.links[client] {
                // The daemon may have closed the connection before it has all.
                let _ = link.send(self.world, &bytes);
            }
        }
        self.links[client] = None;
        self.links[client] = self.connect(client)?;
        self.watches[client] = false;
        self.restless = Some(client);
        Ok(())
    }

    fn domain(&mut self, domain: DomId, life: Life) -> io::Result<()> {
        let world = self.world.ok_or(ErrorKind::Unsupported)?;
        world.set(domain, life)?;
        world.tell()?;
        let client = (0..CLIENTS).find(|&client| self.cast.domain(client) == Some(domain));
        if let Some(client) = client {
            if matches!(life, Life::Dying | Life::Absent) {
                // It hears of nothing from now on.
                self.watches[client] = false;
            }
            self.links[client] = self.connect(client)?;
        }
        // Nobody is told when the daemon has looked. It takes an event, or a few, before each round of requests, and few are under way.
        self.watches[0] = true;
        for _ in 0..ROUNDS {
            self.settle(None)?;
        }
        Ok(())
    }
}
