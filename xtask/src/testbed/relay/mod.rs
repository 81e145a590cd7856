//! UDP from the host into the testbed.
//!
//! QEMU's user-mode network is restricted, so that nothing of the testbed gets out; and then it lets no answer over UDP out either, also not to what it has
//! forwarded. So the relay is a host of its own on the testbed's network: QEMU's network filters hand it what the testbed sends (`filter-mirror`) and take its
//! frames (`filter-redirector`). To either side it is a UDP client or server with ports, and it carries datagrams from one to the other.

mod flows;
mod frames;

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::json;

use super::qmp::Qmp;
use flows::{Age, Known};
use frames::{Asks, Heard};

/// How often a thread that waits for datagrams looks whether the testbed is still there.
const PAUSE: Duration = Duration::from_millis(200);
/// The longest frame that is read; whatever is longer is no frame.
const LONGEST_FRAME: usize = 256 * 1024;

/// Our ends of what QEMU's filters are connected to.
#[derive(Debug)]
pub(super) struct Wire {
    /// A copy of all that the testbed sends, each frame behind its length in four bytes.
    pub(super) heard: UnixStream,
    /// Frames for the testbed, in the same form.
    pub(super) spoken: UnixStream,
}

/// The names that QEMU has for the other ends.
pub(super) const CHANNELS: [&str; 2] = ["heard", "spoken"];

/// The relay at work. It ends when it is dropped.
#[derive(Debug)]
pub(super) struct Relay(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    spoken: Mutex<UnixStream>,
    known: Mutex<Known>,
    over: AtomicBool,
}

impl Relay {
    /// Joins the testbed's network.
    pub(super) fn join(wire: Wire, qmp: &mut Qmp) -> Result<Relay> {
        let Wire { heard, spoken } = wire;
        let shared = Arc::new(Shared {
            spoken: Mutex::new(spoken),
            known: Mutex::default(),
            over: AtomicBool::new(false),
        });
        let relay = Relay(Arc::clone(&shared));
        // It reads before QEMU writes: QEMU would wait for it.
        std::thread::spawn(move || {
            // QEMU's end.
            let _ = shared.listen(heard);
        });
        let [heard, spoken] = CHANNELS;
        for filter in [
            json!({ "qom-type": "filter-mirror", "id": "hear", "netdev": "net", "queue": "rx", "outdev": heard }),
            json!({ "qom-type": "filter-redirector", "id": "speak", "netdev": "net", "queue": "tx", "indev": spoken }),
        ] {
            qmp.call("object-add", filter)
                .context("QEMU does not let UDP into the testbed")?;
        }
        Ok(relay)
    }

    /// Leads a UDP port of the host's 127.0.0.1 to `to`.
    pub(super) fn forward(&self, host: u16, to: SocketAddrV4) -> Result<()> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, host)).with_context(|| {
            format!("cannot forward UDP port {host} of 127.0.0.1 (is it in use?)")
        })?;
        socket
            .set_read_timeout(Some(PAUSE))
            .context("cannot set a time limit for datagrams")?;
        let (socket, shared) = (Arc::new(socket), Arc::clone(&self.0));
        std::thread::spawn(move || {
            let mut datagram = vec![0; 65536];
            while !shared.over.load(Ordering::SeqCst) {
                if let Ok((length, client)) = socket.recv_from(&mut datagram) {
                    let (port, age) = shared.known().port_of(&socket, client, to);
                    shared.send(port, to, age, &datagram[..length]);
                }
            }
        });
        Ok(())
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.0.over.store(true, Ordering::SeqCst);
    }
}

impl Shared {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a datagram, or keeps it until it is known where that is.
    fn send(&self, port: u16, to: SocketAddrV4, age: Age, payload: &[u8]) {
        let mut known = self.known();
        let neighbour = known.neighbours.get(to.ip()).copied();
        if neighbour.is_none() {
            known.held.insert(*to.ip(), (port, to, payload.to_vec()));
        }
        drop(known);
        // A guest that was made anew is elsewhere: now and then it is asked again.
        if neighbour.is_none() || age == Age::New {
            self.speak(&frames::question(*to.ip()));
        }
        let frame = neighbour.and_then(|mac| frames::datagram(mac, port, to, payload));
        if let Some(frame) = frame {
            self.speak(&frame);
        }
    }

    /// What cannot be sent is lost: QEMU has ended.
    fn speak(&self, frame: &[u8]) {
        let mut message = (frame.len() as u32).to_be_bytes().to_vec();
        message.extend_from_slice(frame);
        let mut spoken = self.spoken.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = spoken.write_all(&message);
    }

    /// Reads frames until QEMU ends.
    fn listen(&self, mut heard: UnixStream) -> io::Result<()> {
        let mut frame = Vec::new();
        loop {
            let mut length = [0; 4];
            heard.read_exact(&mut length)?;
            let length = u32::from_be_bytes(length) as usize;
            if length > LONGEST_FRAME {
                return Err(ErrorKind::InvalidData.into());
            }
            frame.resize(length, 0);
            heard.read_exact(&mut frame)?;
            if let Some(heard) = frames::parse(&frame) {
                self.react(heard);
            }
        }
    }

    fn react(&self, heard: Heard<'_>) {
        match heard {
            Heard::Neighbour { mac, address, asks } => {
                let mut known = self.known();
                known.neighbours.insert(address, mac);
                let held = known.held.remove(&address);
                drop(known);
                if asks == Asks::Us {
                    self.speak(&frames::answer(mac, address));
                }
                if let Some((port, to, payload)) = held {
                    self.send(port, to, Age::Old, &payload);
                }
            }
            Heard::Datagram {
                from,
                port,
                payload,
            } => {
                let flow = self.known().answered(port, from);
                if let Some(flow) = flow {
                    // A client that takes no more has lost it.
                    let _ = flow.socket.send_to(payload, flow.client);
                }
            }
        }
    }
}
