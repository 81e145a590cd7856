//! The gateway: a host of its own, with one guest beside it.

use core::cell::{Cell, RefCell};
use core::net::{IpAddr, SocketAddr};
use std::collections::BTreeMap;
use std::io;
use std::rc::Rc;

use morgana_exec::{Handle, Notify, Task};
use morgana_net_device::Device;
use morgana_net_stack::{
    AddressConfig, Cidr, Ipv4Config, Ipv6Config, Limits, Stack, StackConfig, UdpOptions, UdpSocket,
};

use crate::datagrams::{Flows, pass_datagrams};
use crate::forwarder::{Shared, serve};
use crate::leasing::Leasing;
use crate::listener::Socket;
use crate::splice::Scratch;
use crate::{Config, Listener, Readiness};

/// Ports that connections to the guest come from: all that need no privileges elsewhere either.
const PORTS: core::ops::RangeInclusive<u16> = 1024..=65535;
/// Where DHCP clients send their questions (RFC 2131 section 4.1).
const DHCP_PORT: u16 = 67;

/// What a gateway has done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Stats {
    /// Connections accepted from the host.
    pub accepted: u64,
    /// Of these, those that the guest refused or did not answer.
    pub refused: u64,
    /// Of these, those that one side reset.
    pub broken: u64,
    /// How often accepting had to wait because there were as many connections, or connections being opened, as may be.
    pub full: u64,
    /// Connections now.
    pub connections: usize,
    /// UDP flows that have begun.
    pub udp_flows_begun: u64,
    /// Of these, those that were forgotten because there were as many as may be.
    pub udp_flows_pushed_out: u64,
    /// UDP datagrams that were lost: too long for the guest's link, for a queue that is full, or for a client that takes none.
    pub udp_lost: u64,
    /// UDP flows now.
    pub udp_flows: usize,
}

/// A gateway at work. Dropping it ends all connections and flows; the host's ports stay with the listeners.
#[derive(Debug)]
pub struct Gateway {
    shared: Rc<Shared>,
    tasks: Vec<Task<()>>,
}

impl Gateway {
    /// Puts a gateway at the back end `device` of a guest's network interface. `seed` is random bits that no stranger knows.
    ///
    /// # Errors
    ///
    /// The host's, or that no task is left for it.
    pub fn start<D, R>(
        device: D,
        config: Config,
        listeners: &[Listener],
        readiness: &R,
        tasks: &Handle,
        seed: [u64; 2],
    ) -> io::Result<Self>
    where
        D: Device + 'static,
        R: Readiness,
    {
        let stack_config = StackConfig {
            addresses: AddressConfig {
                ipv4: Ipv4Config::Static {
                    cidr: Cidr {
                        address: config.gateway,
                        prefix: config.prefix,
                    },
                    gateway: None,
                },
                // The link-local address is enough to be asked for by a neighbour.
                ipv6: Ipv6Config::Auto,
                ..AddressConfig::default()
            },
            limits: Limits {
                // Those that are being closed count, too.
                connections: config.connections.saturating_mul(2),
                // One for each flow, some for flows whose tasks have still to end, and the silent one below.
                udp_sockets: config.udp_flows.saturating_mul(2).saturating_add(1),
                buffer_memory: config.buffer_memory,
                receive_buffer: 65_535,
                transmit_buffer: 65_535,
                ephemeral_ports: PORTS,
                ..Limits::default()
            },
            seed,
        };
        let ip_mtu = device.capabilities().ip_mtu;
        let device = Leasing::new(device, config);
        let (stack, runner) = Stack::new(device, stack_config, &tasks.timers());
        // The device has answered what comes to this port; nobody needs to hear that it is closed.
        let silent = UdpOptions {
            receive_datagrams: 0,
            ..UdpOptions::default()
        };
        let dhcp = UdpSocket::bind(&stack, DHCP_PORT, silent).map_err(io::Error::other)?;
        let shared = Rc::new(Shared {
            stack,
            config,
            tasks: tasks.clone(),
            scratch: Scratch::new(),
            stats: Cell::default(),
            connections: RefCell::new(BTreeMap::new()),
            opening: Cell::new(0),
            room: Notify::new(),
            flows: Flows::default(),
            ip_mtu,
        });
        // From here on an error ends what has been started.
        let mut gateway = Self {
            shared,
            tasks: Vec::new(),
        };
        gateway.spawn(async move {
            let _dhcp = dhcp;
            match runner.run().await {}
        })?;
        for listener in listeners {
            let guest = SocketAddr::new(IpAddr::V4(config.guest), listener.forward().guest);
            let shared = gateway.shared.clone();
            match &listener.socket {
                Socket::Tcp(socket) => {
                    let source = readiness.register(socket.try_clone()?)?;
                    gateway.spawn(serve(source, guest, readiness.clone(), shared))?;
                }
                Socket::Udp(socket) => {
                    let source = Rc::new(readiness.register(socket.try_clone()?)?);
                    gateway.spawn(pass_datagrams(source, guest, shared))?;
                }
            }
        }
        Ok(gateway)
    }

    fn spawn(&mut self, future: impl Future<Output = ()> + 'static) -> io::Result<()> {
        let task = self.shared.tasks.spawn(future).map_err(io::Error::other)?;
        self.tasks.push(task);
        Ok(())
    }

    /// What it has done.
    pub fn stats(&self) -> Stats {
        Stats {
            connections: self.shared.connections.borrow().len(),
            udp_flows: self.shared.flows.len(),
            ..self.shared.stats.get()
        }
    }

    /// What its network stack has seen and done.
    pub fn stack_stats(&self) -> morgana_net_stack::Stats {
        self.shared.stack.stats()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
        for task in self.shared.connections.borrow().values() {
            task.abort();
        }
        self.shared.flows.abort();
        self.shared.flows.abort();
    }
}
