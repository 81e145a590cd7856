//! Our server on a TCP socket, for a secondary server that takes its zones.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::client::PATIENCE;
use crate::ours::Ours;
use crate::world::World;

/// A primary server on a port of 127.0.0.1, until the process ends. It has one connection after the other.
#[derive(Debug)]
pub struct Primary {
    address: SocketAddr,
    world: Arc<Mutex<World>>,
}

impl Primary {
    /// Serves the zones of a world.
    ///
    /// # Errors
    ///
    /// Those of the socket.
    pub fn start(world: &World) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let primary = Self {
            address: listener.local_addr()?,
            world: Arc::new(Mutex::new(world.clone())),
        };
        let world = primary.world.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let now = world.lock().map(|world| world.clone());
                let Some(mut ours) = now.ok().and_then(|now| Ours::new(&now).ok()) else {
                    return;
                };
                // A peer that goes away has its reasons.
                let _ = one(&mut ours, stream);
            }
        });
        Ok(primary)
    }

    /// Where it is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves other zones on further connections. Nobody is told.
    pub fn replace(&self, world: &World) {
        if let Ok(mut now) = self.world.lock() {
            *now = world.clone();
        }
    }
}

fn one(ours: &mut Ours, mut stream: TcpStream) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    loop {
        let mut length = [0; 2];
        stream.read_exact(&mut length)?;
        let mut query = vec![0; usize::from(u16::from_be_bytes(length))];
        stream.read_exact(&mut query)?;
        for message in ours.transfer(&query) {
            let length = u16::try_from(message.len()).map_err(io::Error::other)?;
            stream.write_all(&length.to_be_bytes())?;
            stream.write_all(&message)?;
        }
    }
}
