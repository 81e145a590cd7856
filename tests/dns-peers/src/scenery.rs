//! What a zone is made of: hosts, wildcards, delegations, chains, and sets that are too large.

use crate::data;
use crate::name;
use crate::random::Random;
use crate::records::Records;

/// Labels, few enough that parts of the scenery meet at the same names.
const LABELS: [&str; 14] = [
    "a",
    "b",
    "c",
    "www",
    "Mail",
    "ns1",
    "x",
    "under_score",
    r"dot\.ted",
    r"\000\255\032",
    "0",
    "zz-z",
    "deep",
    "-",
];

/// The serial number of a zone as it is at first.
pub(crate) const FIRST_SERIAL: u32 = 2_026_010_100;

/// A zone that is being filled.
pub(crate) struct Site<'a> {
    pub(crate) records: &'a mut Records,
    pub(crate) origin: &'a str,
    pub(crate) serial: u32,
    /// All zones' names.
    pub(crate) origins: &'a [&'static str],
    pub(crate) random: &'a mut Random,
}

/// Fills a zone. With another serial number than the first it has a record more, and what else a seed makes is the same.
pub(crate) fn fill(
    records: &mut Records,
    longest: usize,
    serial: u32,
    origins: &[&'static str],
    random: &mut Random,
) {
    let origin = &records.below("@");
    let mut site = Site {
        records,
        origin,
        serial,
        origins,
        random,
    };
    site.apex();
    site.children();
    for _ in 0..site.random.below(4) + 2 {
        site.delegation();
    }
    for _ in 0..site.random.below(4) + 1 {
        site.wildcard();
    }
    for _ in 0..site.random.below(3) + 1 {
        site.chain();
    }
    for _ in 0..site.random.below(12) + 4 {
        site.host();
    }
    for _ in 0..site.random.below(3) {
        site.crowd();
    }
    if site.random.happens(50) {
        site.long_names(longest);
    }
}

impl Site<'_> {
    fn apex(&mut self) {
        let origin = self.origin.to_owned();
        let minimum = self.random.of(&["300", "86400", "0"]);
        let server = self.records.below("ns1");
        let serial = self.serial;
        let authority =
            format!("{server} host\\.master.{origin} {serial} 7200 900 604800 {minimum}");
        self.records.add(&origin, "SOA", &authority);
        self.records.add(&origin, "NS", &server);
        self.records.add(&server, "A", "192.0.2.53");
        if serial != FIRST_SERIAL {
            let news = self.records.below("news");
            self.records.add(&news, "TXT", &format!("\"of {serial}\""));
        }
        for _ in 0..self.random.below(3) {
            let server = self.server(&origin);
            self.records.add(&origin, "NS", &server);
        }
        for _ in 0..self.random.below(4) {
            let (rtype, data) = data::any(self);
            self.records.add(&origin, rtype, &data);
        }
    }

    /// The delegations to zones that may be on the same server.
    fn children(&mut self) {
        let origin = self.origin.to_ascii_lowercase();
        let below = |child: &&&str| {
            let child = child.to_ascii_lowercase();
            child != origin && name::is_within(&child, &origin)
        };
        let mut children: Vec<&str> = self.origins.iter().filter(below).copied().collect();
        // Those of children are no business of ours.
        let all = children.clone();
        children.retain(|child| {
            let mut others = all.iter().filter(|other| *other != child);
            !others.any(|other| name::is_within(child, other))
        });
        for child in children {
            self.delegate(child);
        }
    }

    fn delegation(&mut self) {
        let owner = self.place();
        self.delegate(&owner);
        if self.random.happens(25) {
            // A delegation below a delegation, which nobody sees.
            let label = self.label();
            self.delegate(&format!("{label}.{owner}"));
        }
        if self.random.happens(25) {
            let label = self.label();
            self.records
                .add(&format!("{label}.{owner}"), "TXT", "\"hidden\"");
        }
    }

    fn delegate(&mut self, owner: &str) {
        if owner.starts_with('*') || owner == self.origin {
            return;
        }
        for _ in 0..self.random.below(3) + 1 {
            let server = self.server(owner);
            self.records.add(owner, "NS", &server);
        }
        if self.random.happens(40) {
            for _ in 0..self.random.below(2) + 1 {
                let data = data::signer(self.random);
                self.records.add(owner, "DS", &data);
            }
        }
    }

    /// A name server for `owner`: below it, beside it, or far away, with glue where that is in this zone.
    fn server(&mut self, owner: &str) -> String {
        let server = match self.random.below(6) {
            0 | 1 => format!("ns{}.{owner}", self.random.below(3)),
            2 => format!("ns.{}", self.place()),
            3 => self.records.below("ns1"),
            4 => owner.to_owned(),
            _ => "ns.elsewhere.net.".into(),
        };
        if self.random.happens(75) {
            let address = data::address(self.random);
            self.records.add(&server, "A", &address);
        }
        if self.random.happens(40) {
            let address = data::long_address(self.random);
            self.records.add(&server, "AAAA", &address);
        }
        self.records.target(&server);
        server
    }

    fn wildcard(&mut self) {
        let place = match self.random.below(3) {
            0 => self.origin.to_owned(),
            1 => self.place(),
            _ => format!("{}.{}", self.label(), self.place()),
        };
        let owner = format!("*.{place}");
        if self.random.happens(25) {
            let target = self.somewhere();
            self.records.add(&owner, "CNAME", &target);
        }
        for _ in 0..self.random.below(4) + 1 {
            let (rtype, data) = data::any(self);
            self.records.add(&owner, rtype, &data);
        }
        if self.random.happens(30) {
            // A name that the wildcard does not cover, and those below an asterisk.
            let (rtype, data) = data::any(self);
            let label = self.label();
            self.records.add(&format!("{label}.{place}"), rtype, &data);
            self.records.add(&format!("{label}.{owner}"), rtype, &data);
        }
    }

    /// Aliases of aliases, with an end, with none, or with one elsewhere.
    fn chain(&mut self) {
        let length = match self.random.below(4) {
            0 => 1,
            1 => 2,
            2 => 5,
            _ => 30,
        };
        let number = self.random.below(1000);
        let names: Vec<String> = (0..length)
            .map(|place| self.records.below(&format!("chain{number}-{place}")))
            .collect();
        for pair in names.windows(2) {
            self.records.add(&pair[0], "CNAME", &pair[1]);
        }
        let end = match self.random.below(3) {
            0 => names[self.random.below(length)].clone(),
            _ => self.somewhere(),
        };
        self.records.add(&names[length - 1], "CNAME", &end);
        self.records.target(&end);
    }

    fn host(&mut self) {
        let owner = self.place();
        for _ in 0..self.random.below(4) + 1 {
            let (rtype, data) = data::any(self);
            self.records.add(&owner, rtype, &data);
        }
    }

    /// A set too large for a datagram, or for many. No name server has it: NSD leaves other glue out, too, where one's addresses do not fit.
    fn crowd(&mut self) {
        let owner = format!("crowd.{}", self.place());
        let many = self.random.of(&[&12, &30, &100, &400]);
        for number in 0..*many {
            let (one, other) = (number / 250, number % 250);
            match self.random.below(3) {
                0 => self
                    .records
                    .add(&owner, "A", &format!("192.0.{one}.{other}")),
                1 => self
                    .records
                    .add(&owner, "AAAA", &format!("2001:db8::{one}:{other}")),
                _ => {
                    let data = format!("{number} mx{number}.{owner}");
                    self.records.add(&owner, "MX", &data);
                }
            }
        }
    }

    /// Names of the greatest length and almost that, and labels of 63.
    fn long_names(&mut self, longest: usize) {
        let label = "l".repeat(63);
        let mut owner = self.origin.to_owned();
        while name::length(&owner) + 64 <= longest {
            owner = format!("{label}.{owner}");
        }
        let room = longest - name::length(&owner);
        if room > 1 {
            owner = format!("{}.{owner}", "m".repeat(room - 1));
        }
        self.records.add(&owner, "TXT", "\"long\"");
        let parent = owner.split_once('.').map_or("", |(_, parent)| parent);
        self.records.add(&format!("*.{parent}"), "A", "192.0.2.255");
    }

    pub(crate) fn label(&mut self) -> &'static str {
        self.random.of(&LABELS)
    }

    /// A name in the zone, one to four labels deep.
    pub(crate) fn place(&mut self) -> String {
        let depth = self.random.of(&[&1, &1, &1, &2, &2, &3, &4]);
        let mut name = self.origin.to_owned();
        for _ in 0..*depth {
            name = format!("{}.{name}", self.label());
        }
        name
    }

    /// A name for data: here, in another zone, or in no zone of ours.
    pub(crate) fn somewhere(&mut self) -> String {
        let name = match self.random.below(8) {
            0 => format!("{}.elsewhere.net.", self.label()),
            1 | 2 => {
                let origin = self.random.of(self.origins);
                format!("{}.{origin}", self.label())
            }
            3 => format!("missing.{}", self.place()),
            4 => self.random.of(&[".", self.origin]).to_owned(),
            _ => self.place(),
        };
        self.records.target(&name);
        name
    }
}
