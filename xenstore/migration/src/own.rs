//! Records of our own, for what the format has no place for.

use alloc::vec::Vec;

use morgana_hal::{DomId, Port};

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
    /// Its own port, to which xenstored connects; 0 if it is not known, as in older streams.
    pub port: Port,
}

/// Something that has happened to a domain, in a journal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OwnEvent {
    /// Which one.
    pub domain: DomId,
    /// What its owner makes of it.
    pub what: u16,
    /// The same.
    pub number: u32,
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
            // Where it is missing there is nothing, or padding.
            port: Port::new(body.u32().unwrap_or(0)),
        })
    }

    pub(crate) fn emit(self, out: &mut Vec<u8>) {
        out.put_u16(self.domain.number());
        out.put_u16(self.flags);
        out.put_u32(self.port.number());
    }
}

impl OwnEvent {
    pub(crate) fn parse(body: &mut Body<'_>) -> Result<Self, Flaw> {
        Ok(Self {
            domain: DomId::new(body.u16()?),
            what: body.u16()?,
            number: body.u32()?,
        })
    }

    pub(crate) fn emit(self, out: &mut Vec<u8>) {
        out.put_u16(self.domain.number());
        out.put_u16(self.what);
        out.put_u32(self.number);
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
