//! A host of libvirt: Xen, or the one that libvirt makes up for tests.

mod console;
#[cfg(test)]
mod tests;
mod told;

use std::collections::BTreeMap;
use std::sync::Once;

use morgana_providers::{
    Cause, Error, Hypervisor, Launch, Machine, MachineId, Provider, ProviderName, State, Stats,
    Unable, domain_xml,
};
use virt::connect::Connect;
use virt::domain::Domain;

use console::Console;

/// A host that does not answer is given up after so many seconds, times [`PROBES`].
const PROBE_SECONDS: i32 = 5;
/// Probes without an answer.
const PROBES: u32 = 6;
/// Consoles that are listened to at a time. The first one is forgotten for a further one.
const MOST_CONSOLES: usize = 64;

/// A host of libvirt.
pub(crate) struct Libvirt {
    uri: String,
    /// None after it was lost.
    connection: Option<Connection>,
    consoles: BTreeMap<MachineId, Console>,
}

struct Connection {
    host: Connect,
    hypervisor: Hypervisor,
}

impl Libvirt {
    /// Connects to a host. How long that may take is for its transport to say (`ssh`, for one).
    ///
    /// # Errors
    ///
    /// Bad input if its hypervisor is not Xen; lost if it cannot be reached.
    pub(crate) fn open(uri: &str) -> Result<Self, Error> {
        let mut libvirt = Self {
            uri: uri.to_owned(),
            connection: None,
            consoles: BTreeMap::new(),
        };
        libvirt.connected().map_err(Libvirt::wrong(""))?;
        Ok(libvirt)
    }

    /// A function for `map_err`.
    fn wrong(machine: &str) -> impl Fn(Cause) -> Error + '_ {
        move |cause| Error::about(ProviderName::Libvirt, machine, cause)
    }

    fn connected(&mut self) -> Result<&Connection, Cause> {
        if self.connection.is_none() {
            self.consoles.clear();
            self.connection = Some(connect(&self.uri)?);
        }
        // Just made, if it was not there.
        self.connection
            .as_ref()
            .ok_or_else(|| Cause::lost("not connected"))
    }

    /// Asks something of the host. If it is gone after that, whatever it says is a loss.
    fn ask<T>(
        &mut self,
        machine: &str,
        what: impl FnOnce(&Connection) -> Result<T, Cause>,
    ) -> Result<T, Error> {
        let asked = self.connected().and_then(what);
        asked.map_err(|cause| {
            let alive = |connection: &Connection| connection.host.is_alive() == Ok(true);
            let is_there = self.connection.as_ref().is_some_and(alive);
            if is_there || matches!(cause, Cause::Wrong(_) | Cause::Unable(_)) {
                return Libvirt::wrong(machine)(cause);
            }
            self.connection = None;
            Libvirt::wrong(machine)(match cause {
                Cause::Refused(text) => Cause::Lost(text),
                cause => cause,
            })
        })
    }

    /// Something that is done to a domain.
    fn act(
        &mut self,
        machine: &MachineId,
        what: impl FnOnce(&Domain) -> Result<(), virt::error::Error>,
    ) -> Result<(), Error> {
        self.ask(machine.as_str(), |connection| {
            what(&domain(connection, machine)?).map_err(|error| told::cause(&error))
        })
    }
}

fn connect(uri: &str) -> Result<Connection, Cause> {
    static PREPARED: Once = Once::new();
    PREPARED.call_once(|| {
        // It would write errors to standard error, besides returning them.
        virt::error::clear_error_callback();
        // Without one libvirt does not take keep-alive probes. If it cannot be had there are none.
        let _ = virt::event::event_register_default_impl();
    });
    let host = Connect::open(Some(uri)).map_err(|error| {
        let why = error.message();
        Cause::lost(&format!(
            "{why} (is libvirt's daemon running there, and may this user ask it?)"
        ))
    })?;
    let kind = host.driver_type().map_err(|error| told::cause(&error))?;
    let hypervisor = match kind.as_str() {
        "Xen" => Hypervisor::Xen,
        "TEST" | "Test" => Hypervisor::Test,
        other => {
            let why = format!("the host's hypervisor is {other}: PV guests want Xen");
            return Err(Cause::Wrong(why));
        }
    };
    // A host in this process has no connection to be probed, and says so.
    let _ = host.set_keep_alive(PROBE_SECONDS, PROBES);
    Ok(Connection { host, hypervisor })
}

