//! Network interfaces and disks: a text of parts that are joined by commas (xl-network-configuration(5), xl-disk-configuration(5)).

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use super::error::{ConfigError, Mistake};
use super::syntax::{Setting, Value};

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
    /// What its back end has: the path of a block device, if that is domain 0.
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

/// The texts of a list of devices.
fn texts(setting: Option<&Setting>) -> Result<Vec<&str>, ConfigError> {
    let Some(setting) = setting else {
        return Ok(Vec::new());
    };
    let Value::List(items) = &setting.value else {
        return Err(setting.wrong(Mistake::NotAList));
    };
    if items.len() > MOST {
        return Err(setting.wrong(Mistake::TooManyDevices));
    }
    let texts = items.iter().map(|item| match item {
        Value::Text(text) => Ok(text.as_str()),
        _ => Err(setting.wrong(Mistake::NotText)),
    });
    texts.collect()
}

pub(super) fn vifs(setting: Option<&Setting>) -> Result<Vec<Vif>, ConfigError> {
    let read = |text| vif(text).map_err(|mistake| at(setting, mistake));
    texts(setting)?.into_iter().map(read).collect()
}

pub(super) fn disks(setting: Option<&Setting>) -> Result<Vec<Disk>, ConfigError> {
    let read = |text| disk(text).map_err(|mistake| at(setting, mistake));
    let disks: Vec<Disk> = texts(setting)?
        .into_iter()
        .map(read)
        .collect::<Result<_, _>>()?;
    let twice =
        |(index, disk): (usize, &Disk)| disks[..index].iter().any(|d| d.number == disk.number);
    match disks.iter().enumerate().any(twice) {
        true => Err(at(setting, Mistake::Part("vdev"))),
        false => Ok(disks),
    }
}

fn at(setting: Option<&Setting>, mistake: Mistake) -> ConfigError {
    ConfigError {
        line: setting.map_or(0, |setting| setting.line),
        key: setting.map(|setting| setting.key.clone()),
        mistake,
    }
}

fn vif(text: &str) -> Result<Vif, Mistake> {
    let mut vif = Vif::default();
    for part in text
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
    {
        let (key, value) = part.split_once('=').ok_or(Mistake::UnknownPart)?;
        match key {
            "mac" => vif.mac = Some(mac(value).ok_or(Mistake::Part("mac"))?),
            "bridge" => vif.bridge = Some(interface(value).ok_or(Mistake::Part("bridge"))?),
            "backend" => vif.backend = Some(word(value).ok_or(Mistake::Part("backend"))?),
            "type" if value == "vif" => {}
            _ => return Err(Mistake::UnknownPart),
        }
    }
    Ok(vif)
}

fn disk(text: &str) -> Result<Disk, Mistake> {
    let (mut target, mut device, mut access, mut backend) = (None, None, None, None);
    let mut place = 0;
    for (index, part) in text.split(',').map(str::trim).enumerate() {
        // A target may have an equals sign in it only if it says that it is one.
        let (key, value) = match part.split_once('=') {
            Some((key, value)) => (key, value),
            None => {
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
                (key, prefixed.filter(|_| index == 0).unwrap_or(part))
            }
        };
        match key {
            "target" => target = Some(word(value).ok_or(Mistake::Part("target"))?),
            "vdev" => device = Some(value),
            "access" => access = Some(disk_access(value).ok_or(Mistake::Part("access"))?),
            "backend" => backend = Some(word(value).ok_or(Mistake::Part("backend"))?),
            "format" if matches!(value, "raw" | "") => {}
            "backendtype" if value == "phy" => {}
            "format" => return Err(Mistake::Part("format")),
            "backendtype" => return Err(Mistake::Part("backendtype")),
            _ => return Err(Mistake::UnknownPart),
        }
    }
    let device = device.ok_or(Mistake::Part("vdev"))?;
    Ok(Disk {
        target: target.ok_or(Mistake::Part("target"))?,
        number: number(device).ok_or(Mistake::Part("vdev"))?,
        device: device.to_owned(),
        access: access.unwrap_or(DiskAccess::ReadWrite),
        backend,
    })
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
