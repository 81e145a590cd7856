//! The domain's end: each hypercall is a question and its answer.

use std::cell::RefCell;
use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::sync::Arc;

use morgana_hal::{DomId, EventError, GrantRef, Instant, MemoryError, Port, Usage, Virq};

use super::message::{MAX_GRANTS, Reply, Request, Welcome};
use super::socket::{Buffer, Socket};
use crate::backing::Backing;
use crate::clock::TimeSource;
use crate::domain::{Life, XenstoreRing};
use crate::grants::Access;
use crate::heap::Account;
use crate::hypercall::Machine;
use crate::mapping::Mapping;
use crate::mappings::Handle;
use crate::upcall::Upcall;
use crate::{Console, Domain};

/// A connection to the hypervisor's process.
#[derive(Debug)]
pub(crate) struct Line {
    socket: Socket,
    buffer: RefCell<Buffer>,
    backing: Arc<Backing>,
    time: Arc<TimeSource>,
    upcall: Arc<Upcall>,
}

impl Domain {
    /// Becomes the domain that another process has handed over ([`Domain::serve`], [`Domain::hand_over`]) at the other end of `socket`.
    /// The domain ends with this process, at the latest. Its console is this process's affair.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidData`] if it is no hypervisor of this version that answers there, [`ErrorKind::UnexpectedEof`] if nobody does; or what the
    /// host says if it cannot map the memory.
    pub fn take_over(socket: OwnedFd, console: Console) -> io::Result<Self> {
        let (socket, mut buffer) = (Socket::new(socket), Buffer::new());
        let (len, descriptors) = socket
            .receive_with_descriptors(&mut buffer)
            .map_err(|_| io::Error::from(ErrorKind::UnexpectedEof))?;
        let stranger = || io::Error::from(ErrorKind::InvalidData);
        let welcome = Welcome::decode(buffer.message(len)).ok_or_else(stranger)?;
        let [memory, event_page, eventfd] =
            <[OwnedFd; 3]>::try_from(descriptors).map_err(|_| stranger())?;
        let upcall = Arc::new(Upcall::attach(event_page, eventfd)?);
        let line = Line {
            socket,
            buffer: RefCell::new(buffer),
            backing: Arc::new(Backing::attach(memory, welcome.pages as usize)?),
            time: Arc::new(TimeSource::host_at(Instant::from_nanos(welcome.now_ns))),
            upcall: upcall.clone(),
        };
        let xenstore = match welcome.xenstore {
            Some((page, _)) if page >= welcome.pages => return Err(stranger()),
            Some((page, port)) => Some(XenstoreRing::new(page as usize, port)),
            None => None,
        };
        if let Console::Captured(console) = &console {
            console.attach(&upcall);
        }
        Ok(Self {
            life: Life {
                machine: Machine::There(line),
                id: welcome.id,
                upcall,
                account: Arc::new(Account::open()),
            },
            xenstore,
            console,
        })
    }
}

impl Line {
    pub(crate) fn backing(&self) -> Arc<Backing> {
        self.backing.clone()
    }

    pub(crate) fn time(&self) -> Arc<TimeSource> {
        self.time.clone()
    }

    /// Lets the hypervisor see that the domain is gone.
    pub(crate) fn hang_up(&self) {
        self.socket.close();
    }

    /// Without the hypervisor the domain is dead; its thread finds out as if it had been killed.
    fn lost<T>(&self) -> Option<T> {
        self.upcall.die();
        None
    }

    fn call_with_descriptor(&self, request: &Request<'_>) -> Option<(Reply, Vec<OwnedFd>)> {
        if self.socket.send(&request.encode(), &[]).is_err() {
            return self.lost();
        }
        let mut buffer = self.buffer.borrow_mut();
        let Ok((len, descriptors)) = self.socket.receive_with_descriptors(&mut buffer) else {
            return self.lost();
        };
        match Reply::decode(buffer.message(len)) {
            Some(reply) => Some((reply, descriptors)),
            None => self.lost(),
        }
    }

    fn call(&self, request: &Request<'_>) -> Option<Reply> {
        self.call_with_descriptor(request).map(|(reply, _)| reply)
    }

    /// The error in a reply to a question about memory. Without an answer the own domain is no more.
    fn memory_error(&self, reply: Option<Reply>) -> MemoryError {
        match reply {
            Some(Reply::Memory(error)) => error,
            Some(_) => {
                self.upcall.die();
                MemoryError::NoSuchDomain
            }
            None => MemoryError::NoSuchDomain,
        }
    }

