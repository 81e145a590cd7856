//! Network interfaces and disks: in the language of xl a text of parts that are joined by commas (xl-network-configuration(5), xl-disk-configuration(5)), in TOML a table.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::error::{ConfigError, Mistake};
use super::setting::{Setting, Table, Value};

/// Interfaces, and disks, that a domain may have.
const MOST: usize = 16;

/// A network interface.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Vif {
    /// Its address; one is made from the domain's UUID if there is none.
    pub mac: Option<[u8; 6]>,
    /// The bridge that its back end is put into.
    pub bridge: Option<String>,
    /// The domain of its back end, by number or name: domain 0 if nothing is said.
    pub backend: Option<String>,
}

/// A disk.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Disk {
    /// What its back end has: the path of a block device or of a file, if that is domain 0.
    pub target: String,
    /// What the guest calls it: `xvda`.
    pub device: String,
    /// The number of that (xen-vbd-interface(7)).
    pub number: u32,
    /// What the guest may do.
    pub access: DiskAccess,
    /// The domain of its back end, by number or name: domain 0 if nothing is said.
    pub backend: Option<String>,
}

/// What a guest may do with a disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DiskAccess {
    /// Read.
    ReadOnly,
    /// Read and write.
    ReadWrite,
}

/// What is said of one device.
struct Parts {
    line: usize,
    /// `vif` or `disk`.
    kind: String,
    parts: Vec<Part>,
}

struct Part {
    line: usize,
    key: String,
    value: String,
    /// What is told of it when it is not known.
    unknown: (String, Mistake),
}

/// The parts of a device in the language of xl, each with its key.
type Split = fn(&str) -> Result<Vec<(&str, &str)>, Mistake>;

impl Parts {
    /// The parts that all devices of a list have.
    fn all(setting: Option<&Setting>, split: Split) -> Result<Vec<Self>, ConfigError> {
        let Some(setting) = setting else {
            return Ok(Vec::new());
        };
        let Value::List(items) = &setting.value else {
            return Err(setting.wrong(Mistake::NotAList));
        };
        if items.len() > MOST {
            return Err(setting.wrong(Mistake::TooManyDevices));
        }
        let parts = items.iter().map(|item| match item {
            Value::Text(text) => {
                let pairs = split(text).map_err(|mistake| setting.wrong(mistake))?;
                Ok(Self::of_pairs(setting, &pairs))
            }
            Value::Table(table) => Self::of_table(&setting.key, table),
            _ => Err(setting.wrong(Mistake::NotText)),
        });
        parts.collect()
    }

    fn of_pairs(setting: &Setting, pairs: &[(&str, &str)]) -> Self {
        let part = |(key, value): &(&str, &str)| Part {
            line: setting.line,
            key: (*key).to_owned(),
            value: (*value).to_owned(),
            unknown: (setting.key.clone(), Mistake::UnknownPart),
        };
        Self {
            line: setting.line,
            kind: setting.key.clone(),
            parts: pairs.iter().map(part).collect(),
        }
    }

    fn of_table(kind: &str, table: &Table) -> Result<Self, ConfigError> {
        let part = |setting: &Setting| {
            let name = format!("{kind}.{}", setting.key);
            let Value::Text(value) = &setting.value else {
                return Err(ConfigError {
                    line: setting.line,
                    key: Some(name),
                    mistake: Mistake::NotText,
                });
            };
            Ok(Part {
                line: setting.line,
                key: setting.key.clone(),
                value: value.clone(),
                unknown: (name, Mistake::UnknownKey),
            })
        };
        Ok(Self {
            line: table.line,
            kind: kind.to_owned(),
            parts: table.settings.iter().map(part).collect::<Result<_, _>>()?,
        })
    }

    fn wrong(&self, line: usize, mistake: Mistake) -> ConfigError {
        ConfigError {
            line,
            key: Some(self.kind.clone()),
            mistake,
        }
    }

    /// Goes through the parts. `take` says whether it knows the key, or that the value is wrong.
    fn each(
        &self,
        mut take: impl FnMut(&str, &str) -> Result<(), Mistake>,
    ) -> Result<(), ConfigError> {
        for part in &self.parts {
            take(&part.key, &part.value).map_err(|mistake| match mistake {
                Mistake::UnknownPart => ConfigError {
                    line: part.line,
                    key: Some(part.unknown.0.clone()),
                    mistake: part.unknown.1.clone(),
                },
                mistake => self.wrong(part.line, mistake),
            })?;
        }
        Ok(())
    }

    /// What there must be.
    fn must<T>(&self, part: &'static str, value: Option<T>) -> Result<T, ConfigError> {
        value.ok_or_else(|| self.wrong(self.line, Mistake::Part(part)))
    }
}

pub(super) fn vifs(setting: Option<&Setting>) -> Result<Vec<Vif>, ConfigError> {
    let all = Parts::all(setting, split_vif)?;
    all.iter().map(vif).collect()
}

