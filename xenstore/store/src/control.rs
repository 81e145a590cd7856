//! Commands to the daemon itself (`CONTROL`, which `xenstore-control` sends).

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use morgana_hal::DomId;
use morgana_xenstore_wire::{Errno, Fields};

use crate::accounts::Account;
use crate::effect::Command;
use crate::handling::{Done, Handling, ok};
use crate::quota::{Quota, Resource};
use crate::settings::Trace;

const HELP: &str = "\
check
help
live-update     [-c <cmdline>] [-F] [-t <timeout>] <file>
log             [on|off|+io|-io]
logfile         <file>
memreport       [<file>]
print           <string>
quota           [set <name> <val>|<domid>|max [-r]]
quota-soft      [set <name> <val>]
";

impl Handling<'_> {
    /// A command and its parameters, each with its NUL.
    pub(crate) fn control(&mut self, payload: &[u8]) -> Result<Done, Errno> {
        let mut fields = Fields::new(payload);
        let mut words = Vec::new();
        while !fields.is_empty() {
            words.push(fields.string().map_err(|_| Errno::Invalid)?);
        }
        match words[..] {
            ["help"] => Ok(text(HELP.into())),
            ["check"] => self.check(),
            ["log", ref what @ ..] => self.log(what),
            ["logfile", path] => Ok(Done::Command(Command::LogFile(path.into()))),
            ["live-update", ref what @ ..] => Ok(Done::Command(Command::LiveUpdate(
                what.iter().map(|&word| word.into()).collect(),
            ))),
            ["memreport"] => Ok(text(self.report())),
            ["memreport", path] => Ok(Done::Command(Command::Append {
                path: path.into(),
                text: self.report(),
            })),
            ["print", line] => Ok(Done::Command(Command::Print(line.into()))),
            ["quota", ref what @ ..] => self.quota_command(what),
            ["quota-soft"] => Ok(text(self.quotas(|one| one == Resource::SoftMemory))),
            ["quota-soft", "set", "memory", value] => self.set(Resource::SoftMemory.name(), value),
            _ => Err(Errno::Invalid),
        }
    }

    fn log(&mut self, what: &[&str]) -> Result<Done, Errno> {
        match what {
            [] => {
                let state = match self.store.settings.trace {
                    Trace::On => "on",
                    Trace::Off => "off",
                };
                Ok(text(format!("Log switch settings:\nio      : {state}\n")))
            }
            ["on"] => Ok(Done::Command(Command::LogOn)),
            ["off"] => Ok(Done::Command(Command::LogOff)),
            ["+io"] => {
                self.store.settings.trace = Trace::On;
                Ok(ok())
            }
            ["-io"] => {
                self.store.settings.trace = Trace::Off;
                Ok(ok())
            }
            _ => Err(Errno::Invalid),
        }
    }

    fn quota_command(&mut self, what: &[&str]) -> Result<Done, Errno> {
        match *what {
            [] => Ok(text(self.quotas(|one| one != Resource::SoftMemory))),
            ["set", name, value] => self.set(name, value),
            ["max"] => Ok(text(self.peaks())),
            ["max", "-r"] => {
                self.store.ledger.reset_peaks();
                Ok(text(self.peaks()))
            }
            [domain] => {
                let number = domain.parse().map_err(|_| Errno::Invalid)?;
                Ok(text(self.account(DomId::new(number))?))
            }
            _ => Err(Errno::Invalid),
        }
    }

    fn set(&mut self, name: &str, value: &str) -> Result<Done, Errno> {
        let value = value.parse::<u32>().map_err(|_| Errno::Invalid)?;
        self.set_quota(None, name, value)
    }

    /// Counts all nodes, and compares with the books; looks whether each says what is below it.
    fn check(&self) -> Result<Done, Errno> {
        let world = &self.store.world;
        let mut owned: BTreeMap<DomId, Account> = BTreeMap::new();
        let mut traced = true;
        world.tree.root().for_each(|node| {
            traced &= node.is_traced();
            if let Some(owner) = node.owner() {
                let account = Account::of_node(node);
                let sum = owned.entry(owner).or_default();
                sum.nodes += account.nodes;
                sum.bytes += account.bytes;
            }
        });
        let watches = self.store.connections.values();
        let watches: usize = watches.map(|one| one.watches.len()).sum();
        let open = self.store.connections.values();
        let open: usize = open.map(|one| one.transactions.len()).sum();
        let is_sound = traced
            && world.accounts.is(&owned)
            && watches == self.store.watches.len()
            && self.store.open.len() <= open;
        if is_sound { Ok(ok()) } else { Err(Errno::Io) }
    }

    fn report(&self) -> String {
        let (mut nodes, mut bytes, mut data) = (0, 0, 0);
        self.store.world.tree.root().for_each(|node| {
            nodes += 1;
            bytes += Account::of_node(node).bytes;
            data += node.value().len();
        });
        let connections = self.store.connections.values();
        let transactions: usize = connections.map(|one| one.transactions.len()).sum();
        let held = self.store.connections.values();
        let held: usize = held.map(|one| one.held_bytes()).sum();
        [
            ("nodes", nodes),
            ("bytes of nodes", bytes),
            ("bytes of data", data),
            ("connections", self.store.connections.len()),
            ("transactions", transactions),
            ("watches", self.store.watches.len()),
            ("bytes of both", held),
        ]
        .iter()
        .map(|(what, number)| format!("{what:<17}: {number:>8}\n"))
        .collect()
    }

    /// What a domain uses up, and did at most.
    fn account(&self, domain: DomId) -> Result<String, Errno> {
        let introduced = self.store.domains.get(&domain).ok_or(Errno::NotFound)?;
        let connection = self.store.connections.get(&introduced.connection);
        let owned = self.store.world.accounts.of(domain);
        let mut list = format!("Domain {}:\n", domain.number());
        for resource in Resource::ALL {
            let now = match resource {
                Resource::Nodes => owned.nodes,
                Resource::Watches => connection.map_or(0, |one| one.watches.len()),
                Resource::Transactions => connection.map_or(0, |one| one.transactions.len()),
                Resource::Memory => owned.bytes + connection.map_or(0, |one| one.held_bytes()),
                _ => continue,
            };
            let peak = self.store.ledger.peak_of(domain, resource).max(now);
            list += &format!("{:<17}: {now:>8} (max {peak:>8})\n", resource.name());
        }
        Ok(list)
    }

    /// The limits of domains that come.
    fn quotas(&self, which: impl Fn(Resource) -> bool) -> String {
        let quota: Quota = self.store.settings.quota(None);
        let mut list = String::from("Quota settings:\n");
        for resource in Resource::ALL.into_iter().filter(|&one| which(one)) {
            let limit = quota.limit(resource);
            list += &format!("{:<17}: {limit:>8}\n", resource.name());
        }
        list
    }

    /// What guests had at most.
    fn peaks(&self) -> String {
        let mut list = "Max. seen accounting values:\n".to_string();
        for resource in Resource::ALL {
            if resource != Resource::SoftMemory {
                let peak = self.store.ledger.peak(resource);
                list += &format!("{:<17}: {peak:>8}\n", resource.name());
            }
        }
        list
    }
}

fn text(text: String) -> Done {
    Done::Reply((text + "\0").into_bytes())
}