    pub(crate) fn share(
        &self,
        peer: DomId,
        count: usize,
        access: Access,
    ) -> Result<(Arc<Backing>, usize, Vec<GrantRef>), MemoryError> {
        if count > MAX_GRANTS {
            return Err(MemoryError::OutOfMemory);
        }
        let request = Request::Share {
            peer,
            count: count as u32,
            access,
        };
        match self.call(&request) {
            Some(Reply::Shared { first, grants })
                if grants.len() == count && self.backing.has(first as usize, count) =>
            {
                Ok((self.backing(), first as usize, grants))
            }
            other => Err(self.memory_error(other)),
        }
    }

    pub(crate) fn end_sharing(&self, grants: &[GrantRef]) {
        for grants in grants.chunks(MAX_GRANTS) {
            self.call(&Request::EndSharing(grants.to_vec()));
        }
    }

    pub(crate) fn map(
        &self,
        peer: DomId,
        grants: &[GrantRef],
        mapping: &mut Mapping,
    ) -> Result<Vec<Handle>, MemoryError> {
        if grants.len() > MAX_GRANTS {
            return Err(MemoryError::NoAddressSpace);
        }
        let request = Request::Map {
            peer,
            grants: grants.to_vec(),
        };
        let (pages, memory) = match self.call_with_descriptor(&request) {
            Some((Reply::Mapped(pages), memory)) if pages.len() == grants.len() => (pages, memory),
            other => return Err(self.memory_error(other.map(|(reply, _)| reply))),
        };
        let handles: Vec<Handle> = pages.iter().map(|&(handle, _)| handle).collect();
        for (index, &(_, page)) in pages.iter().enumerate() {
            let placed = memory.first().is_some_and(|memory| {
                let memory = std::os::fd::AsFd::as_fd(memory);
                mapping.place(index, memory, page as usize).is_ok()
            });
            if !placed {
                self.unmap(&handles);
                return Err(MemoryError::NoAddressSpace);
            }
        }
        Ok(handles)
    }

    pub(crate) fn unmap(&self, handles: &[Handle]) {
        for handles in handles.chunks(MAX_GRANTS) {
            self.call(&Request::Unmap(handles.to_vec()));
        }
    }

    pub(crate) fn copy_from(
        &self,
        peer: DomId,
        grant: GrantRef,
        offset: u16,
        into: &mut [u8],
    ) -> Result<(), MemoryError> {
        let request = Request::CopyFrom {
            peer,
            grant,
            offset,
            // The caller has checked that it stays in a page.
            len: into.len() as u16,
        };
        match self.call(&request) {
            Some(Reply::Bytes(bytes)) if bytes.len() == into.len() => {
                into.copy_from_slice(&bytes);
                Ok(())
            }
            other => Err(self.memory_error(other)),
        }
    }

    pub(crate) fn copy_to(
        &self,
        peer: DomId,
        grant: GrantRef,
        offset: u16,
        from: &[u8],
    ) -> Result<(), MemoryError> {
        let request = Request::CopyTo {
            peer,
            grant,
            offset,
            from,
        };
        match self.call(&request) {
            Some(Reply::Done) => Ok(()),
            other => Err(self.memory_error(other)),
        }
    }

    fn port(&self, request: &Request<'_>) -> Result<Port, EventError> {
        match self.call(request) {
            Some(Reply::Port(port)) => Ok(port),
            Some(Reply::Event(error)) => Err(error),
            Some(_) => {
                self.upcall.die();
                Err(EventError::NoSuchDomain)
            }
            None => Err(EventError::NoSuchDomain),
        }
    }

    pub(crate) fn listen(&self, peer: DomId) -> Result<Port, EventError> {
        self.port(&Request::Listen(peer))
    }

    pub(crate) fn connect(&self, peer: DomId, remote: Port) -> Result<Port, EventError> {
        self.port(&Request::Connect(peer, remote))
    }

    pub(crate) fn bind_virq(&self, virq: Virq) -> Result<Port, EventError> {
        self.port(&Request::BindVirq(virq))
    }

    pub(crate) fn notify(&self, port: Port) {
        if self
            .socket
            .send(&Request::Notify(port).encode(), &[])
            .is_err()
        {
            self.upcall.die();
        }
    }

    pub(crate) fn close(&self, port: Port) {
        self.call(&Request::Close(port));
    }

    pub(crate) fn usage(&self) -> Usage {
        match self.call(&Request::Usage) {
            Some(Reply::Usage(usage)) => usage,
            _ => Usage::default(),
        }
    }

    pub(crate) fn deliver_late(&self) {
        self.call(&Request::DeliverLate);
    }
}
