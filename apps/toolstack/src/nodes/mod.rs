//! A domain's nodes in xenstore, laid out as libxl does it (docs/misc/xenstore-paths.pandoc of Xen), so that Xen's own tools understand the domain. Those that neither they nor a PV
//! guest reads are left out: with many domains, the nodes are what takes longest.

mod devices;

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use morgana_builder::Built;
use morgana_exec::{join, join_all};
use morgana_hal::{DomId, WallTime};
use morgana_xenstore_client::{Access, Client, Error, MAX_IN_FLIGHT, Permission, Tree};

use crate::Uuid;
use crate::config::Config;

pub(crate) use devices::Device;

/// Bytes that may wait in the console for a reader (libxl, `LIBXL_XENCONSOLE_LIMIT`).
const CONSOLE_LIMIT: u32 = 1 << 20;

/// Nodes that are the guest's own to write. libxl makes `drivers`, `error` and `feature`, too, which only Windows's drivers write.
const GUESTS_OWN: [&str; 7] = [
    "control/shutdown",
    "control/feature-poweroff",
    "control/feature-reboot",
    "control/feature-suspend",
    "control/sysrq",
    "data",
    "attr",
];

/// What is to be written, in this order.
#[derive(Debug)]
enum Change {
    Make(String),
    Write(String, String),
    Permit(String, Vec<Permission>),
}

impl Change {
    async fn apply(&self, tree: &Tree) -> Result<(), Error> {
        match self {
            Self::Make(path) => tree.make(path).await,
            Self::Write(path, value) => tree.write(path, value).await,
            Self::Permit(path, permissions) => tree.set_permissions(path, permissions).await,
        }
    }
}

/// Where domains that were built ahead have a node each. Its value says of which kind the domain is, its UUID, and where its `start_info` is.
pub(crate) const AHEAD: &str = "/tool/morgana/ahead";

/// Where it says of a domain that it was built ahead.
pub(crate) fn ahead(domain: DomId) -> String {
    format!("{AHEAD}/{}", domain.number())
}

/// Where domains have a node each, by UUID, that somebody is making or ending. Its value says who.
pub(crate) const UNFINISHED: &str = "/tool/morgana/unfinished";

/// Where it says of a domain that somebody is making or ending it.
pub(crate) fn unfinished(uuid: Uuid) -> String {
    format!("{UNFINISHED}/{uuid}")
}

/// The domain's home.
pub(crate) fn home(domain: DomId) -> String {
    format!("/local/domain/{}", domain.number())
}

fn libxl(domain: DomId) -> String {
    format!("/libxl/{}", domain.number())
}

/// Writes all nodes of a new domain, or none.
pub(crate) async fn write(
    client: &Client,
    config: &Config,
    uuid: Uuid,
    built: &Built,
    devices: &[Device],
    now: WallTime,
) -> Result<(), Error> {
    let mut changes = Vec::new();
    write_home(config, uuid, built, &mut changes);
    write_vm(config, uuid, built.domain, now, &mut changes);
    write_console(built, &mut changes);
    for device in devices {
        device.write(built.domain, &mut changes);
    }
    apply(client, &changes).await
}

/// Writes the nodes of devices that a domain gets later, or none.
pub(crate) async fn write_devices(
    client: &Client,
    domain: DomId,
    devices: &[Device],
) -> Result<(), Error> {
    let mut changes = Vec::new();
    for device in devices {
        device.write(domain, &mut changes);
    }
    apply(client, &changes).await
}

async fn apply(client: &Client, changes: &[Change]) -> Result<(), Error> {
    client
        .transaction(async |tree| {
            // xenstored answers in order, so several may be under way.
            for part in changes.chunks(MAX_IN_FLIGHT) {
                let done = join_all(part.iter().map(|change| change.apply(tree))).await;
                done.into_iter().collect::<Result<(), Error>>()?;
            }
            Ok(())
        })
        .await
}

/// Nodes that are made take the permissions of the one above.
fn write_home(config: &Config, uuid: Uuid, built: &Built, changes: &mut Vec<Change>) {
    let home = home(built.domain);
    let readable = [
        entry(DomId::DOM0, Access::None),
        entry(built.domain, Access::Read),
    ];
    changes.push(Change::Make(home.clone()));
    changes.push(Change::Permit(home.clone(), readable.to_vec()));
    let kibibytes = (config.pages * 4).to_string();
    for (key, value) in [
        ("name", config.name.clone()),
        ("domid", built.domain.number().to_string()),
        ("vm", format!("/vm/{uuid}")),
        ("memory/static-max", kibibytes.clone()),
        ("memory/target", kibibytes),
        ("cpu/0/availability", "online".to_string()),
        ("store/port", built.xenstore_port.number().to_string()),
        ("store/ring-ref", built.xenstore_frame.number().to_string()),
    ] {
        changes.push(Change::Write(format!("{home}/{key}"), value));
    }
    changes.push(Change::Make(format!("{home}/device")));
    for key in GUESTS_OWN {
        let path = format!("{home}/{key}");
        changes.push(Change::Make(path.clone()));
        let own = entry(built.domain, Access::None);
        changes.push(Change::Permit(path, [own].to_vec()));
    }
}

