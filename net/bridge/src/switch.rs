//! Where a frame goes: the switch without its devices.

use core::time::Duration;

use morgana_hal::Instant;
use morgana_net_device::MacAddr;

use crate::table::{Learned, Table};

/// How large a bridge may grow, and how long it remembers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Config {
    /// Ports that there can be at once.
    pub ports: usize,
    /// Addresses that are remembered.
    pub addresses: usize,
    /// Addresses that are remembered behind one port.
    pub addresses_of_a_port: usize,
    /// How long an address is remembered that nothing comes from.
    pub silence: Duration,
}

impl Default for Config {
    /// 256 ports, 1,024 addresses and 256 of a port, 300 s (IEEE 802.1Q, table 8-6: the recommended ageing time).
    fn default() -> Self {
        Self {
            ports: 256,
            addresses: 1024,
            addresses_of_a_port: 256,
            silence: Duration::from_secs(300),
        }
    }
}

/// A port's number. It is given to another port once this one is gone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct PortId(pub(crate) usize);

/// From which addresses a port may send.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sources {
    /// From any that does not belong to another port: a network is behind it.
    Any,
    /// From this one alone, which belongs to the port: one station is behind it.
    Only(MacAddr),
}

/// What is to be done with a frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Decision {
    /// It goes to this port.
    To(PortId),
    /// It goes to every port but the one it came from.
    ToOthers,
    /// Its destination is behind the port that it came from.
    Stays,
    /// It goes nowhere.
    Refused(Refusal),
}

/// Why a frame goes nowhere.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// It is shorter than an Ethernet header, or comes from an address that is none.
    Malformed,
    /// It does not come from an address that the port may send from.
    Spoofed,
    /// It is meant for bridges themselves.
    Reserved,
}

/// The table of a bridge, and its rules.
#[derive(Debug)]
pub struct Switch {
    table: Table,
    /// How often an address was not learned because there was no place for it.
    unlearned: u64,
}

impl Switch {
    /// A switch that knows nobody.
    pub fn new(config: &Config) -> Self {
        Self {
            table: Table::new(config.addresses, config.addresses_of_a_port, config.silence),
            unlearned: 0,
        }
    }

    /// How many addresses are remembered.
    pub fn addresses(&self) -> usize {
        self.table.len()
    }

    /// How often an address was not learned because there was no place for it.
    pub fn unlearned(&self) -> u64 {
        self.unlearned
    }

    /// A port begins. One with a single address gets it for itself, in place of a port where it was only heard.
    ///
    /// # Errors
    ///
    /// [`Refusal::Spoofed`] if the address belongs to another port, [`Refusal::Malformed`] if no station can have it.
    pub fn begin(&mut self, port: PortId, sources: Sources, now: Instant) -> Result<(), Refusal> {
        let Sources::Only(mac) = sources else {
            return Ok(());
        };
        if !mac.is_unicast() {
            return Err(Refusal::Malformed);
        }
        match self.table.fix(mac, port, now) {
            Learned::Yes => Ok(()),
            Learned::Taken => Err(Refusal::Spoofed),
            Learned::Full => {
                // Frames for it go to all ports, and others may be heard with it.
                self.unlearned += 1;
                Ok(())
            }
        }
    }

    /// A port has ended: all that was behind it is forgotten.
    pub fn end(&mut self, port: PortId) {
        self.table.forget(port);
    }

    /// Says where a frame goes that came from `from`, and learns from it.
    pub fn decide(
        &mut self,
        from: PortId,
        sources: Sources,
        frame: &[u8],
        now: Instant,
    ) -> Decision {
        let (Some(to), Some(source)) = (address(frame, 0), address(frame, 6)) else {
            return Decision::Refused(Refusal::Malformed);
        };
        if frame.len() < HEADER || !source.is_unicast() {
            return Decision::Refused(Refusal::Malformed);
        }
        let allowed = match sources {
            Sources::Any => !self.table.is_taken(source, from),
            Sources::Only(mac) => source == mac,
        };
        if !allowed {
            return Decision::Refused(Refusal::Spoofed);
        }
        if is_reserved(to) {
            return Decision::Refused(Refusal::Reserved);
        }
        if self.table.hear(source, from, now) == Learned::Full {
            self.unlearned += 1;
        }
        match self.table.port(to, now) {
            Some(port) if port == from => Decision::Stays,
            Some(port) => Decision::To(port),
            None => Decision::ToOthers,
        }
    }
}

fn address(frame: &[u8], at: usize) -> Option<MacAddr> {
    let bytes = frame.get(at..at + 6)?;
    Some(MacAddr(bytes.try_into().ok()?))
}

/// IEEE 802.1Q, table 8-1: what no bridge passes on.
fn is_reserved(mac: MacAddr) -> bool {
    mac.0[..5] == [0x01, 0x80, 0xc2, 0, 0] && mac.0[5] <= 0x0f
}

/// Destination, source, type.
pub(crate) const HEADER: usize = 14;

#[cfg(test)]
mod tests;
