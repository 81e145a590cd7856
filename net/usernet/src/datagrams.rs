//! One forwarded port of UDP: datagrams of the host's clients go to the guest, its answers back to whom they are for.
//!
//! UDP has no connections, so each client gets a socket of its own towards the guest, a flow, by which its answers are known. A flow ends when it has been silent
//! for long, or when there are too many and it has been silent for the longest. A datagram for which there is no room anywhere is lost, as on any network.

use core::cell::{Cell, RefCell};
use core::future::poll_fn;
use core::net::SocketAddr;
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::collections::BTreeMap;
use std::net::UdpSocket as HostSocket;
use std::rc::Rc;

use morgana_exec::{Either, Task, select, yield_now};
use morgana_hal::Instant;
use morgana_net_stack::{UdpOptions, UdpSocket};

use crate::forwarder::Shared;
use crate::readiness::{Direction, Source};

/// The longest datagram that IPv4 can carry (RFC 768).
const LONGEST: usize = 65_507;
/// Datagrams taken from the host before others have their turn.
const BUDGET: usize = 64;
/// How long to wait after the host could not hand a datagram over.
const RETRY: Duration = Duration::from_millis(100);

/// Whom a flow is for: the address on the guest that is sent to, and the client's.
type Ends = (SocketAddr, SocketAddr);

/// All flows of a gateway.
#[derive(Debug, Default)]
pub(crate) struct Flows(RefCell<BTreeMap<Ends, Entry>>);

/// A flow, and the task that passes its answers on.
type Entry = (Rc<Flow>, Task<()>);

/// One client.
#[derive(Debug)]
struct Flow {
    /// Towards the guest, on a port of its own.
    socket: UdpSocket,
    used: Cell<Instant>,
}

impl Flows {
    pub(crate) fn len(&self) -> usize {
        self.0.borrow().len()
    }

    /// Ends all of them.
    pub(crate) fn abort(&self) {
        for (_, task) in self.0.borrow().values() {
            task.abort();
        }
        self.0.borrow_mut().clear();
    }

    /// Forgets those that have been silent for the longest, until there are less than `most`; returns how many these were.
    fn make_room(&self, most: usize) -> u64 {
        let mut flows = self.0.borrow_mut();
        let mut forgotten = 0;
        while flows.len() >= most.max(1) {
            let oldest = flows.iter().min_by_key(|(_, (flow, _))| flow.used.get());
            let Some((&ends, _)) = oldest else { break };
            if let Some((_, task)) = flows.remove(&ends) {
                task.abort();
            }
            forgotten += 1;
        }
        forgotten
    }
}

/// Passes datagrams on for as long as it is polled.
pub(crate) async fn pass_datagrams<S>(host: Rc<S>, guest: SocketAddr, shared: Rc<Shared>)
where
    S: Source<HostSocket>,
{
    let mut datagram = vec![0; LONGEST];
    loop {
        for _ in 0..BUDGET {
            let taken = poll_fn(|cx| {
                host.poll_io(Direction::Read, cx, |socket| {
                    socket.recv_from(&mut datagram)
                })
            });
            match taken.await {
                Ok((len, client)) => to_guest(&datagram[..len], client, guest, &host, &shared),
                Err(error) => {
                    log::warn!("cannot take a datagram: {error}");
                    shared.tasks.timers().sleep(RETRY).await;
                }
            }
        }
        yield_now().await;
    }
}

/// Sends a client's datagram to the guest, by the client's flow.
fn to_guest<S>(
    datagram: &[u8],
    client: SocketAddr,
    guest: SocketAddr,
    host: &Rc<S>,
    shared: &Rc<Shared>,
) where
    S: Source<HostSocket>,
{
    let known = shared
        .flows
        .0
        .borrow()
        .get(&(guest, client))
        .map(|(flow, _)| flow.clone());
    let Some(flow) = known.or_else(|| begin(client, guest, host, shared)) else {
        shared.count(|stats| stats.udp_lost += 1);
        return;
    };
    flow.used.set(shared.tasks.timers().now());
    // Nobody waits for room: what finds none is lost.
    let mut cx = Context::from_waker(Waker::noop());
    let sent = flow.socket.poll_send(&mut cx, datagram, guest, None);
    if !matches!(sent, Poll::Ready(Ok(()))) {
        shared.count(|stats| stats.udp_lost += 1);
    }
}

/// Begins a flow; `None` if no socket or no task can be had for it.
fn begin<S>(
    client: SocketAddr,
    guest: SocketAddr,
    host: &Rc<S>,
    shared: &Rc<Shared>,
) -> Option<Rc<Flow>>
where
    S: Source<HostSocket>,
{
    let pushed_out = shared.flows.make_room(shared.config.udp_flows);
    let socket = UdpSocket::bind(&shared.stack, 0, UdpOptions::default());
    let flow = Rc::new(Flow {
        socket: socket.ok()?,
        used: Cell::new(shared.tasks.timers().now()),
    });
    let (answered, host, owner) = (flow.clone(), host.clone(), shared.clone());
    let answering = async move {
        answer(&answered, client, guest, &*host, &owner).await;
        owner.flows.0.borrow_mut().remove(&(guest, client));
    };
    let task = shared.tasks.spawn(answering).ok()?;
    shared.count(|stats| {
        stats.udp_flows_begun += 1;
        stats.udp_flows_pushed_out += pushed_out;
    });
    let entry = (flow.clone(), task);
    shared.flows.0.borrow_mut().insert((guest, client), entry);
    Some(flow)
}

/// Passes the guest's answers on to the client, until the flow has been silent for too long.
async fn answer<S>(flow: &Flow, client: SocketAddr, guest: SocketAddr, host: &S, shared: &Shared)
where
    S: Source<HostSocket>,
{
    let timers = shared.tasks.timers();
    let mut datagram = vec![0; shared.ip_mtu];
    loop {
        let silent_at = flow.used.get() + shared.config.udp_idle;
        let received = flow.socket.recv_from(&mut datagram);
        match select(received, timers.sleep_until(silent_at)).await {
            // From elsewhere it is no answer to what was sent.
            Either::First(received) if received.remote != guest => {}
            Either::First(received) => {
                flow.used.set(timers.now());
                let fits = datagram.get(..received.len);
                let sent = fits.is_some_and(|bytes| host.io().send_to(bytes, client).is_ok());
                if !sent {
                    shared.count(|stats| stats.udp_lost += 1);
                }
            }
            Either::Second(()) if flow.used.get() + shared.config.udp_idle <= timers.now() => {
                return;
            }
            Either::Second(()) => {}
        }
    }
}
