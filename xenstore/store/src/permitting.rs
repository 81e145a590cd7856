//! Requests about permissions.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use morgana_hal::DomId;
use morgana_xenstore_wire::{Errno, Fields, Permission};

use crate::entry::{ANY, Entry, Standing};
use crate::handling::{Done, Handling, ok};
use crate::operations::Step;
use crate::settings::Features;

impl Handling<'_> {
    pub(crate) fn permissions(&mut self, path: &str) -> Result<Done, Errno> {
        let list = match self.store.special.get(path) {
            Some(special) => {
                self.only_control()?;
                special.clone()
            }
            None => {
                let path = self.path(path)?;
                self.on_tree(|work| work.permissions(path.get()?))?
            }
        };
        let mut payload = String::new();
        for entry in list.iter() {
            payload += &format!("{}\0", entry.permission());
        }
        Ok(Done::Reply(payload.into_bytes()))
    }

    pub(crate) fn set_permissions(&mut self, path: &str, list: &[u8]) -> Result<Done, Errno> {
        let mut fields = Fields::new(list);
        let mut parsed = Vec::new();
        while !fields.is_empty() {
            let permission = Permission::parse(&mut fields).map_err(|_| Errno::Invalid)?;
            parsed.push(Entry::new(permission, self.standing_of(permission.domain)));
        }
        // All domains together own nothing, and what nobody owns would never go.
        let owner = parsed.first().ok_or(Errno::Invalid)?;
        if owner.domain == ANY || owner.standing == Standing::Void {
            return Err(Errno::NotFound);
        }
        let valid = parsed
            .iter()
            .filter(|entry| entry.standing == Standing::Valid);
        self.store.named.extend(valid.map(|entry| entry.domain));
        let list = self.store.lists.shared(parsed);
        if let Some(special) = self.store.special.get_mut(path) {
            if !self.caller.is_control() {
                return Err(Errno::Access);
            }
            *special = list.clone();
            let path = path.into();
            let step = Step::SetPermissions { path, list };
            self.store.journal.step(self.caller.domain, &step);
            return Ok(ok());
        }
        let path = self.path(path)?.0;
        self.change(Step::SetPermissions { path, list })
    }

    /// Whether an entry with this domain is to mean something.
    pub(crate) fn standing_of(&self, domain: DomId) -> Standing {
        let counts = if domain == ANY {
            let features = self.store.settings.of(self.caller.domain).features;
            features.contains(Features::ANY_DOMAIN)
        } else {
            self.exists(domain)
        };
        if counts {
            Standing::Valid
        } else {
            Standing::Void
        }
    }
}
