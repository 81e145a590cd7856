//! The hypervisor's end: a thread for each domain that lives in another process. It takes nothing on trust.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::thread;
use std::{io, panic};

use morgana_hal::{Clock, DomId, EventError, MemoryError, Port};

use super::message::{Breach, MAX_GRANTS, Reply, Request, Welcome};
use super::socket::{Buffer, Ended, Socket};
use crate::backing::Backing;
use crate::domain::{Life, XenstoreRing};
use crate::hypercall::inside_a_page;
use crate::hypervisor::Inner;
use crate::{Domain, EmulClock};

/// A domain that lives in another process. Dropping it ends the domain.
#[derive(Debug)]
pub struct Served {
    id: DomId,
    socket: Arc<Socket>,
    thread: Option<thread::JoinHandle<ServedEnd>>,
}

/// How a domain in another process ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ServedEnd {
    /// Its process has left, or was killed; or the connection was ended from here.
    Left,
    /// Its process broke the rules.
    Breach(Breach),
}

impl Domain {
    /// Lets the process at the other end of `socket`, which is one of messages (`SOCK_SEQPACKET`), become this domain. It calls
    /// [`Domain::take_over`].
    ///
    /// # Errors
    ///
    /// What the host says when it has no thread to give; [`ErrorKind::Unsupported`](io::ErrorKind::Unsupported) in a machine with virtual time, which
    /// another process would not share, and for a domain whose hypervisor is in another process itself.
    pub fn serve(self, socket: OwnedFd) -> io::Result<Served> {
        let inner = match self.life.here() {
            Some(inner) if !inner.time.is_virtual() => inner.clone(),
            _ => return Err(io::ErrorKind::Unsupported.into()),
        };
        let (id, socket) = (self.id(), Arc::new(Socket::new(socket)));
        let served = socket.clone();
        let thread = thread::Builder::new()
            .name(format!("serves {id}"))
            .spawn(move || {
                let end = serve(&self.life, &inner, self.xenstore, &served);
                // The domain goes before the connection, so that who sees the one closed finds the other gone.
                drop(self);
                served.close();
                end
            })?;
        Ok(Served {
            id,
            socket,
            thread: Some(thread),
        })
    }

    /// As [`serve`](Self::serve), over a new socket, whose other end is returned: to be inherited by the process that takes the
    /// domain over.
    ///
    /// # Errors
    ///
    /// As for [`serve`](Self::serve), or the host has no descriptor for a socket.
    pub fn hand_over(self) -> io::Result<(OwnedFd, Served)> {
        let (ours, theirs) = Socket::pair()?;
        Ok((theirs, self.serve(ours)?))
    }
}

impl Served {
    /// The domain's id.
    pub fn id(&self) -> DomId {
        self.id
    }

