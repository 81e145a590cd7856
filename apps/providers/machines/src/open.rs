//! The provider that was asked for.

use morgana_providers::{At, Cause, Error, Provider, Xen};

use crate::cli::Cli;

/// Opens it.
pub(crate) fn open(cli: &Cli) -> Result<Box<dyn Provider>, Error> {
    let at = &cli.at;
    if cli.consoles.is_some() && !matches!(at, At::Xen(_)) {
        let why = "--consoles is for xen: this provider tells of consoles itself".to_owned();
        return Err(Error::of(at.provider(), Cause::Wrong(why)));
    }
    match at {
        At::Xen(socket) => {
            let xen = Xen::new(socket);
            Ok(Box::new(match &cli.consoles {
                Some(folder) => xen.with_consoles(folder),
                None => xen,
            }))
        }
        #[cfg(feature = "libvirt")]
        At::Libvirt(uri) => Ok(Box::new(crate::libvirt::Libvirt::open(uri)?)),
        #[cfg(feature = "ec2")]
        At::Ec2(at) => Ok(Box::new(crate::ec2::Ec2::open(at)?)),
        #[cfg(not(all(feature = "libvirt", feature = "ec2")))]
        _ => {
            let why = "this program was built without it: build it with --features libvirt,ec2";
            Err(Error::of(at.provider(), Cause::Wrong(why.to_owned())))
        }
    }
}
