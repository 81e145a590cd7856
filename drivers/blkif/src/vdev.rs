//! How a guest's block devices are numbered and called (xen-vbd-interface(7)).

use core::fmt;
use core::str::FromStr;

/// The number of a block device: what its directory in xenstore is called.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Vdev(u32);

/// Which disk, which partition of it (0 for the whole), and how both are packed.
#[derive(Clone, Copy)]
struct Scheme {
    base: u32,
    partition_bits: u32,
}

/// Up to 16 disks of 15 partitions, as Linux numbers its Xen disks (major 202).
const XVD: Scheme = Scheme {
    base: 202 << 8,
    partition_bits: 4,
};
/// As SCSI disks (major 8).
const SD: Scheme = Scheme {
    base: 8 << 8,
    partition_bits: 4,
};
/// As IDE disks: the first two (major 3), the next two (major 22).
const HD: [Scheme; 2] = [
    Scheme {
        base: 3 << 8,
        partition_bits: 6,
    },
    Scheme {
        base: 22 << 8,
        partition_bits: 6,
    },
];
/// Any disk, any partition below 256.
const EXTENDED: Scheme = Scheme {
    base: 1 << 28,
    partition_bits: 8,
};

impl Scheme {
    const fn number(self, disk: u32, partition: u32) -> u32 {
        self.base | disk << self.partition_bits | partition
    }

    const fn partitions(self) -> u32 {
        1 << self.partition_bits
    }
}

impl Vdev {
    /// The first disk, `xvda`.
    pub const XVDA: Self = Self(XVD.base);

    /// The device with this number.
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn number(self) -> u32 {
        self.0
    }

    /// The disk and the partition, counted as `xvda` is 0 and its whole 0. `None` for a number that is not one of `xvd…`.
    fn xvd(self) -> Option<(u32, u32)> {
        if self.0 & EXTENDED.base != 0 {
            return Some(((self.0 & !EXTENDED.base) >> 8, self.0 & 0xff));
        }
        (self.0 >> 8 == XVD.base >> 8).then_some(((self.0 >> 4) & 15, self.0 & 15))
    }
}

impl fmt::Display for Vdev {
    /// As Linux calls it, `xvda1`, or the number where it is called otherwise.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((disk, partition)) = self.xvd() else {
            return write!(f, "vbd {}", self.0);
        };
        f.write_str("xvd")?;
        letters(disk, f)?;
        match partition {
            0 => Ok(()),
            partition => write!(f, "{partition}"),
        }
    }
}

/// 0 is a, 25 is z, 26 is aa.
fn letters(number: u32, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if number >= 26 {
        letters(number / 26 - 1, f)?;
    }
    // Less than 26, so the cast loses nothing.
    let letter = b'a' + (number % 26) as u8;
    fmt::Write::write_char(f, letter.into())
}

impl FromStr for Vdev {
    type Err = ParseVdevError;

    /// `xvda`, `xvda1`, `sda`, `hda`, `d0`, `d0p1`, or the number.
    fn from_str(text: &str) -> Result<Self, ParseVdevError> {
        parse(text).map(Self).ok_or(ParseVdevError)
    }
}

fn parse(text: &str) -> Option<u32> {
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return number(text);
    }
    if let Some(rest) = text.strip_prefix("xvd") {
        let (disk, partition) = lettered(rest)?;
        let small = disk < 16 && partition < XVD.partitions();
        return packed(if small { XVD } else { EXTENDED }, disk, partition);
    }
    if let Some(rest) = text.strip_prefix("sd") {
        let (disk, partition) = lettered(rest)?;
        return packed(SD, (disk < 16).then_some(disk)?, partition);
    }
    if let Some(rest) = text.strip_prefix("hd") {
        let (disk, partition) = lettered(rest)?;
        let scheme = HD.get(usize::try_from(disk / 2).ok()?)?;
        return packed(*scheme, disk % 2, partition);
    }
    let rest = text.strip_prefix('d')?;
    let (disk, partition) = rest.split_once('p').unwrap_or((rest, "0"));
    let (disk, partition) = (number(disk)?, number(partition)?);
    let small = disk < 16 && partition < XVD.partitions();
    packed(if small { XVD } else { EXTENDED }, disk, partition)
}

fn packed(scheme: Scheme, disk: u32, partition: u32) -> Option<u32> {
    (disk < MAX_DISKS && partition < scheme.partitions()).then(|| scheme.number(disk, partition))
}

/// Letters for the disk, and digits, or none, for the partition.
fn lettered(text: &str) -> Option<(u32, u32)> {
    let split = text
        .find(|c: char| !c.is_ascii_lowercase())
        .unwrap_or(text.len());
    let (letters, digits) = text.split_at(split);
    if letters.is_empty() || letters.len() > 4 {
        return None;
    }
    let disk = letters
        .bytes()
        .fold(0, |disk, letter| disk * 26 + u32::from(letter - b'a') + 1)
        - 1;
    let partition = if digits.is_empty() {
        0
    } else {
        number(digits)?
    };
    Some((disk, partition))
}

/// Digits without a sign and without leading zeros.
fn number(text: &str) -> Option<u32> {
    let plain = text.bytes().all(|c| c.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    plain.then(|| text.parse().ok()).flatten()
}

/// What the extended scheme has bits for.
const MAX_DISKS: u32 = 1 << 20;

/// A text that names no block device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ParseVdevError;

impl fmt::Display for ParseVdevError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no block device: wanted xvda, xvda1, d0p1, or a number")
    }
}

impl core::error::Error for ParseVdevError {}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use proptest::prelude::*;
    use std::string::ToString;

    #[test]
    fn names_have_the_numbers_of_the_manual() {
        for (name, number) in [
            ("xvda", 51712),
            ("xvda1", 51713),
            ("xvdb", 51728),
            ("xvdp15", 51712 + 255),
            ("xvdq", (1 << 28) | (16 << 8)),
            ("xvda16", (1 << 28) | 16),
            ("xvdaa", (1 << 28) | (26 << 8)),
            ("d0", 51712),
            ("d2p3", 51747),
            ("d536p37", (1 << 28) | (536 << 8) | 37),
            ("sda", 2048),
            ("hda", 768),
            ("hdb", 832),
            ("hdc", 5632),
            ("51712", 51712),
        ] {
            assert_eq!(name.parse(), Ok(Vdev::new(number)), "{name}");
        }
        assert_eq!("xvda".parse(), Ok(Vdev::XVDA));
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "xvd",
            "xvd1",
            "xvda01",
            "xvda256",
            "xvdA",
            "d",
            "d0p",
            "dp1",
            "sdq",
            "sda16",
            "hde",
            "+5",
            "051712",
            "xvda-1",
            "99999999999",
            "xvdaaaaa",
            "vda",
            "d1048576",
        ] {
            assert_eq!(text.parse::<Vdev>(), Err(ParseVdevError), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn a_name_reads_as_what_it_was_written_from(disk in 0u32..20_000, partition in 0u32..256) {
            let scheme = if disk < 16 && partition < 16 { XVD } else { EXTENDED };
            let vdev = Vdev::new(scheme.number(disk, partition));
            prop_assert_eq!(vdev.to_string().parse(), Ok(vdev));
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,12}") {
            let _ = text.parse::<Vdev>();
        }
    }
}
