//! Telling others of changed zones (RFC 1996).

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;

use morgana::log;
use morgana_dns::{Notification, Zone, notification};
use morgana_exec::{Handle, Timers};
use morgana_net_stack::{Stack, UdpOptions, UdpSocket};

use crate::words::Words;

/// How often it is tried (section 3.6 lets us choose), with twice the pause each time.
const TRIES: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_secs(2);
/// How many notifications of one change there are, at the most. Further ones are not sent: their peers look for themselves, as their SOA says.
const MAX_PENDING: usize = 256;
/// Where they listen.
const PORT: u16 = 53;

/// Sends notifications.
#[derive(Debug)]
pub struct Notifier {
    stack: Stack,
    timers: Timers,
    peers: Vec<IpAddr>,
}

/// One that has not been answered.
struct Pending {
    notification: Notification,
    zone: Rc<Zone>,
    to: SocketAddr,
}

impl Notifier {
    /// A notifier of those that the command line names.
    pub fn new(stack: &Stack, timers: Timers, words: &Words) -> Self {
        Self {
            stack: stack.clone(),
            timers,
            peers: words.notify.clone(),
        }
    }

    /// Tells all peers of changed zones, in a task.
    pub fn notify(&self, tasks: &Handle, zones: Vec<Rc<Zone>>) {
        if self.peers.is_empty() || zones.is_empty() {
            return;
        }
        let pairs = zones
            .iter()
            .flat_map(|zone| self.peers.iter().map(move |peer| (zone, peer)));
        let seed = self.timers.now().as_nanos();
        let pending = pairs
            .take(MAX_PENDING)
            .enumerate()
            .map(|(place, (zone, peer))| Pending {
                // Who could forge an answer would only save us a datagram.
                notification: notification(zone, (seed >> 10) as u16 ^ place as u16),
                zone: zone.clone(),
                to: (*peer, PORT).into(),
            });
        let run = run(self.stack.clone(), self.timers.clone(), pending.collect());
        if let Err(error) = tasks.spawn(run) {
            log::warn!("nobody is told of changed zones: {error}");
        }
    }
}

async fn run(stack: Stack, timers: Timers, mut pending: Vec<Pending>) {
    let socket = match UdpSocket::bind(&stack, 0, UdpOptions::default()) {
        Ok(socket) => socket,
        Err(error) => return log::warn!("nobody is told of changed zones: {error}"),
    };
    for attempt in 0..TRIES {
        for one in &pending {
            if let Err(error) = socket.send_to(one.notification.message(), one.to).await {
                log::debug!(
                    "{} cannot be told of {}: {error}",
                    one.to,
                    one.zone.origin()
                );
            }
        }
        let answers = listen(&socket, &mut pending);
        let _ = timers
            .timeout(FIRST_PAUSE * 2u32.pow(attempt), answers)
            .await;
        if pending.is_empty() {
            return;
        }
    }
    for one in pending {
        log::warn!(
            "{} does not answer that {} has changed",
            one.to.ip(),
            one.zone.origin()
        );
    }
}

/// Takes answers until there is one to each.
async fn listen(socket: &UdpSocket, pending: &mut Vec<Pending>) {
    let mut answer = [0; 512];
    while !pending.is_empty() {
        let received = socket.recv_from(&mut answer).await;
        let message = &answer[..received.len.min(answer.len())];
        pending.retain(|one| {
            let answered = one.to == received.remote && one.notification.is_answered_by(message);
            if answered {
                log::info!(
                    "{} knows that {} has changed",
                    one.to.ip(),
                    one.zone.origin()
                );
            }
            !answered
        });
    }
}
