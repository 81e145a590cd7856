//! Who asks, and what it may do.

use morgana_hal::DomId;
use morgana_xenstore_wire::Access;

use crate::entry::{Entries, Entry, Standing};

/// What a connection is allowed besides what permissions give to its domain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rights {
    /// Everything: the control domain, and xenstored's own domain.
    Control,
    /// What the nodes' permissions say, within quota.
    Guest,
}

/// Who asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Caller {
    pub(crate) domain: DomId,
    pub(crate) rights: Rights,
    /// A domain whose rights it has too (`SET_TARGET`).
    pub(crate) target: Option<DomId>,
}

/// What is to be done with a node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Intent {
    Read,
    Write,
    /// To change who may do what.
    Own,
}

impl Caller {
    /// A program of the control domain.
    pub(crate) const CONTROL: Self = Self {
        domain: DomId::DOM0,
        rights: Rights::Control,
        target: None,
    };

    pub(crate) fn is_control(&self) -> bool {
        self.rights == Rights::Control
    }

    /// Whether a node's permissions allow it.
    pub(crate) fn may(&self, intent: Intent, permissions: &[Entry]) -> bool {
        if self.is_control() {
            return true;
        }
        let Some((owner, others)) = permissions.split_first() else {
            return false;
        };
        if self.is_meant_by(*owner) {
            return true;
        }
        let own = others.iter().find(|entry| self.is_meant_by(**entry));
        let access = own.unwrap_or(owner).access;
        match intent {
            Intent::Read => matches!(access, Access::Read | Access::Both),
            Intent::Write => matches!(access, Access::Write | Access::Both),
            Intent::Own => false,
        }
    }

    fn is_meant_by(&self, entry: Entry) -> bool {
        entry.is_for(self.domain) || self.target.is_some_and(|target| entry.is_for(target))
    }

    /// The permissions of a node that it makes below one that has `parent`: the same, but guests own what they make.
    pub(crate) fn inherit(&self, parent: &Entries) -> Entries {
        if self.is_control()
            || parent
                .first()
                .is_some_and(|owner| owner.domain == self.domain)
        {
            return parent.clone();
        }
        let mut own = parent.to_vec();
        if let Some(owner) = own.first_mut() {
            owner.domain = self.domain;
            owner.standing = Standing::Valid;
        }
        own.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use morgana_xenstore_wire::{Fields, Permission};

    fn list(text: &str) -> Vec<Entry> {
        let text = text.replace(' ', "\0") + "\0";
        let mut fields = Fields::new(text.as_bytes());
        core::iter::from_fn(|| Permission::parse(&mut fields).ok())
            .map(|permission| Entry::new(permission, Standing::Valid))
            .collect()
    }

    fn guest(number: u16) -> Caller {
        Caller {
            domain: DomId::new(number),
            rights: Rights::Guest,
            target: None,
        }
    }

    #[test]
    fn the_owner_the_listed_and_the_others() {
        use Intent::{Own, Read, Write};
        // Who, what list: may read, write, own.
        for (caller, permissions, expected) in [
            (guest(1), "n1", [true, true, true]),
            (guest(2), "n1", [false, false, false]),
            (guest(2), "r1", [true, false, false]),
            (guest(2), "w1", [false, true, false]),
            (guest(2), "b1", [true, true, false]),
            (guest(2), "b1 n2", [false, false, false]),
            (guest(2), "n1 r2", [true, false, false]),
            (guest(2), "n1 r3 b2 n2", [true, true, false]),
            (guest(1), "n1 n1", [true, true, true]),
            // DOMID_ANY.
            (guest(2), "n1 r32757", [true, false, false]),
            (guest(2), "n1 n2 b32757", [false, false, false]),
        ] {
            let permissions = list(permissions);
            let may = [Read, Write, Own].map(|intent| caller.may(intent, &permissions));
            assert_eq!(may, expected, "{caller:?} {permissions:?}");
        }
        let mut void = list("n1 b2");
        void[1].standing = Standing::Void;
        assert!(!guest(2).may(Read, &void));
        let stubdom = Caller {
            target: Some(DomId::new(1)),
            ..guest(2)
        };
        assert!(stubdom.may(Own, &list("n1")));
        let control = Caller {
            rights: Rights::Control,
            ..guest(9)
        };
        assert!(control.may(Own, &list("n1")));
    }
}
