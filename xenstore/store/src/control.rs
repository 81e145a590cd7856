//! Commands to the daemon itself (`CONTROL`, which `xenstore-control` sends).

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use morgana_hal::DomId;
use morgana_xenstore_wire::{Errno, Fields};

use crate::handling::{Done, Handling, ok};
use crate::quota::Quota;

const HELP: &str = "\
Supported commands:
check
memreport
quota [set NAME VALUE | DOMID]
help
";

impl Handling<'_> {
    /// A command and its parameters, each with its NUL.
    pub(crate) fn control(&mut self, payload: &[u8]) -> Result<Done, Errno> {
        self.only_control()?;
        let mut fields = Fields::new(payload);
        let mut words = Vec::new();
        while !fields.is_empty() {
            words.push(fields.string().map_err(|_| Errno::Invalid)?);
        }
        match words[..] {
            ["help", ..] => Ok(text(HELP.into())),
            ["check"] => self.check(),
            ["memreport"] => Ok(text(self.report())),
            ["quota"] => Ok(text(quotas(&self.store.settings.default_quota()))),
            ["quota", "set", name, value] => {
                let value = value.parse::<u32>().map_err(|_| Errno::Invalid)?;
                self.set_quota(None, name, value)
            }
            ["quota", domain] => {
                let number = domain.parse().map_err(|_| Errno::Invalid)?;
                Ok(text(self.account(DomId::new(number))?))
            }
            _ => Err(Errno::Invalid),
        }
    }

    /// Counts all nodes, and compares with the books.
    fn check(&self) -> Result<Done, Errno> {
        let world = &self.store.world;
        let mut owned: BTreeMap<DomId, usize> = BTreeMap::new();
        world.tree.root().for_each(|node| {
            if let Some(owner) = node.permissions.first() {
                *owned.entry(owner.domain).or_default() += 1;
            }
        });
        if world.owned.is(&owned) {
            Ok(ok())
        } else {
            Err(Errno::Io)
        }
    }

    fn report(&self) -> String {
        let (mut nodes, mut bytes) = (0, 0);
        self.store.world.tree.root().for_each(|node| {
            nodes += 1;
            bytes += node.value.len();
        });
        let connections = self.store.connections.values();
        let transactions: usize = connections.map(|one| one.transactions.len()).sum();
        format!(
            "nodes        : {nodes:>8}\nbytes of data: {bytes:>8}\nconnections  : {:>8}\n\
             transactions : {transactions:>8}\nwatches      : {:>8}\n",
            self.store.connections.len(),
            self.store.watches.len(),
        )
    }

    /// What a domain uses up.
    fn account(&self, domain: DomId) -> Result<String, Errno> {
        let introduced = self.store.domains.get(&domain).ok_or(Errno::NotFound)?;
        let connection = self.store.connections.get(&introduced.connection);
        let watches = connection.map_or(0, |one| one.watches);
        let transactions = connection.map_or(0, |one| one.transactions.len());
        Ok(format!(
            "Domain {}:\nnodes        : {:>8}\nwatches      : {watches:>8}\ntransactions : {transactions:>8}\n",
            domain.number(),
            self.store.world.owned.of(domain),
        ))
    }
}

fn quotas(quota: &Quota) -> String {
    let mut list = String::from("Quota settings:\n");
    for name in Quota::NAMES {
        let value = quota.limit(name).unwrap_or(0);
        list += &format!("{name:<17}: {value:>8}\n");
    }
    list
}

fn text(text: String) -> Done {
    Done::Reply((text + "\0").into_bytes())
}
