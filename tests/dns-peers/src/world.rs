//! The zones that a seed makes: parents, children and strangers, for one server.

use std::collections::BTreeSet;
use std::io;

use crate::name;
use crate::random::Random;
use crate::records::{Records, Written};
use crate::scenery;
use crate::signing::{Signing, sign};
use morgana_peer_programs::Packages;

/// A zone.
#[derive(Clone, Debug)]
pub struct Zone {
    origin: String,
    signing: Signing,
    text: String,
    names: Vec<String>,
    unproven: BTreeSet<String>,
}

impl Zone {
    /// Its name.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// How it is signed.
    pub fn signing(&self) -> Signing {
        self.signing
    }

    /// The master file.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The names that have records, and those in their data.
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// The empty non-terminals that are there because of delegations without a proof, and have none themselves, in lower case.
    pub(crate) fn unproven(&self) -> &BTreeSet<String> {
        &self.unproven
    }
}

/// The zones of one server.
#[derive(Clone, Debug)]
pub struct World {
    seed: u64,
    serial: u32,
    zones: Vec<Zone>,
}

/// The zones' names. The first four are parent and child; `deep.er` is an empty non-terminal of its parent.
const ORIGINS: [&str; 6] = [
    "test.",
    "a.test.",
    "b.a.test.",
    "c.deep.er.b.a.test.",
    "other.example.",
    "Upper.Example.",
];

impl World {
    /// Makes the zones of a seed, and signs them.
    ///
    /// # Errors
    ///
    /// Those of the tool that signs.
    pub fn new(packages: &Packages, seed: u64) -> io::Result<Self> {
        Self::at_serial(packages, seed, scenery::FIRST_SERIAL)
    }

    /// The same zones after a change of each, which its serial number tells.
    ///
    /// # Errors
    ///
    /// As for [`World::new`].
    pub fn changed(&self, packages: &Packages) -> io::Result<Self> {
        Self::at_serial(packages, self.seed, self.serial.wrapping_add(1))
    }

    fn at_serial(packages: &Packages, seed: u64, serial: u32) -> io::Result<Self> {
        let mut random = Random::new(seed.wrapping_mul(0x5851_f42d_4c95_7f2d));
        let mut zones = Vec::new();
        for origin in ORIGINS {
            // The names of all zones are there from the beginning, but not always all zones.
            if random.happens(10) && zones.len() > 1 {
                continue;
            }
            let signing = match random.below(8) {
                0 | 1 => Signing::Unsigned,
                2 | 3 => Signing::Nsec,
                4 => Signing::Nsec3(0),
                5 => Signing::Nsec3(2),
                _ => Signing::OptOut,
            };
            zones.push(zone(packages, origin, (signing, serial), &mut random)?);
        }
        Ok(Self {
            seed,
            serial,
            zones,
        })
    }

    /// The seed.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The serial number of all zones.
    pub fn serial(&self) -> u32 {
        self.serial
    }

    /// The zones; parents stand before their children.
    pub fn zones(&self) -> &[Zone] {
        &self.zones
    }

    /// The zone that a name is in: the deepest.
    pub(crate) fn zone_of(&self, name: &str) -> Option<&Zone> {
        let zones = self.zones.iter();
        let above = zones.filter(|zone| name::is_within(name, zone.origin()));
        above.max_by_key(|zone| name::labels(zone.origin()).len())
    }
}

fn zone(
    packages: &Packages,
    origin: &str,
    (signing, serial): (Signing, u32),
    random: &mut Random,
) -> io::Result<Zone> {
    let mut records = Records::new(origin);
    // NSD 4.6.1 ends with a fault at a name of an NSEC3 zone that is so long that `*` has no room before it.
    let longest = match signing {
        Signing::Unsigned | Signing::Nsec => 255,
        Signing::Nsec3(_) | Signing::OptOut => 253,
    };
    scenery::fill(&mut records, longest, serial, &ORIGINS, random);
    let mut unproven = BTreeSet::new();
    let text = match signing {
        Signing::Unsigned => records.write(Written::Varied(random)),
        Signing::OptOut => {
            // What has no proof is not signed either: it joins the zone after the rest was signed.
            let insecure = records.split_insecure();
            let signed = sign(packages, origin, &records.write(Written::Plain), signing)?;
            let text = signed + &insecure.lines();
            let proven = &records.above() | &records.owners();
            unproven = &(&insecure.above() | &insecure.owners()) - &proven;
            records.join(insecure);
            text
        }
        _ => sign(packages, origin, &records.write(Written::Plain), signing)?,
    };
    Ok(Zone {
        origin: origin.to_owned(),
        signing,
        text,
        names: records.names(),
        unproven,
    })
}
