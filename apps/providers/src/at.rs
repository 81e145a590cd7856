//! Where machines are to be: `xen`, `libvirt:URI`, `ec2:REGION`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use crate::{ProviderName, SOCKET};

/// A provider, and how to reach it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum At {
    /// `xen` or `xen:SOCKET`: the daemon at this socket.
    Xen(PathBuf),
    /// `libvirt:URI`, with a URI as libvirt takes it: `libvirt:xen:///system`.
    Libvirt(String),
    /// `ec2:REGION` or `ec2:REGION@ENDPOINT`.
    Ec2(Ec2At),
}

/// A region, and where it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ec2At {
    /// Such as `eu-west-1`.
    pub region: String,
    /// The URL of what speaks EC2's protocol, if it is not Amazon.
    pub endpoint: Option<String>,
}

/// Why a text says no place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AtError {
    /// It begins with the name of no provider.
    Provider,
    /// libvirt wants a URI, for a host with Xen (or the one that it makes up for tests).
    Uri,
    /// EC2 wants a region: lower-case letters, digits and hyphens.
    Region,
    /// An endpoint begins with http:// or https://.
    Endpoint,
}

impl At {
    /// Which provider it is.
    pub fn provider(&self) -> ProviderName {
        match self {
            Self::Xen(_) => ProviderName::Xen,
            Self::Libvirt(_) => ProviderName::Libvirt,
            Self::Ec2(_) => ProviderName::Ec2,
        }
    }
}

impl FromStr for At {
    type Err = AtError;

    fn from_str(text: &str) -> Result<Self, AtError> {
        if text.contains(char::is_control) {
            return Err(AtError::Provider);
        }
        let (provider, rest) = match text.split_once(':') {
            Some((provider, rest)) => (provider, Some(rest)),
            None => (text, None),
        };
        match (provider, rest) {
            ("xen", None | Some("")) => Ok(Self::Xen(SOCKET.into())),
            ("xen", Some(socket)) => Ok(Self::Xen(socket.into())),
            ("libvirt", Some(uri)) if has_driver(uri) => Ok(Self::Libvirt(uri.to_owned())),
            ("libvirt", _) => Err(AtError::Uri),
            ("ec2", rest) => ec2(rest.unwrap_or_default()).map(Self::Ec2),
            _ => Err(AtError::Provider),
        }
    }
}

/// Whether it is a URI for one of the two of libvirt's drivers that we can use, here or by a transport (<https://libvirt.org/uri.html>): for another
/// one libvirt would look for a daemon on this host, and tell of that.
fn has_driver(uri: &str) -> bool {
    let scheme = uri.split_once(':').map_or("", |(scheme, _)| scheme);
    let driver = scheme.split_once('+').map_or(scheme, |(driver, _)| driver);
    ["xen", "test"].contains(&driver)
}

fn ec2(text: &str) -> Result<Ec2At, AtError> {
    let (region, endpoint) = match text.split_once('@') {
        Some((region, endpoint)) => (region, Some(endpoint)),
        None => (text, None),
    };
    let known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !(1..=64).contains(&region.len()) || !region.chars().all(known) {
        return Err(AtError::Region);
    }
    let has_scheme = |url: &str| {
        ["http://", "https://"]
            .iter()
            .any(|scheme| url.len() > scheme.len() && url.starts_with(scheme))
    };
    if endpoint.is_some_and(|endpoint| !has_scheme(endpoint)) {
        return Err(AtError::Endpoint);
    }
    Ok(Ec2At {
        region: region.to_owned(),
        endpoint: endpoint.map(str::to_owned),
    })
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Xen(socket) => write!(f, "xen:{}", socket.display()),
            Self::Libvirt(uri) => write!(f, "libvirt:{uri}"),
            Self::Ec2(Ec2At { region, endpoint }) => {
                write!(f, "ec2:{region}")?;
                endpoint.iter().try_for_each(|url| write!(f, "@{url}"))
            }
        }
    }
}

impl fmt::Display for AtError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Provider => "xen, xen:SOCKET, libvirt:URI and ec2:REGION[@ENDPOINT] are places",
            Self::Uri => "libvirt wants a URI of a host with Xen: libvirt:xen:///system, libvirt:xen+ssh://root@host/system",
            Self::Region => "EC2 wants a region: ec2:eu-west-1",
            Self::Endpoint => "an endpoint begins with http:// or https://",
        })
    }
}

impl std::error::Error for AtError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_and_written() {
        for text in [
            "xen:/run/morgana/socket",
            "libvirt:test:///default",
            "libvirt:xen+ssh://root@host/system?keyfile=/a",
            "ec2:eu-west-1",
            "ec2:us-east-1@http://127.0.0.1:5000",
        ] {
            assert_eq!(text.parse::<At>().unwrap().to_string(), text);
        }
        assert_eq!("xen".parse(), Ok(At::Xen(SOCKET.into())));
    }

    #[test]
    fn what_is_no_place_is_told_why() {
        for (text, why) in [
            ("", AtError::Provider),
            ("kvm", AtError::Provider),
            ("xen:/a\nb", AtError::Provider),
            ("libvirt", AtError::Uri),
            ("libvirt:", AtError::Uri),
            ("libvirt:system", AtError::Uri),
            ("libvirt:xen", AtError::Uri),
            ("libvirt:qemu:///system", AtError::Uri),
            ("libvirt:+xen:///system", AtError::Uri),
            ("ec2", AtError::Region),
            ("ec2:", AtError::Region),
            ("ec2:EU", AtError::Region),
            ("ec2:@http://a", AtError::Region),
            ("ec2:a@", AtError::Endpoint),
            ("ec2:a@http://", AtError::Endpoint),
            ("ec2:a@ftp://b", AtError::Endpoint),
        ] {
            assert_eq!(text.parse::<At>(), Err(why), "{text}");
        }
    }
}
