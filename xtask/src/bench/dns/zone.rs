//! Zones of any size, the same for every server, and what is asked about them.

use std::fmt::Write;
use std::net::Ipv4Addr;

use crate::run::ADDRESS;

/// The name of every zone.
pub(super) const NAME: &str = "bench.example";

/// So far apart are names that are asked for one after the other: a prime, so that all have their turn.
const STRIDE: usize = 7919;

/// A zone with `names` names of hosts, each of which has one address.
#[derive(Clone, Copy, Debug)]
pub(super) struct Zone {
    pub(super) names: usize,
}

impl Zone {
    /// The master file.
    pub(super) fn master_file(self) -> String {
        let mut text = format!(
            "$ORIGIN {NAME}.\n$TTL 3600\n@ IN SOA ns hostmaster 1 7200 3600 1209600 3600\n@ IN NS ns\nns IN A {ADDRESS}\n"
        );
        for number in 0..self.names {
            let _ = writeln!(text, "{} IN A {}", label(number), address(number));
        }
        text
    }

    /// Every name once, as dnsperf wants to have them.
    pub(super) fn queries(self) -> String {
        self.order()
            .map(|number| format!("{}.{NAME} A\n", label(number)))
            .collect()
    }

    /// Some names with their addresses, one of each a line.
    pub(super) fn sample(self, count: usize) -> String {
        self.order()
            .take(count)
            .map(|number| format!("{}.{NAME} {}\n", label(number), address(number)))
            .collect()
    }

    /// All names' numbers, in no order that a server could like.
    fn order(self) -> impl Iterator<Item = usize> {
        (0..self.names).map(move |turn| turn * STRIDE % self.names)
    }
}

fn label(number: usize) -> String {
    format!("host-{number:06}")
}

fn address(number: usize) -> Ipv4Addr {
    let [_, high, middle, low] = (number as u32).to_be_bytes();
    Ipv4Addr::new(10, high, middle, low)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::Zone;

    #[test]
    fn asks_for_every_name_once() {
        for names in [1000, 100_000] {
            let zone = Zone { names };
            let queries = zone.queries();
            let asked: BTreeSet<&str> = queries.lines().collect();
            assert_eq!((asked.len(), queries.lines().count()), (names, names));
        }
    }

    #[test]
    fn knows_what_is_in_the_zone() {
        let zone = Zone { names: 70_000 };
        let (master, sample) = (zone.master_file(), zone.sample(50));
        let records: BTreeSet<&str> = master.lines().collect();
        assert_eq!(sample.lines().count(), 50);
        for line in sample.lines() {
            let (name, address) = line.split_once(' ').unwrap();
            let label = name.strip_suffix(".bench.example").unwrap();
            assert!(records.contains(format!("{label} IN A {address}").as_str()));
        }
        assert!(records.contains("host-065537 IN A 10.1.0.1"));
    }
}
