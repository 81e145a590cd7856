//! `NODE_DATA`, and our own records of the same layout.

use alloc::vec::Vec;

use crate::body::{Body, Fields, short};
use crate::permissions::ENTRY;
use crate::{Flaw, Permissions, TooLong, Transaction};

/// A node: of the main tree, or as a transaction has it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Node<'a> {
    /// Which tree it is of.
    pub scope: Scope,
    /// Its absolute path, or the name of a special event.
    pub path: &'a str,
    /// Its value; empty for one that a transaction has removed.
    pub value: &'a [u8],
    /// What a transaction has done with it.
    pub access: u16,
    /// Its permissions; none for one that a transaction has removed.
    pub permissions: Permissions<'a>,
}

/// Which tree a node is of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    /// The one that all see.
    Main,
    /// That of a transaction.
    Transaction(Transaction),
}

impl Node<'_> {
    /// In `access`: the transaction has read it.
    pub const READ: u16 = 1;
    /// In `access`: the transaction has written it.
    pub const WRITTEN: u16 = 2;
}

impl<'a> Node<'a> {
    pub(crate) fn parse(body: &mut Body<'a>) -> Result<Self, Flaw> {
        let (connection, id) = (body.u32()?, body.u32()?);
        let (path, value) = (body.u16()?, body.u16()?);
        let (access, permissions) = (body.u16()?, body.u16()?);
        let scope = match connection {
            0 => Scope::Main,
            _ => Scope::Transaction(Transaction { connection, id }),
        };
        let permissions = body.bytes(usize::from(permissions) * ENTRY)?;
        Ok(Self {
            scope,
            permissions: Permissions::parse(permissions)?,
            path: body.string(path)?,
            value: body.bytes(value.into())?,
            access,
        })
    }

    pub(crate) fn emit(&self, out: &mut Vec<u8>) -> Result<(), TooLong> {
        let of = match self.scope {
            Scope::Main => Transaction {
                connection: 0,
                id: 0,
            },
            Scope::Transaction(transaction) => transaction,
        };
        out.put_u32(of.connection);
        out.put_u32(of.id);
        out.put_u16(short(self.path.len() + 1)?);
        out.put_u16(short(self.value.len())?);
        out.put_u16(self.access);
        out.put_u16(short(self.permissions.len())?);
        out.extend_from_slice(self.permissions.bytes());
        out.put_string(self.path);
        out.extend_from_slice(self.value);
        Ok(())
    }
}