/// What Xen's tools keep for themselves.
fn write_vm(config: &Config, uuid: Uuid, domain: DomId, now: WallTime, changes: &mut Vec<Change>) {
    let vm = format!("/vm/{uuid}");
    let readable = [
        entry(DomId::DOM0, Access::None),
        entry(domain, Access::Read),
    ];
    changes.push(Change::Make(vm.clone()));
    changes.push(Change::Permit(vm.clone(), readable.to_vec()));
    for (key, value) in [
        ("uuid", uuid.to_string()),
        ("name", config.name.clone()),
        ("start_time", format!("{}.00", now.unix_seconds())),
    ] {
        changes.push(Change::Write(format!("{vm}/{key}"), value));
    }
    let libxl = libxl(domain);
    let private = [entry(DomId::DOM0, Access::None)];
    changes.push(Change::Make(libxl.clone()));
    changes.push(Change::Permit(libxl.clone(), private.to_vec()));
    changes.push(Change::Make(format!("{libxl}/device")));
    changes.push(Change::Write(format!("{libxl}/type"), "pv".to_string()));
}

/// The console: what xenconsoled looks for. libxl writes a back end's nodes besides, which nobody reads when xenconsoled is in dom0, and each node costs time.
fn write_console(built: &Built, changes: &mut Vec<Change>) {
    let front = format!("{}/console", home(built.domain));
    for (key, value) in [
        ("backend-id", "0".to_string()),
        ("limit", CONSOLE_LIMIT.to_string()),
        ("type", "xenconsoled".to_string()),
        ("output", "pty".to_string()),
        ("tty", String::new()),
        ("port", built.console_port.number().to_string()),
        ("ring-ref", built.console_frame.number().to_string()),
    ] {
        changes.push(Change::Write(format!("{front}/{key}"), value));
    }
}

fn entry(domain: DomId, access: Access) -> Permission {
    Permission { domain, access }
}

/// Removes all nodes of a domain, whoever has written them.
///
/// Those are not removed in a transaction: Xen's xenstored refuses the end of one (`ENOMEM`) in which nodes went that belonged to a domain of which nothing is left by then
/// (`domain_entry_fix` in xenstored_domain.c).
pub(crate) async fn remove(client: &Client, domain: DomId, uuid: Uuid) -> Result<(), Error> {
    let paths = all_paths(client, domain, uuid).await?;
    for part in paths.chunks(MAX_IN_FLIGHT) {
        let removed = join_all(part.iter().map(|path| client.remove(path))).await;
        let mut removed = removed.into_iter();
        removed.try_for_each(|removed| removed.or_else(none))?;
    }
    client
        .transaction(async |tree| {
            for path in &paths {
                remove_empty_above(tree, path).await?;
            }
            Ok(())
        })
        .await
}

/// Where a domain has nodes.
async fn all_paths(client: &Client, domain: DomId, uuid: Uuid) -> Result<Vec<String>, Error> {
    let vm = format!("/vm/{uuid}");
    let mut paths = Vec::from([home(domain), vm, ahead(domain)]);
    let devices = format!("{}/device", libxl(domain));
    for kind in client.children(&devices).await.or_else(none)? {
        let kind = format!("{devices}/{kind}");
        for number in client.children(&kind).await.or_else(none)? {
            let path = format!("{kind}/{number}/backend");
            paths.extend(client.read_text(&path).await.ok());
        }
    }
    let back_ends = client.children("/local/domain/0/backend").await;
    for kind in back_ends.or_else(none)? {
        let number = domain.number();
        paths.push(format!("/local/domain/0/backend/{kind}/{number}"));
    }
    // What tells of the others goes last.
    paths.push(libxl(domain));
    Ok(paths)
}

/// Removes the node of a domain that was built ahead, and the folder of these if it is empty then.
pub(crate) async fn remove_ahead(tree: &Tree, domain: DomId) -> Result<(), Error> {
    let path = ahead(domain);
    // Answered in their order.
    let (removed, left) = join(tree.remove(&path), tree.children(AHEAD)).await;
    removed.or_else(none)?;
    match left.or_else(none)?.is_empty() {
        true => tree.remove(AHEAD).await.or_else(none),
        false => Ok(()),
    }
}

/// Removes what is empty above a node that is gone, of the folders of back ends, as libxl does, and of domains built ahead.
async fn remove_empty_above(tree: &Tree, mut path: &str) -> Result<(), Error> {
    while let Some((above, _)) = path.rsplit_once('/') {
        let is_of_back_ends = above.ends_with("/backend") || above.contains("/backend/");
        if !(is_of_back_ends || above == AHEAD)
            || !tree.children(above).await.or_else(none)?.is_empty()
        {
            break;
        }
        tree.remove(above).await.or_else(none)?;
        path = above;
    }
    Ok(())
}

/// What is not there needs not be removed.
pub(crate) fn none<T: Default>(error: Error) -> Result<T, Error> {
    match error.is_not_found() {
        true => Ok(T::default()),
        false => Err(error),
    }
}
