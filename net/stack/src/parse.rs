//! The text that says what addresses the stack has.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::str::FromStr;

use crate::{AddressConfig, Cidr, Ipv4Config, Ipv6Config, MAX_DNS_SERVERS};

/// What is wrong with a word of the configuration.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ConfigProblem {
    /// It is there twice.
    Repeated,
    /// It is no IPv4 address (and no keyword).
    NotIpv4,
    /// It is no IPv6 address (and no keyword).
    NotIpv6,
    /// It is no address.
    NotAnAddress,
    /// There is no `/prefix`.
    PrefixMissing,
    /// The `/prefix` is no number, or too long.
    BadPrefix,
    /// The address does not name one host of the network.
    NotUnicast,
    /// A router is given, but the address is not static.
    GatewayWithoutAddress,
    /// The router is not in the own network.
    GatewayElsewhere,
    /// More than [`MAX_DNS_SERVERS`].
    TooManyServers,
}

/// A word of the configuration is wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ConfigError<'a> {
    /// The word's key.
    pub key: &'static str,
    /// Its value, as it was given.
    pub value: &'a str,
    /// What is wrong with it.
    pub problem: ConfigProblem,
}

impl fmt::Display for ConfigError<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, value, .. } = self;
        write!(f, "{key}={value}: ")?;
        match self.problem {
            ConfigProblem::Repeated => write!(f, "{key}= is there twice"),
            ConfigProblem::NotIpv4 if *key == "ip" => {
                f.write_str("expected an IPv4 address with a prefix, dhcp, or off")
            }
            ConfigProblem::NotIpv4 => f.write_str("not an IPv4 address"),
            ConfigProblem::NotIpv6 if *key == "ip6" => {
                f.write_str("expected an IPv6 address with a prefix, auto, or off")
            }
            ConfigProblem::NotIpv6 => f.write_str("not an IPv6 address"),
            ConfigProblem::NotAnAddress => f.write_str("not a list of addresses with commas"),
            ConfigProblem::PrefixMissing => {
                let example = if *key == "ip" { "24" } else { "64" };
                write!(
                    f,
                    "the length of the network's prefix is missing, as in {value}/{example}"
                )
            }
            ConfigProblem::BadPrefix => {
                f.write_str("the prefix is not a length of this kind of address")
            }
            ConfigProblem::NotUnicast => f.write_str("not the address of one host"),
            ConfigProblem::GatewayWithoutAddress => {
                f.write_str("a router needs a static address beside it")
            }
            ConfigProblem::GatewayElsewhere => f.write_str("the router is not in the own network"),
            ConfigProblem::TooManyServers => {
                write!(f, "more than {MAX_DNS_SERVERS} name servers")
            }
        }
    }
}

impl core::error::Error for ConfigError<'_> {}

/// The words of a line that are the stack's.
#[derive(Default)]
struct Words<'a> {
    ip: Option<&'a str>,
    gw: Option<&'a str>,
    ip6: Option<&'a str>,
    gw6: Option<&'a str>,
    dns: Option<&'a str>,
}

impl AddressConfig {
    /// Reads the configuration from a line of words.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the first word that is wrong.
    pub fn parse(line: &str) -> Result<Self, ConfigError<'_>> {
        let mut words = Words::default();
        for word in line.split_ascii_whitespace() {
            let Some((key, value)) = word.split_once('=') else {
                continue;
            };
            let (key, place) = match key {
                "ip" => ("ip", &mut words.ip),
                "gw" => ("gw", &mut words.gw),
                "ip6" => ("ip6", &mut words.ip6),
                "gw6" => ("gw6", &mut words.gw6),
                "dns" => ("dns", &mut words.dns),
                _ => continue,
            };
            if place.replace(value).is_some() {
                return Err(error(key, value, ConfigProblem::Repeated));
            }
        }
        Ok(Self {
            ipv4: parse_ipv4(words.ip, words.gw)?,
            ipv6: parse_ipv6(words.ip6, words.gw6)?,
            dns: words.dns.map_or(Ok([None; MAX_DNS_SERVERS]), parse_dns)?,
        })
    }
}

const fn error<'a>(key: &'static str, value: &'a str, problem: ConfigProblem) -> ConfigError<'a> {
    ConfigError {
        key,
        value,
        problem,
    }
}

