//! Names and addresses of a fleet's machines.

use alloc::format;
use alloc::string::String;
use core::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use core::str::FromStr;

/// A run of addresses: `10.0.0.100+40/24` are 40 from 10.0.0.100 on, in a network whose prefix has 24 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// The first one.
    pub first: Ipv4Addr,
    /// How many there are, 1 to 1,000.
    pub count: u32,
    /// Bits of the network's prefix.
    pub prefix: u8,
}

/// Machines of a fleet at the most.
pub(crate) const MOST: u32 = 1_000;

/// A text is no such run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadAddresses;

impl FromStr for Addresses {
    type Err = BadAddresses;

    fn from_str(text: &str) -> Result<Self, BadAddresses> {
        let (first, rest) = text.split_once('+').ok_or(BadAddresses)?;
        let (count, prefix) = rest.split_once('/').ok_or(BadAddresses)?;
        let addresses = Self {
            first: first.parse().map_err(|_| BadAddresses)?,
            count: count.parse().map_err(|_| BadAddresses)?,
            prefix: prefix.parse().map_err(|_| BadAddresses)?,
        };
        let Self {
            first,
            count,
            prefix,
        } = addresses;
        let fits = (1..=MOST).contains(&count)
            && prefix <= 30
            && u32::from(first).checked_add(count - 1).is_some();
        fits.then_some(addresses).ok_or(BadAddresses)
    }
}

/// The names of a fleet: its own, a hyphen, and a machine's number, from 0. A number has an address, so that a name says all.
#[derive(Clone, Debug)]
pub struct Names {
    fleet: String,
    addresses: Addresses,
    port: u16,
}

impl Names {
    /// The machines of the fleet of this name, which serve `port`.
    pub const fn new(fleet: String, addresses: Addresses, port: u16) -> Self {
        Self {
            fleet,
            addresses,
            port,
        }
    }

    /// The fleet's name.
    pub fn fleet(&self) -> &str {
        &self.fleet
    }

    /// A machine's name.
    pub fn name(&self, number: u32) -> String {
        format!("{}-{number}", self.fleet)
    }

    /// The number of a machine, if it is one of this fleet.
    pub fn number(&self, name: &str) -> Option<u32> {
        let number = name.strip_prefix(self.fleet.as_str())?.strip_prefix('-')?;
        let is_plain = number.bytes().all(|byte| byte.is_ascii_digit())
            && (number.len() == 1 || !number.starts_with('0'));
        let number = number.parse().ok()?;
        (is_plain && number < self.addresses.count).then_some(number)
    }

    /// Where a machine is.
    pub fn address(&self, number: u32) -> SocketAddr {
        SocketAddr::V4(SocketAddrV4::new(self.ip(number), self.port))
    }

    /// How a machine learns its address, on its command line.
    pub fn words(&self, number: u32) -> String {
        format!("ip={}/{}", self.ip(number), self.addresses.prefix)
    }

    /// How many there can be.
    pub const fn count(&self) -> u32 {
        self.addresses.count
    }

    fn ip(&self, number: u32) -> Ipv4Addr {
        Ipv4Addr::from(u32::from(self.addresses.first).wrapping_add(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_where_a_machine_is() {
        let names = Names::new("web".into(), "10.0.0.250+10/16".parse().unwrap(), 80);
        assert_eq!(names.name(7), "web-7");
        assert_eq!(names.number("web-7"), Some(7));
        assert_eq!(names.address(7), "10.0.1.1:80".parse().unwrap());
        assert_eq!(names.words(9), "ip=10.0.1.3/16");
        for other in [
            "web",
            "web-",
            "web-10",
            "web-07",
            "web-+7",
            "web-x",
            "webs-1",
            "worker-1",
            "web-99999999999",
        ] {
            assert_eq!(names.number(other), None, "{other}");
        }
    }

    #[test]
    fn a_run_of_addresses_has_a_first_a_count_and_a_prefix() {
        for bad in [
            "",
            "10.0.0.1",
            "10.0.0.1+5",
            "10.0.0.1+0/24",
            "10.0.0.1+1001/8",
            "255.255.255.255+2/24",
            "10.0.0.1+5/31",
            "a+1/24",
        ] {
            assert!(bad.parse::<Addresses>().is_err(), "{bad}");
        }
    }
}
