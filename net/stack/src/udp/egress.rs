//! Datagrams that leave.
//!
//! smoltcp's own queues would stop at the first datagram whose destination does not answer on the link, for ever. So datagrams are handed
//! to it one by one, and one that cannot leave steps aside.

use alloc::vec;
use core::time::Duration;

use morgana_hal::Instant;
use morgana_net_device::Device;
use smoltcp::iface::{PollResult, SocketHandle, SocketSet};
use smoltcp::socket::udp::{PacketBuffer, PacketMetadata, Socket, UdpMetadata};

use super::queue::Leaving;
use crate::engine::Engine;
use crate::phy::Egress;
use crate::tcp::Room;
use crate::time::instant_to_smoltcp;

/// How long a datagram waits until it is tried again, and its destination is asked for again.
const RETRY: Duration = Duration::from_secs(1);
/// For how long it is tried while its destination does not answer on the link: three questions.
const PATIENCE: Duration = Duration::from_secs(2);

/// A socket with room for one datagram to send, and none to receive.
pub(crate) fn sender(ip_mtu: usize) -> SocketSet<'static> {
    let nothing = PacketBuffer::new(vec![], vec![]);
    let one = PacketBuffer::new(vec![PacketMetadata::EMPTY], vec![0; ip_mtu]);
    let mut set = SocketSet::new(vec![]);
    set.add(Socket::new(nothing, one));
    set
}

/// What became of a datagram.
enum Outcome {
    Sent,
    /// Its destination does not answer on the link.
    Blocked,
    /// The device has no room.
    Exhausted,
}

impl Engine {
    /// Sends what the sockets have, one datagram each in turn.
    pub(crate) fn send_datagrams<D: Device>(&mut self, device: &mut D, now: Instant) -> Room {
        if self.udp.retry_at.is_some_and(|at| at <= now) {
            self.udp.retry_at = None;
            self.udp.retry_all();
        }
        while let Some(port) = self.udp.ready.pop_front() {
            let Some(bound) = self.udp.sockets.get_mut(&port) else {
                continue;
            };
            bound.queued = false;
            let Some(place) = bound.leaving.iter().position(|one| one.not_before <= now) else {
                let earliest = bound.leaving.iter().map(|one| one.not_before).min();
                self.udp.retry_at = [self.udp.retry_at, earliest].into_iter().flatten().min();
                continue;
            };
            let Some(mut leaving) = bound.leaving.remove(place) else {
                continue;
            };
            let outcome = self.send_datagram(port, &leaving, device, now);
            let mut given_up = false;
            if matches!(outcome, Outcome::Blocked) {
                leaving.not_before = now + RETRY;
                // Answers of others, too, have it tried again: it is the time that counts.
                given_up = *leaving.until.get_or_insert(now + PATIENCE) <= now;
            }
            let Some(bound) = self.udp.sockets.get_mut(&port) else {
                continue;
            };
            match outcome {
                Outcome::Sent => self.stats.udp_sent += 1,
                Outcome::Blocked if given_up => self.stats.udp_unreachable += 1,
                Outcome::Blocked => {
                    bound.leaving.push_back(leaving);
                    self.udp.make_ready(port);
                    continue;
                }
                Outcome::Exhausted => {
                    bound.leaving.push_front(leaving);
                    self.udp.make_ready(port);
                    return Room::Exhausted;
                }
            }
            if let Some(writer) = bound.writer.take() {
                writer.wake();
            }
            if !bound.leaving.is_empty() {
                self.udp.make_ready(port);
            }
        }
        Room::Enough
    }

    fn send_datagram<D: Device>(
        &mut self,
        port: u16,
        leaving: &Leaving,
        device: &mut D,
        now: Instant,
    ) -> Outcome {
        let socket: &mut Socket<'_> = self.udp.sender.get_mut(SocketHandle::default());
        let mut metadata = UdpMetadata::from(smoltcp::wire::IpEndpoint::from(leaving.remote));
        metadata.local_address = leaving.local.map(Into::into);
        socket.close();
        // What it refuses here was refused before by `UdpSocket::poll_send`, but for a change of addresses since.
        if socket.bind(port).is_err() || socket.send_slice(&leaving.data, metadata).is_err() {
            return Outcome::Blocked;
        }
        let mut egress = Egress {
            device,
            capabilities: &self.capabilities,
            offload: self.offload,
            wire: None,
            stats: &mut self.stats,
            exhausted: false,
        };
        let frames = egress.stats.frames_sent;
        let result =
            self.interface
                .poll_egress(instant_to_smoltcp(now), &mut egress, &mut self.udp.sender);
        if result == PollResult::SocketStateChanged {
            return Outcome::Sent;
        }
        if egress.exhausted {
            return Outcome::Exhausted;
        }
        // The set remembers for which neighbour it waits, and would not try another one.
        self.udp.sender = sender(self.udp.ip_mtu);
        self.neighbor_is_missing(leaving.remote.ip(), frames, now);
        Outcome::Blocked
    }
}