    /// Waits until the domain has ended.
    pub fn join(mut self) -> ServedEnd {
        match self.thread.take().map(thread::JoinHandle::join) {
            Some(Ok(end)) => end,
            Some(Err(payload)) => panic::resume_unwind(payload),
            None => ServedEnd::Left,
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.socket.close();
        if let Some(thread) = self.thread.take() {
            // A panic in it was printed, and there is nobody to pass it on to.
            let _ = thread.join();
        }
    }
}

fn serve(life: &Life, inner: &Inner, xenstore: Option<XenstoreRing>, socket: &Socket) -> ServedEnd {
    match talk(life, inner, xenstore, socket) {
        Ok(()) => ServedEnd::Left,
        Err(breach) => ServedEnd::Breach(breach),
    }
}

fn talk(
    life: &Life,
    inner: &Inner,
    xenstore: Option<XenstoreRing>,
    socket: &Socket,
) -> Result<(), Breach> {
    let Some(backing) = life.backing() else {
        return Ok(());
    };
    let welcome = Welcome {
        id: life.id,
        now_ns: EmulClock(inner.time.clone()).now().as_nanos(),
        pages: backing.pages() as u32,
        xenstore: xenstore.map(|ring| (ring.page as u32, ring.port())),
    };
    let (event_page, eventfd) = (life.upcall.page(), life.upcall.descriptor());
    let descriptors = [backing.fd(), event_page, eventfd];
    if socket.send(&welcome.encode(), &descriptors).is_err() {
        return Ok(());
    }
    let mut buffer = Buffer::new();
    loop {
        let len = match socket.receive(&mut buffer) {
            Ok(len) => len,
            Err(Ended::Closed) => return Ok(()),
            Err(Ended::TooLong) => return Err(Breach::TooLong),
        };
        let request = Request::decode(buffer.message(len))?;
        let Some((reply, memory)) = answer(life.id, inner, request) else {
            continue;
        };
        let memory = memory.as_ref().map(|memory| memory.fd());
        if socket.send(&reply.encode(), memory.as_slice()).is_err() {
            return Ok(());
        }
    }
}

/// Carries a request out. Nothing is held when it returns, so that a process that does not read its replies keeps only itself waiting.
fn answer(
    caller: DomId,
    inner: &Inner,
    request: Request<'_>,
) -> Option<(Reply, Option<Arc<Backing>>)> {
    let reply = match request {
        Request::Map { peer, grants } => {
            let mut pages = Vec::with_capacity(grants.len());
            let mut state = inner.state();
            let mapped = state.map_all(caller, peer, &grants, |_, _, page| {
                pages.push(page as u32);
                // Where the process puts it is its own affair.
                Ok(None)
            });
            let memory = state.backing(peer);
            return Some(match mapped {
                Ok(handles) => (
                    Reply::Mapped(handles.into_iter().zip(pages).collect()),
                    memory,
                ),
                Err(error) => (Reply::Memory(error), None),
            });
        }
        Request::Notify(port) => {
            inner.state().notify(caller, port);
            return None;
        }
        Request::Share { count, .. } if count as usize > MAX_GRANTS => {
            Reply::Memory(MemoryError::OutOfMemory)
        }
        Request::Share {
            peer,
            count,
            access,
        } => match inner.state().share(caller, peer, count as usize, access) {
            Ok((_, first, grants)) => Reply::Shared {
                first: first as u32,
                grants,
            },
            Err(error) => Reply::Memory(error),
        },
        Request::EndSharing(grants) => {
            inner.state().end_sharing(caller, &grants);
            Reply::Done
        }
        Request::Unmap(handles) => {
            let mut state = inner.state();
            for handle in handles {
                // A stale one is the process's mistake, and harms nobody.
                let _ = state.unmap(caller, handle);
            }
            Reply::Done
        }
        Request::CopyFrom {
            peer,
            grant,
            offset,
            len,
        } => {
            let mut bytes = vec![0; len.into()];
            let copied = inside_a_page(offset, bytes.len())
                .and_then(|()| inner.copy_from(caller, peer, grant, offset, &mut bytes));
            copied.map_or_else(Reply::Memory, |()| Reply::Bytes(bytes))
        }
        Request::CopyTo {
            peer,
            grant,
            offset,
            from,
        } => {
            let copied = inside_a_page(offset, from.len())
                .and_then(|()| inner.copy_to(caller, peer, grant, offset, from));
            copied.map_or_else(Reply::Memory, |()| Reply::Done)
        }
        Request::Listen(peer) => port(inner.state().listen(caller, peer)),
        Request::Connect(peer, remote) => port(inner.state().connect(caller, peer, remote)),
        Request::BindVirq(virq) => port(inner.state().bind_virq(caller, virq)),
        Request::Close(port) => {
            inner.state().close(caller, port);
            Reply::Done
        }
        Request::Usage => Reply::Usage(inner.state().usage(caller)),
        Request::DeliverLate => {
            let now = EmulClock(inner.time.clone()).now();
            inner.state().deliver_late(caller, now);
            Reply::Done
        }
    };
    Some((reply, None))
}

fn port(opened: Result<Port, EventError>) -> Reply {
    opened.map_or_else(Reply::Event, Reply::Port)
}