/// `address/prefix`.
fn parse_cidr<'a, A: FromStr>(
    key: &'static str,
    value: &'a str,
    longest: u8,
    not_an_address: ConfigProblem,
) -> Result<Cidr<A>, ConfigError<'a>> {
    let (address, prefix) = match value.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix)),
        None => (value, None),
    };
    let address = address
        .parse()
        .map_err(|_| error(key, value, not_an_address))?;
    let prefix = prefix.ok_or(error(key, value, ConfigProblem::PrefixMissing))?;
    match prefix.parse() {
        Ok(prefix) if prefix <= longest && prefix > 0 => Ok(Cidr { address, prefix }),
        _ => Err(error(key, value, ConfigProblem::BadPrefix)),
    }
}

fn parse_ipv4<'a>(ip: Option<&'a str>, gw: Option<&'a str>) -> Result<Ipv4Config, ConfigError<'a>> {
    let config = match ip {
        None | Some("dhcp") => Ipv4Config::Dhcp,
        Some("off") => Ipv4Config::Off,
        Some(value) => {
            let cidr: Cidr<Ipv4Addr> = parse_cidr("ip", value, 32, ConfigProblem::NotIpv4)?;
            if !cidr.is_host() {
                return Err(error("ip", value, ConfigProblem::NotUnicast));
            }
            let gateway = match gw {
                None => None,
                Some(value) => {
                    let address = value
                        .parse()
                        .map_err(|_| error("gw", value, ConfigProblem::NotIpv4))?;
                    if !cidr.contains(address) {
                        return Err(error("gw", value, ConfigProblem::GatewayElsewhere));
                    }
                    let gateway = Cidr { address, ..cidr };
                    if !gateway.is_host() {
                        return Err(error("gw", value, ConfigProblem::NotUnicast));
                    }
                    Some(address)
                }
            };
            return Ok(Ipv4Config::Static { cidr, gateway });
        }
    };
    match gw {
        Some(value) => Err(error("gw", value, ConfigProblem::GatewayWithoutAddress)),
        None => Ok(config),
    }
}

fn parse_ipv6<'a>(ip: Option<&'a str>, gw: Option<&'a str>) -> Result<Ipv6Config, ConfigError<'a>> {
    let config = match ip {
        None | Some("auto") => Ipv6Config::Auto,
        Some("off") => Ipv6Config::Off,
        Some(value) => {
            let cidr: Cidr<Ipv6Addr> = parse_cidr("ip6", value, 128, ConfigProblem::NotIpv6)?;
            if !cidr.is_host() {
                return Err(error("ip6", value, ConfigProblem::NotUnicast));
            }
            let gateway = match gw {
                None => None,
                Some(value) => {
                    let address: Ipv6Addr = value
                        .parse()
                        .map_err(|_| error("gw6", value, ConfigProblem::NotIpv6))?;
                    if !(Cidr { address, ..cidr }).is_host() {
                        return Err(error("gw6", value, ConfigProblem::NotUnicast));
                    }
                    // A router may be known by its link-local address (RFC 4861 section 8).
                    if !cidr.contains(address) && !address.is_unicast_link_local() {
                        return Err(error("gw6", value, ConfigProblem::GatewayElsewhere));
                    }
                    Some(address)
                }
            };
            return Ok(Ipv6Config::Static { cidr, gateway });
        }
    };
    match gw {
        Some(value) => Err(error("gw6", value, ConfigProblem::GatewayWithoutAddress)),
        None => Ok(config),
    }
}

