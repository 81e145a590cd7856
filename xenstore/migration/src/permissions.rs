//! Lists of permissions in `NODE_DATA`.

use alloc::vec::Vec;

use morgana_hal::DomId;
use morgana_xenstore_wire::{Access, Permission};

use crate::Flaw;
use crate::body::Fields;

/// The length of an entry.
pub(crate) const ENTRY: usize = 4;

/// In an entry's flags: it is shown, but means nothing.
const STALE: u8 = 1;

/// An entry of a node's permissions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StatedPermission {
    /// Who may do what.
    pub permission: Permission,
    /// Whether it means anything.
    pub validity: Validity,
}

/// Whether an entry means anything.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Validity {
    /// It does.
    Valid,
    /// Its domain is not the one that it was made for.
    Stale,
}

/// A list of permissions, as a record has it. The first entry is the owner's.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Permissions<'a>(&'a [u8]);

/// Memory for a list of permissions that is to be written.
#[derive(Clone, Debug, Default)]
pub struct PermissionBytes(Vec<u8>);

impl PermissionBytes {
    /// The list with these entries.
    pub fn list(&mut self, entries: impl Iterator<Item = StatedPermission>) -> Permissions<'_> {
        self.0.clear();
        for entry in entries {
            let letter = match entry.permission.access {
                Access::None => b'n',
                Access::Read => b'r',
                Access::Write => b'w',
                Access::Both => b'b',
            };
            let flags = match entry.validity {
                Validity::Valid => 0,
                Validity::Stale => STALE,
            };
            self.0.extend_from_slice(&[letter, flags]);
            self.0.put_u16(entry.permission.domain.number());
        }
        Permissions(&self.0)
    }
}

impl<'a> Permissions<'a> {
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, Flaw> {
        let (entries, _) = bytes.as_chunks::<ENTRY>();
        match entries.iter().find(|entry| access(entry[0]).is_none()) {
            Some(bad) => Err(Flaw::Access(bad[0])),
            None => Ok(Self(bytes)),
        }
    }

    pub(crate) const fn bytes(self) -> &'a [u8] {
        self.0
    }

    /// How many entries it has.
    pub const fn len(self) -> usize {
        self.0.len() / ENTRY
    }

    /// Whether it has none.
    pub const fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The entries, the owner's first.
    pub fn iter(self) -> impl Iterator<Item = StatedPermission> + 'a {
        let (entries, _) = self.0.as_chunks::<ENTRY>();
        entries.iter().filter_map(|&[letter, flags, low, high]| {
            let permission = Permission {
                domain: DomId::new(u16::from_le_bytes([low, high])),
                access: access(letter)?,
            };
            let validity = if flags & STALE == 0 {
                Validity::Valid
            } else {
                Validity::Stale
            };
            Some(StatedPermission {
                permission,
                validity,
            })
        })
    }
}

fn access(letter: u8) -> Option<Access> {
    match letter {
        b'n' => Some(Access::None),
        b'r' => Some(Access::Read),
        b'w' => Some(Access::Write),
        b'b' => Some(Access::Both),
        _ => None,
    }
}