fn domain(connection: &Connection, machine: &MachineId) -> Result<Domain, Cause> {
    let found = connection
        .host
        .lookup_domain_by_uuid_string(machine.as_str());
    found.map_err(|error| match told::cause(&error) {
        // No UUID: it is none of this host's machines.
        Cause::Refused(_) if uuid_is_wrong(machine) => Cause::Unknown,
        cause => cause,
    })
}

/// Whether it is not of the form of a UUID.
fn uuid_is_wrong(machine: &MachineId) -> bool {
    let known = |c: char| c.is_ascii_hexdigit() || c == '-';
    machine.as_str().len() != 36 || !machine.as_str().chars().all(known)
}

fn machine(domain: &Domain) -> Result<Machine, Cause> {
    let wrong = |error: virt::error::Error| told::cause(&error);
    Ok(Machine {
        id: MachineId::new(domain.uuid_string().map_err(wrong)?),
        name: domain.name().map_err(wrong)?,
        state: told::state(domain.info().map_err(wrong)?.state),
    })
}

impl Provider for Libvirt {
    fn provider(&self) -> ProviderName {
        ProviderName::Libvirt
    }

    fn create(&mut self, launch: &Launch) -> Result<Machine, Error> {
        let unable = [
            (launch.kept_image.is_some(), Unable::KeptImage),
            (launch.kind.is_some(), Unable::Kind),
        ];
        if let Some((_, what)) = unable.iter().find(|(asked, _)| *asked) {
            return Err(Libvirt::wrong(launch.called())(Cause::Unable(*what)));
        }
        let mut config = launch.configured(ProviderName::Libvirt)?;
        // libvirt takes absolute paths only. It is one on the other host.
        let kernel = std::path::absolute(&config.kernel);
        if let Some(kernel) = kernel.as_ref().ok().and_then(|path| path.to_str()) {
            config.kernel = kernel.to_owned();
        }
        self.ask(&config.name, |connection| {
            let xml = domain_xml(&config, connection.hypervisor)?;
            let made = connection
                .host
                .create_domain_xml(&xml, virt::sys::VIR_DOMAIN_NONE);
            let made = made.map_err(|error| told::cause(&error))?;
            let id = made.uuid_string().map_err(|error| told::cause(&error))?;
            // It was made. That it has ended already is no failure to make it.
            Ok(machine(&made).unwrap_or_else(|_| Machine {
                id: MachineId::new(id),
                name: config.name.clone(),
                state: State::Running,
            }))
        })
    }

    fn list(&mut self) -> Result<Vec<Machine>, Error> {
        self.ask("", |connection| {
            let all = connection.host.list_all_domains(0);
            let all = all.map_err(|error| told::cause(&error))?;
            // Domain 0 is the host itself.
            let others = all.iter().filter(|domain| domain.id() != Some(0));
            let mut machines = Vec::new();
            for domain in others {
                match machine(domain) {
                    Ok(machine) => machines.push(machine),
                    // It has gone meanwhile.
                    Err(Cause::Unknown) => {}
                    Err(cause) => return Err(cause),
                }
            }
            Ok(machines)
        })
    }

    fn stats(&mut self, id: &MachineId) -> Result<Stats, Error> {
        self.ask(id.as_str(), |connection| {
            let domain = domain(connection, id)?;
            let info = domain.info().map_err(|error| told::cause(&error))?;
            Ok(told::stats(machine(&domain)?, &info))
        })
    }

    fn pause(&mut self, machine: &MachineId) -> Result<(), Error> {
        self.act(machine, Domain::suspend)
    }

    fn unpause(&mut self, machine: &MachineId) -> Result<(), Error> {
        self.act(machine, Domain::resume)
    }

    fn shutdown(&mut self, machine: &MachineId) -> Result<(), Error> {
        self.act(machine, Domain::shutdown)
    }

    fn destroy(&mut self, machine: &MachineId) -> Result<(), Error> {
        self.act(machine, Domain::destroy)?;
        self.consoles.remove(machine);
        Ok(())
    }

    fn console(&mut self, id: &MachineId) -> Result<Vec<u8>, Error> {
        let known = self.consoles.remove(id);
        let console = self.ask(id.as_str(), |connection| {
            let domain = domain(connection, id)?;
            let mut console = match known {
                Some(console) => console,
                None => Console::open(&connection.host, &domain)?,
            };
            console.listen(&domain);
            Ok(console)
        })?;
        let text = console.text();
        if self.consoles.len() == MOST_CONSOLES {
            self.consoles.pop_first();
        }
        self.consoles.insert(id.clone(), console);
        Ok(text)
    }
}
