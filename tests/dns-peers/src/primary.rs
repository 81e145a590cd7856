//! Our server on a TCP socket, for a secondary server that takes its zones.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;

use crate::client::PATIENCE;
use crate::ours::Ours;
use crate::world::World;

/// Serves the zones of a world on a port of 127.0.0.1 until the process ends. One connection after the other.
///
/// # Errors
///
/// Those of the socket.
pub fn serve(world: &World) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let (address, world) = (listener.local_addr()?, world.clone());
    thread::spawn(move || {
        let Ok(mut ours) = Ours::new(&world) else {
            return;
        };
        for stream in listener.incoming().flatten() {
            // A peer that goes away has its reasons.
            let _ = one(&mut ours, stream);
        }
    });
    Ok(address)
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