pub(super) fn disks(setting: Option<&Setting>) -> Result<Vec<Disk>, ConfigError> {
    let mut disks: Vec<Disk> = Vec::new();
    for parts in Parts::all(setting, split_disk)? {
        let disk = disk(&parts)?;
        if disks.iter().any(|other| other.number == disk.number) {
            return Err(parts.wrong(parts.line, Mistake::Part("vdev")));
        }
        disks.push(disk);
    }
    Ok(disks)
}

fn vif(parts: &Parts) -> Result<Vif, ConfigError> {
    let mut vif = Vif::default();
    parts.each(|key, value| {
        match key {
            "mac" => vif.mac = Some(mac(value).ok_or(Mistake::Part("mac"))?),
            "bridge" => vif.bridge = Some(interface(value).ok_or(Mistake::Part("bridge"))?),
            "backend" => vif.backend = Some(word(value).ok_or(Mistake::Part("backend"))?),
            "type" if value == "vif" => {}
            _ => return Err(Mistake::UnknownPart),
        }
        Ok(())
    })?;
    Ok(vif)
}

fn disk(parts: &Parts) -> Result<Disk, ConfigError> {
    let (mut target, mut device, mut access, mut backend) = (None, None, None, None);
    parts.each(|key, value| {
        match key {
            "target" => target = Some(word(value).ok_or(Mistake::Part("target"))?),
            "vdev" => {
                let number = number(value).ok_or(Mistake::Part("vdev"))?;
                device = Some((value.to_owned(), number));
            }
            "access" => access = Some(disk_access(value).ok_or(Mistake::Part("access"))?),
            "backend" => backend = Some(word(value).ok_or(Mistake::Part("backend"))?),
            "format" if matches!(value, "raw" | "") => {}
            "backendtype" if value == "phy" => {}
            "format" => return Err(Mistake::Part("format")),
            "backendtype" => return Err(Mistake::Part("backendtype")),
            _ => return Err(Mistake::UnknownPart),
        }
        Ok(())
    })?;
    let (device, number) = parts.must("vdev", device)?;
    Ok(Disk {
        target: parts.must("target", target)?,
        number,
        device,
        access: access.unwrap_or(DiskAccess::ReadWrite),
        backend,
    })
}

/// The parts of an interface in the language of xl.
fn split_vif(text: &str) -> Result<Vec<(&str, &str)>, Mistake> {
    let parts = text.split(',').map(str::trim);
    let parts = parts.filter(|part| !part.is_empty());
    let pairs = parts.map(|part| part.split_once('=').ok_or(Mistake::UnknownPart));
    pairs.collect()
}

/// The parts of a disk in the language of xl: those without a key by their places.
fn split_disk(text: &str) -> Result<Vec<(&str, &str)>, Mistake> {
    let mut place = 0;
    let mut pairs = Vec::new();
    for (index, part) in text.split(',').map(str::trim).enumerate() {
        // A target may have an equals sign in it only if it says that it is one.
        if let Some(pair) = part.split_once('=') {
            pairs.push(pair);
            continue;
        }
        let prefixed = part.strip_prefix("phy:").or(part.strip_prefix("file:"));
        match index {
            // Then no format comes next.
            0 if prefixed.is_some() => place = 2,
            _ => place += 1,
        }
        let key = match place {
            _ if index == 0 => "target",
            2 => "format",
            3 => "vdev",
            4 => "access",
            _ => return Err(Mistake::UnknownPart),
        };
        pairs.push((key, prefixed.filter(|_| index == 0).unwrap_or(part)));
    }
    Ok(pairs)
}

fn disk_access(value: &str) -> Option<DiskAccess> {
    match value {
        "r" | "ro" => Some(DiskAccess::ReadOnly),
        "w" | "rw" => Some(DiskAccess::ReadWrite),
        _ => None,
    }
}

/// The number of a device called `xvda` and so on: 202 in the second byte, the disk in the upper half of the first (xen-vbd-interface(7)).
fn number(device: &str) -> Option<u32> {
    let [letter @ b'a'..=b'p'] = device.strip_prefix("xvd")?.as_bytes() else {
        return None;
    };
    Some(202 << 8 | u32::from(letter - b'a') << 4)
}

/// Six bytes in hexadecimal digits; not a group's address.
fn mac(value: &str) -> Option<[u8; 6]> {
    let mut bytes = [0; 6];
    let mut parts = value.split(':');
    for byte in &mut bytes {
        let part = parts.next().filter(|part| part.len() == 2)?;
        *byte = u8::from_str_radix(part, 16).ok()?;
    }
    (parts.next().is_none() && bytes[0] & 1 == 0).then_some(bytes)
}

/// The name of an interface of Linux's (IFNAMSIZ).
fn interface(value: &str) -> Option<String> {
    let fits = (1..16).contains(&value.len()) && !value.contains('/');
    word(value).filter(|_| fits)
}

/// Something, without what would not be seen.
fn word(value: &str) -> Option<String> {
    let seen = !value.is_empty() && !value.chars().any(char::is_control);
    seen.then(|| value.to_owned())
}
