//! Queries in datagrams.

use alloc::vec;
use alloc::vec::Vec;

use morgana::log;
use morgana_dns::{Outcome, Peer, Transport};
use morgana_hal::Platform;
use morgana_net_stack::UdpSocket;

use crate::Shared;

/// No query is longer: what does not fit into one packet of the link does not arrive.
const MAX_QUERY: usize = 2048;

/// Answers queries for ever: all that have arrived in one go, from the addresses that they were sent to.
pub async fn serve_udp<P: Platform>(shared: Shared<P>, socket: UdpSocket) {
    let mut query = vec![0; MAX_QUERY];
    let mut answer = Vec::new();
    loop {
        let received = socket.recv_from(&mut query).await;
        let Some(message) = query.get(..received.len) else {
            continue;
        };
        // Port 0 cannot be answered (RFC 768).
        let peer = Peer {
            address: received.remote.ip(),
            transport: Transport::Udp,
        };
        answer.clear();
        let outcome = shared
            .server()
            .answer(message, peer, shared.now(), &mut answer);
        if let Outcome::Reply = outcome
            && let Err(error) = socket.reply(&answer, &received).await
        {
            log::debug!("no answer to {}: {error}", received.remote);
        }
    }
}
