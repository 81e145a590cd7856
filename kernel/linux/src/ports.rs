//! The open ports of the process, and what arrives at them.

use core::cell::RefCell;
use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::rc::Rc;

use morgana_exec::Notify;
use morgana_hal::Port;
use rustix::io::{self, Errno};

use crate::ioctl::evtchn;

/// Arrivals taken from the device in one go: a page of ports, which is all that one read gives. More are found at the next look.
const BATCH: usize = 1024;
const PORT_BYTES: usize = size_of::<u32>();

/// The event channel device, opened once for all ports of the process. Closing it closes them.
#[derive(Debug)]
pub(crate) struct Ports {
    device: OwnedFd,
    open: RefCell<BTreeMap<Port, Rc<Notify>>>,
    buffer: RefCell<Box<[u8]>>,
    /// The numbers of ports that the kernel keeps masked since something arrived at them.
    masked: RefCell<Vec<u8>>,
}

impl Ports {
    pub(crate) fn new(device: OwnedFd) -> Self {
        Self {
            device,
            open: RefCell::default(),
            buffer: RefCell::new(vec![0; BATCH * PORT_BYTES].into()),
            masked: RefCell::default(),
        }
    }

    /// Readable while there are arrivals.
    pub(crate) fn device(&self) -> &OwnedFd {
        &self.device
    }

    /// Counts what arrives at `port` from now on. The kernel has just bound it.
    pub(crate) fn open(&self, port: Port) -> Rc<Notify> {
        let arrivals = Rc::new(Notify::new());
        self.open.borrow_mut().insert(port, arrivals.clone());
        arrivals
    }

    /// A port was left open by the program before: whatever has arrived counts, and more may arrive.
    pub(crate) fn adopted(&self, port: Port) {
        if let Some(arrivals) = self.open.borrow().get(&port) {
            arrivals.notify();
        }
        self.unmask(&port.number().to_ne_bytes());
    }

    pub(crate) fn close(&self, port: Port) {
        self.open.borrow_mut().remove(&port);
        // The port is this process's and open.
        let _ = evtchn::unbind(&self.device, port);
    }

    pub(crate) fn in_use(&self) -> usize {
        self.open.borrow().len()
    }

    /// Lets more arrive at the ports at which something has: before the next look for arrivals, and before a sleep. Not at once, so that whoever was
    /// woken answers first: what arrives meanwhile raises the port then.
    pub(crate) fn unmask_arrived(&self) {
        let mut masked = self.masked.borrow_mut();
        self.unmask(&masked);
        masked.clear();
    }

    /// Counts what has arrived.
    pub(crate) fn dispatch(&self) -> usize {
        let mut buffer = self.buffer.borrow_mut();
        match io::read(&self.device, &mut buffer[..]) {
            Ok(len) => self.arrived(&buffer[..len]),
            // The device's own list was full, so nobody knows what has arrived: it may be anything.
            Err(Errno::FBIG) => self.all_arrived(),
            // Nothing has arrived (or a signal came first).
            Err(_) => 0,
        }
    }

    /// Takes what the device has listed: port numbers. The kernel keeps a port masked from its arrival until it is written back.
    fn arrived(&self, listed: &[u8]) -> usize {
        let open = self.open.borrow();
        let (numbers, _) = listed.as_chunks::<PORT_BYTES>();
        let mut found = 0;
        for &number in numbers {
            // A port that was closed a moment ago may still be listed.
            if let Some(arrivals) = open.get(&Port::new(u32::from_ne_bytes(number))) {
                arrivals.notify();
                found += 1;
            }
        }
        self.masked.borrow_mut().extend_from_slice(listed);
        found
    }

    fn all_arrived(&self) -> usize {
        if evtchn::reset(&self.device).is_err() {
            return 0;
        }
        let open = self.open.borrow();
        let mut masked = self.masked.borrow_mut();
        for (port, arrivals) in open.iter() {
            arrivals.notify();
            masked.extend(port.number().to_ne_bytes());
        }
        open.len()
    }

    fn unmask(&self, mut numbers: &[u8]) {
        while !numbers.is_empty() {
            match io::write(&self.device, numbers) {
                Ok(len @ 1..) => numbers = &numbers[len.min(numbers.len())..],
                Err(Errno::INTR) => {}
                // The device takes whatever it is given; without memory for it the ports stay masked, as nothing else can be done.
                Ok(0) | Err(_) => return,
            }
        }
    }
}