fn parse_dns(value: &str) -> Result<[Option<IpAddr>; MAX_DNS_SERVERS], ConfigError<'_>> {
    let mut servers = [None; MAX_DNS_SERVERS];
    for (index, text) in value.split(',').enumerate() {
        let address: IpAddr = text
            .parse()
            .map_err(|_| error("dns", value, ConfigProblem::NotAnAddress))?;
        *servers
            .get_mut(index)
            .ok_or(error("dns", value, ConfigProblem::TooManyServers))? = Some(address);
    }
    Ok(servers)
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use proptest::prelude::*;
    use std::string::String;

    fn problem(line: &str) -> (&'static str, ConfigProblem) {
        let error = AddressConfig::parse(line).unwrap_err();
        (error.key, error.problem)
    }

    #[test]
    fn nothing_means_dhcp_and_slaac() {
        assert_eq!(
            AddressConfig::parse("root=/dev/x verbose"),
            Ok(AddressConfig::default())
        );
    }

    #[test]
    fn all_words_are_understood() {
        let config = AddressConfig::parse(
            "ip=10.0.2.50/24 gw=10.0.2.2 ip6=fd00::2/64 gw6=fe80::1 dns=10.0.2.3,fd00::3",
        )
        .unwrap();
        assert_eq!(
            config.ipv4,
            Ipv4Config::Static {
                cidr: Cidr {
                    address: Ipv4Addr::new(10, 0, 2, 50),
                    prefix: 24
                },
                gateway: Some(Ipv4Addr::new(10, 0, 2, 2)),
            }
        );
        let Ipv6Config::Static { cidr, gateway } = config.ipv6 else {
            panic!("{config:?}");
        };
        assert_eq!(std::format!("{cidr}"), "fd00::2/64");
        assert_eq!(gateway, Some("fe80::1".parse().unwrap()));
        assert_eq!(config.dns[1], Some("fd00::3".parse().unwrap()));
        assert_eq!(config.dns[2], None);
        let off = AddressConfig::parse("ip=off ip6=off").unwrap();
        assert_eq!((off.ipv4, off.ipv6), (Ipv4Config::Off, Ipv6Config::Off));
    }

    #[test]
    fn every_mistake_is_named() {
        use ConfigProblem::*;
        for (line, key, expected) in [
            ("ip=10.0.2.50", "ip", PrefixMissing),
            ("ip=10.0.2/24", "ip", NotIpv4),
            ("ip=DHCP", "ip", NotIpv4),
            ("ip=10.0.2.50/33", "ip", BadPrefix),
            ("ip=10.0.2.50/0", "ip", BadPrefix),
            ("ip=10.0.2.50/x", "ip", BadPrefix),
            ("ip=10.0.2.0/24", "ip", NotUnicast),
            ("ip=10.0.2.255/24", "ip", NotUnicast),
            ("ip=224.0.0.1/24", "ip", NotUnicast),
            ("ip=10.0.2.50/24 ip=dhcp", "ip", Repeated),
            ("gw=10.0.2.2", "gw", GatewayWithoutAddress),
            ("ip=10.0.2.50/24 gw=10.0.3.2", "gw", GatewayElsewhere),
            ("ip=10.0.2.50/24 gw=10.0.2.255", "gw", NotUnicast),
            ("ip=10.0.2.50/24 gw=fd00::1", "gw", NotIpv4),
            ("ip6=fd00::2", "ip6", PrefixMissing),
            ("ip6=fd00::2/129", "ip6", BadPrefix),
            ("ip6=ff02::1/64", "ip6", NotUnicast),
            ("ip6=10.0.0.1/24", "ip6", NotIpv6),
            ("ip6=fd00::2/64 gw6=fd01::1", "gw6", GatewayElsewhere),
            ("ip6=auto gw6=fd01::1", "gw6", GatewayWithoutAddress),
            ("dns=10.0.2.3,", "dns", NotAnAddress),
            (
                "dns=1.1.1.1,1.1.1.2,1.1.1.3,1.1.1.4,1.1.1.5",
                "dns",
                TooManyServers,
            ),
        ] {
            assert_eq!(problem(line), (key, expected), "{line}");
            let text = std::format!("{}", AddressConfig::parse(line).unwrap_err());
            assert!(text.starts_with(&std::format!("{key}=")), "{text}");
        }
    }

    #[test]
    fn networks_of_two_and_of_one_have_hosts() {
        for line in ["ip=10.0.0.0/31 gw=10.0.0.1", "ip=10.0.0.255/32"] {
            assert!(AddressConfig::parse(line).is_ok(), "{line}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(line: String, value in "[0-9./:,a-f]{0,24}") {
            let _ = AddressConfig::parse(&line);
            for key in ["ip", "gw", "ip6", "gw6", "dns"] {
                let line = std::format!("ip=10.0.0.2/24 ip6=fd00::1/64 {key}={value}");
                let _ = AddressConfig::parse(&line);
                let _ = AddressConfig::parse(line.split_at(31).1);
            }
        }
    }
}
