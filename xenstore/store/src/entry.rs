//! Entries of a node's permissions, as the store keeps them.

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::borrow::Borrow;
use core::ops::Deref;

use morgana_hal::DomId;
use morgana_xenstore_wire::{Access, Permission};

/// In an entry: all domains (xen.h, `DOMID_ANY`).
pub(crate) const ANY: DomId = DomId::new(0x7FF5);

/// Ids from here on are no domain's (xen.h, `DOMID_FIRST_RESERVED`).
pub(crate) const FIRST_RESERVED: u16 = 0x7FF0;

/// One entry. The first of a list is the owner's.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Entry {
    pub(crate) domain: DomId,
    pub(crate) access: Access,
    pub(crate) standing: Standing,
}

/// Whether an entry means anything.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Standing {
    Valid,
    /// There was no such domain when the entry was made. A later one with its number must not profit (XSA-322), so it is only shown.
    Void,
}

/// A node's permissions. Never empty. A clone costs a reference, which is one word, as nodes are many.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Entries(Rc<Box<[Entry]>>);

impl Deref for Entries {
    type Target = [Entry];

    fn deref(&self) -> &[Entry] {
        &self.0
    }
}

impl Borrow<[Entry]> for Entries {
    fn borrow(&self) -> &[Entry] {
        self
    }
}

impl Entries {
    /// Whether there are others of this list.
    pub(crate) fn is_shared(&self) -> bool {
        Rc::strong_count(&self.0) > 1
    }
}

impl From<Vec<Entry>> for Entries {
    fn from(list: Vec<Entry>) -> Self {
        Self(Rc::new(list.into()))
    }
}

impl FromIterator<Entry> for Entries {
    fn from_iter<I: IntoIterator<Item = Entry>>(list: I) -> Self {
        Self(Rc::new(list.into_iter().collect()))
    }
}

impl Entry {
    pub(crate) const fn new(permission: Permission, standing: Standing) -> Self {
        Self {
            domain: permission.domain,
            access: permission.access,
            standing,
        }
    }

    /// The owner's entry of a node that nobody else may do anything with.
    pub(crate) const fn private(domain: DomId) -> Self {
        Self {
            domain,
            access: Access::None,
            standing: Standing::Valid,
        }
    }

    /// As it goes over the wire.
    pub(crate) const fn permission(self) -> Permission {
        Permission {
            domain: self.domain,
            access: self.access,
        }
    }

    /// Whether it is `domain`'s, or everybody's.
    pub(crate) fn is_for(self, domain: DomId) -> bool {
        self.standing == Standing::Valid && (self.domain == domain || self.domain == ANY)
    }
}
