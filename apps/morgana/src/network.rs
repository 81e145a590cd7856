//! The domain's network.

use alloc::string::{String, ToString};
use core::fmt;
use core::time::Duration;

use morgana_hal::Platform;
use morgana_net_stack::{AddressConfig, Addresses, Limits, Stack, StackConfig};
use morgana_netfront::{Config, ConnectError, Monitor, Netfront};

use crate::{CaptureError, Domain, NoXenstore, pcap};

/// How long to wait for the back end of the first network interface. A toolstack has it ready before the domain runs; a domain that
/// restarts has its driver domain to wait for.
const PATIENCE: Duration = Duration::from_secs(60);
/// What a domain's connections take for their buffers at most.
const MOST_BUFFER_MEMORY: usize = 64 << 20;

/// A network stack over the domain's first network interface.
#[derive(Clone, Debug)]
pub struct Network<P: Platform> {
    stack: Stack,
    device: Monitor<P>,
}

impl<P: Platform> Network<P> {
    /// The network stack.
    pub fn stack(&self) -> &Stack {
        &self.stack
    }

    /// The network interface's counters.
    pub fn device(&self) -> &Monitor<P> {
        &self.device
    }
}

impl<P: Platform> Domain<P> {
    /// Connects the first network interface, with the addresses that the command line says (`ip=`, `gw=`, `ip6=` …; see
    /// [`AddressConfig`]), by default by DHCP and router advertisement. Returns before an address has come; see
    /// [`Stack::configured`]. `tcp-connections=` is how many TCP connections there may be at a time ([`Limits::connections`] by default).
    ///
    /// To be called once: the interface cannot be connected a second time.
    ///
    /// # Errors
    ///
    /// [`NetworkError`].
    pub async fn network(&self) -> Result<Network<P>, NetworkError> {
        let addresses = AddressConfig::parse(self.command_line().as_str())
            .map_err(|error| NetworkError::Addresses(error.to_string()))?;
        let connections = self
            .command_line()
            .parse("tcp-connections", Limits::default().connections)
            .map_err(|error| NetworkError::Connections(error.to_string()))?;
        let connect = Netfront::connect(
            self.platform(),
            self.xenstore()?,
            self.tasks(),
            0,
            Config::default(),
        );
        let device = self
            .timers()
            .timeout(PATIENCE, connect)
            .await
            .map_err(|_| NetworkError::NoBackend)??;
        log::info!("network interface {} connected", device.mac());
        let mut seed = [0; 16];
        self.platform().entropy(&mut seed);
        let seed = u128::from_ne_bytes(seed);
        let config = StackConfig {
            addresses,
            limits: Limits {
                connections,
                buffer_memory: buffer_memory(self.platform().usage().heap_total_bytes),
                ..Limits::default()
            },
            seed: [seed as u64, (seed >> 64) as u64],
        };
        let monitor = device.monitor();
        let device = pcap::record(self, device).await?;
        let (stack, runner) = Stack::new(device, config, &self.timers());
        self.tasks()
            .spawn(runner.run())
            .map_err(|_| ConnectError::TooManyTasks)?;
        // Without the task the addresses are used all the same, only not logged.
        let _ = self.tasks().spawn(report_addresses(stack.clone()));
        Ok(Network {
            stack,
            device: monitor,
        })
    }
}

/// How much of a heap, in bytes, connections may take for their buffers: three eighths, but what every domain needs at least, and not
/// more than thousands of connections have a use for. A heap that is not limited, or not counted, counts as 0.
fn buffer_memory(heap: usize) -> usize {
    let least = Limits::default().buffer_memory;
    (heap / 8 * 3).clamp(least, MOST_BUFFER_MEMORY)
}

/// Logs every address that the stack gets.
async fn report_addresses(stack: Stack) {
    let mut seen = Addresses::default();
    loop {
        let now = stack.addresses_after(seen).await;
        if let Some(address) = now.ipv4.filter(|_| now.ipv4 != seen.ipv4) {
            log::info!("address {address}");
        }
        for address in now.ipv6.iter().flatten() {
            if !seen.ipv6.contains(&Some(*address)) {
                log::info!("address {address}");
            }
        }
        seen = now;
    }
}

/// Why there is no network.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NetworkError {
    /// The command line is wrong; the text names the word.
    Addresses(String),
    /// The command line's `tcp-connections=` is wrong.
    Connections(String),
    /// Network interfaces are found through xenstore.
    NoXenstore(NoXenstore),
    /// No back end was there within a minute.
    NoBackend,
    /// The interface could not be connected.
    Interface(ConnectError),
    /// It cannot be recorded as `pcap=` on the command line wants it.
    Capture(CaptureError),
}

impl fmt::Display for NetworkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Addresses(error) | Self::Connections(error) => {
                write!(f, "command line: {error}")
            }
            Self::NoXenstore(error) => write!(f, "no network: {error}"),
            Self::NoBackend => write!(
                f,
                "no network: after {} s no back end serves device/vif/0",
                PATIENCE.as_secs()
            ),
            Self::Interface(error) => write!(f, "no network: {error}"),
            Self::Capture(error) => write!(f, "command line: pcap: {error}"),
        }
    }
}

impl core::error::Error for NetworkError {}

impl From<CaptureError> for NetworkError {
    fn from(error: CaptureError) -> Self {
        Self::Capture(error)
    }
}

impl From<NoXenstore> for NetworkError {
    fn from(error: NoXenstore) -> Self {
        Self::NoXenstore(error)
    }
}

impl From<ConnectError> for NetworkError {
    fn from(error: ConnectError) -> Self {
        Self::Interface(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use morgana_net_stack::Buffers;

    #[test]
    fn buffers_grow_with_the_heap_within_limits() {
        let least = Limits::default().buffer_memory;
        assert_eq!([0, 8 << 20].map(buffer_memory), [least; 2]);
        assert_eq!(buffer_memory(usize::MAX), MOST_BUFFER_MEMORY);
        // The stack leaves a quarter to those who want more than others: in a domain of 16 MiB there is room for two bulk streams.
        let bulk = Buffers::BULK.receive + Buffers::BULK.transmit;
        assert!(buffer_memory(15 << 20) / 4 >= 2 * bulk as usize);
    }
}
