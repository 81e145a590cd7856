//! Event channels, as the hal knows them.

use core::task::{Context, Poll};
use std::os::fd::{AsFd, BorrowedFd};
use std::rc::Rc;

use morgana_exec::Notify;
use morgana_hal::{Channel, DomId, EventError, Events, Port, Virq};
use rustix::io::Errno;

use crate::ioctl::evtchn;
use crate::ports::Ports;

/// Makes the process's channels.
#[derive(Clone, Debug)]
pub struct LinuxEvents {
    ports: Rc<Ports>,
}

/// One end of an event channel.
#[derive(Debug)]
pub struct LinuxChannel {
    ports: Rc<Ports>,
    port: Port,
    arrivals: Rc<Notify>,
}

impl LinuxEvents {
    pub(crate) fn new(ports: Rc<Ports>) -> Self {
        Self { ports }
    }

    /// The device, for a program that goes on with its ports.
    pub fn device(&self) -> BorrowedFd<'_> {
        self.ports.device().as_fd()
    }

    /// The channel of a port that the program before has left open on the [device](Self::device). Something may have arrived at it.
    pub fn adopt(&self, port: Port) -> LinuxChannel {
        let channel = self.channel(port);
        self.ports.adopted(port);
        channel
    }

    fn channel(&self, port: Port) -> LinuxChannel {
        LinuxChannel {
            ports: self.ports.clone(),
            port,
            arrivals: self.ports.open(port),
        }
    }
}

impl Events for LinuxEvents {
    type Channel = LinuxChannel;

    fn listen(&self, peer: DomId) -> Result<LinuxChannel, EventError> {
        let port = evtchn::bind_unbound(self.ports.device(), peer);
        port.map(|port| self.channel(port))
            .map_err(|errno| error(errno, EventError::NoFreePort))
    }

    fn connect(&self, peer: DomId, remote: Port) -> Result<LinuxChannel, EventError> {
        let port = evtchn::bind_interdomain(self.ports.device(), peer, remote);
        port.map(|port| self.channel(port))
            .map_err(|errno| error(errno, EventError::Refused))
    }

    fn virq(&self, virq: Virq) -> Result<LinuxChannel, EventError> {
        let port = evtchn::bind_virq(self.ports.device(), virq);
        port.map(|port| self.channel(port))
            .map_err(|errno| error(errno, EventError::Denied))
    }
}

/// What Xen's or the kernel's refusal means; `otherwise` is the request's own way to be refused.
fn error(errno: Errno, otherwise: EventError) -> EventError {
    match errno {
        Errno::SRCH => EventError::NoSuchDomain,
        Errno::NOSPC | Errno::NOMEM => EventError::NoFreePort,
        _ => otherwise,
    }
}

impl Channel for LinuxChannel {
    fn port(&self) -> Port {
        self.port
    }

    fn notify(&self) {
        // The port is this process's and open, so this does not fail; a peer that is gone is no error.
        let _ = evtchn::notify(self.ports.device(), self.port);
    }

    fn count(&self) -> u64 {
        self.arrivals.count()
    }

    fn poll_after(&self, seen: u64, cx: &mut Context<'_>) -> Poll<u64> {
        self.arrivals.poll_after(seen, cx)
    }
}

impl Drop for LinuxChannel {
    fn drop(&mut self) {
        self.ports.close(self.port);
    }
}
