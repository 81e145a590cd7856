//! Requests, and what the server does about them.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use log::LevelFilter;
use morgana_hal::{DomId, DomainState, Port};
use morgana_xenstore_store::{
    Command, ConnectionId, Contention, Effect, Host, MemoryLeft, Outgoing, PendingCommand,
    PendingIntroduce, Rights, Trace,
};
use morgana_xenstore_wire::{Errno, HEADER_LEN, Header, Packet};

use crate::outbox::Pushed;
use crate::server::{Inner, Server};
use crate::trace::{Shown, text};
use crate::{IntroduceError, Rings, Served};

impl<R: Rings> Host for Inner<R> {
    fn exists(&self, domain: DomId) -> bool {
        self.rings.state(domain) != DomainState::Gone
    }

    fn memory_left(&self) -> MemoryLeft {
        self.rings.memory_left()
    }
}

impl<R: Rings> Server<R> {
    /// One request. Whether it was in the way of others' transactions.
    pub(crate) fn handle(&self, from: ConnectionId, packet: Packet<'_>) -> Contention {
        let trace = self.0.store.borrow().trace();
        if trace == Trace::On {
            self.log_packet("IN ", from, packet.header.code, packet.payload);
        }
        let mut out = Vec::new();
        let (effect, contention) = {
            let mut store = self.0.store.borrow_mut();
            let effect = store.handle(from, packet, &*self.0, &mut out);
            (effect, store.contention())
        };
        self.deliver(out);
        self.log_notices();
        match effect {
            Effect::None => {}
            Effect::Introduce(pending) => self.introduce_pending(pending),
            // The task lets go of the ring when it ends.
            Effect::Release(domain) => drop(self.stop(domain)),
            Effect::Command(pending) => self.command(pending),
        }
        contention
    }

    /// Takes up a domain's ring, after an older use of it has ended.
    fn introduce_pending(&self, pending: PendingIntroduce) {
        let Some(task) = self.stop(pending.domain) else {
            let attached = self.attach(pending);
            return self.finish_introduce(pending, attached);
        };
        let server = self.clone();
        let introductions = &self.0.introductions;
        introductions.set(introductions.get() + 1);
        let spawned = self.0.tasks.spawn(async move {
            task.await;
            let introductions = &server.0.introductions;
            introductions.set(introductions.get() - 1);
            let attached = server.attach(pending);
            if let Ok(stream) = &attached {
                // Whoever uses the ring now knows nothing of what was in it.
                stream.reset();
                stream.connect();
            }
            server.finish_introduce(pending, attached);
        });
        if let Err(error) = spawned {
            introductions.set(introductions.get() - 1);
            self.finish_introduce(pending, Err(error.into()));
        }
    }

    fn attach(&self, pending: PendingIntroduce) -> Result<R::Stream, IntroduceError> {
        let port = Port::new(pending.port);
        self.0.rings.attach(pending.domain, port)
    }

    fn finish_introduce(
        &self,
        pending: PendingIntroduce,
        attached: Result<R::Stream, IntroduceError>,
    ) {
        let domain = pending.domain;
        let result = match &attached {
            Ok(_) => Ok(()),
            Err(error) => {
                log::warn!("{domain} cannot be served: {error}");
                Err(error.errno())
            }
        };
        let mut out = Vec::new();
        let connection = self
            .0
            .store
            .borrow_mut()
            .finish_introduce(pending, result, &mut out);
        self.deliver(out);
        if let (Some(connection), Ok(stream)) = (connection, attached) {
            match self.start_ring(connection, domain, Rights::Guest, stream) {
                Ok(()) => log::info!("{domain} is served"),
                Err(error) => log::warn!("{domain} cannot be served: {error}"),
            }
        }
    }

    fn command(&self, pending: PendingCommand) {
        if let Command::LiveUpdate(words) = &pending.command {
            let words = words.clone();
            return self.live_update(pending, &words);
        }
        self.finish(&pending, self.carry_out(&pending.command));
    }

    /// A command is not for here, or makes no sense.
    pub(crate) fn refuse(&self, pending: &PendingCommand, error: Errno) {
        self.finish(pending, Err(error));
    }

    fn finish(&self, pending: &PendingCommand, result: Result<(), Errno>) {
        let mut out = Vec::new();
        self.0
            .store
            .borrow_mut()
            .finish_command(pending, result, &mut out);
        self.deliver(out);
    }

    fn carry_out(&self, command: &Command) -> Result<(), Errno> {
        match command {
            Command::Print(line) => {
                log::info!("control: {}", text(line.as_bytes()));
                Ok(())
            }
            Command::LogOff => {
                log::set_max_level(LevelFilter::Off);
                Ok(())
            }
            Command::LogOn => {
                log::set_max_level(LevelFilter::Info);
                // Where there is no file, there is none to be opened anew.
                let _ = self.0.rings.command(command);
                Ok(())
            }
            Command::LogFile(_) | Command::Append { .. } => self.0.rings.command(command),
            Command::LiveUpdate(_) => Err(Errno::Invalid),
        }
    }

    /// Hands packets to those to whom they are sent.
    pub(crate) fn deliver(&self, out: Vec<Outgoing>) {
        let trace = self.0.store.borrow().trace();
        let memory = self.0.rings.memory_left();
        let mut overrun = BTreeSet::new();
        for packet in out {
            if trace == Trace::On
                && let Some((header, payload)) =
                    packet.content.bytes().split_first_chunk::<HEADER_LEN>()
            {
                let code = Header::from_bytes(header).code;
                self.log_packet("OUT", packet.to, code, payload);
            }
            let to = packet.to;
            let clients = self.0.clients.borrow();
            if let Some(client) = clients.get(&to)
                && client.outbox.push(packet.content, memory) == Pushed::TooMany
            {
                overrun.insert(to);
            }
        }
        for connection in overrun {
            self.remind(connection);
        }
    }

    /// A client has left too many events unread: it gets one for each of its watches instead, as if it had just set them.
    fn remind(&self, connection: ConnectionId) {
        let mut clients = self.0.clients.borrow_mut();
        let Some(client) = clients.get_mut(&connection) else {
            return;
        };
        let store = self.0.store.borrow();
        client.outbox.replace_events(store.reminders(connection));
        if client.overruns.again().is_some() {
            log::warn!(
                "{client} leaves too many events unread: it gets one for each watch instead"
            );
        }
    }

    fn log_packet(&self, way: &str, connection: ConnectionId, code: u32, payload: &[u8]) {
        let clients = self.0.clients.borrow();
        if let Some(client) = clients.get(&connection) {
            log::info!("{way} {client} {}", Shown { code, payload });
        }
    }
}
