//! Records of our own, for what the format has no place for.

use alloc::vec::Vec;

use morgana_hal::DomId;

use crate::body::{Body, Fields};
use crate::{Descriptor, Flaw, Transaction};

/// Of the daemon as a whole.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OwnGlobal {
    /// How many changes the tree has seen.
    pub changes: u64,
    /// What its owner makes of it.
    pub flags: u32,
    /// The locked file with the process's id.
    pub pid_file: Descriptor,
}

/// Of a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OwnConnection {
    /// Which one.
    pub connection: u32,
    /// The id of its last transaction.
    pub last_transaction: u32,
    /// What its owner makes of it.
    pub flags: u32,
}

/// Of a domain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OwnDomain {
    /// Which one.
    pub domain: DomId,
    /// What its owner makes of it.
    pub flags: u16,
}

/// Of a transaction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OwnTransaction {
    /// Which one.
    pub transaction: Transaction,
    /// What its owner makes of it.
    pub flags: u32,
}

impl OwnGlobal {
    pub(crate) fn parse(body: &mut Body<'_>) -> Result<Self, Flaw> {
        Ok(Self {
            changes: body.u64()?,
            flags: body.u32()?,
            pid_file: Descriptor(body.i32()?),
        })
    }

    pub(crate) fn emit(self, out: &mut Vec<u8>) {
        out.put_u64(self.changes);
        out.put_u32(self.flags);
        out.put_u32(self.pid_file.0.cast_unsigned());
    }
}

impl OwnConnection {
    pub(crate) fn parse(body: &mut Body<'_>) -> Result<Self, Flaw> {
        Ok(Self {
            connection: body.u32()?,
            last_transaction: body.u32()?,
            flags: body.u32()?,
        })
    }

    pub(crate) fn emit(self, out: &mut Vec<u8>) {
        out.put_u32(self.connection);
        out.put_u32(self.last_transaction);
        out.put_u32(self.flags);
    }
}

impl OwnDomain {
    pub(crate) fn parse(body: &mut Body<'_>) -> Result<Self, Flaw> {
        Ok(Self {
            domain: DomId::new(body.u16()?),
            flags: body.u16()?,
        })
    }

    pub(crate) fn emit(self, out: &mut Vec<u8>) {
        out.put_u16(self.domain.number());
        out.put_u16(self.flags);
    }
}

impl OwnTransaction {
    pub(crate) fn parse(body: &mut Body<'_>) -> Result<Self, Flaw> {
        let (connection, id) = (body.u32()?, body.u32()?);
        Ok(Self {
            transaction: Transaction { connection, id },
            flags: body.u32()?,
        })
    }

    pub(crate) fn emit(self, out: &mut Vec<u8>) {
        out.put_u32(self.transaction.connection);
        out.put_u32(self.transaction.id);
        out.put_u32(self.flags);
    }
}
