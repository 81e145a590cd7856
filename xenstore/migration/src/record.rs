//! The records there are.

use alloc::vec::Vec;

use crate::body::{Body, Fields, long};
use crate::connection::padding;
use crate::{
    Connection, Descriptor, DomainData, Flaw, Node, OwnConnection, OwnDomain, OwnEvent, OwnGlobal,
    OwnTransaction, Quotas, TooLong, Watch,
};

/// One record, without the end of the stream, which is none here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Record<'a> {
    /// `GLOBAL_DATA`.
    Global(Global),
    /// `CONNECTION_DATA`.
    Connection(Connection<'a>),
    /// `WATCH_DATA`, or `WATCH_DATA_EXTENDED` if the watch has a depth.
    Watch(Watch<'a>),
    /// `TRANSACTION_DATA`.
    Transaction(Transaction),
    /// `NODE_DATA`.
    Node(Node<'a>),
    /// `GLOBAL_QUOTA_DATA`.
    Quotas(Quotas<'a>),
    /// `DOMAIN_DATA`.
    Domain(DomainData<'a>),
    /// What is left of our daemon's own state.
    OwnGlobal(OwnGlobal),
    /// What is left of a connection.
    OwnConnection(OwnConnection),
    /// What is left of a domain.
    OwnDomain(OwnDomain),
    /// What is left of a transaction.
    OwnTransaction(OwnTransaction),
    /// A node that a transaction has looked at; `access` says how.
    Note(Node<'a>),
    /// Something that a transaction has changed; `access` says how.
    Step(Node<'a>),
    /// A watch that its client has taken back; in journals only, as is the next.
    Unwatch(Watch<'a>),
    /// Something that has happened to a domain.
    Event(OwnEvent),
    /// A record of a type that is not known here.
    Unknown(u32),
}

/// What the daemon as a whole has open.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Global {
    /// The socket at which local clients come.
    pub socket: Descriptor,
    /// The event channel device.
    pub events: Descriptor,
}

/// A transaction that is open.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Transaction {
    /// Whose it is.
    pub connection: u32,
    /// What the client knows it by.
    pub id: u32,
}

pub(crate) const END: u32 = 0;
const GLOBAL: u32 = 1;
const CONNECTION: u32 = 2;
const WATCH: u32 = 3;
const TRANSACTION: u32 = 4;
const NODE: u32 = 5;
const QUOTAS: u32 = 6;
const DOMAIN: u32 = 7;
const WATCH_EXTENDED: u32 = 8;
const OWN_GLOBAL: u32 = 0x4D4F_0001;
const OWN_CONNECTION: u32 = 0x4D4F_0002;
const OWN_DOMAIN: u32 = 0x4D4F_0003;
const OWN_TRANSACTION: u32 = 0x4D4F_0004;
const NOTE: u32 = 0x4D4F_0005;
const STEP: u32 = 0x4D4F_0006;
const UNWATCH: u32 = 0x4D4F_0007;
const EVENT: u32 = 0x4D4F_0008;

impl<'a> Record<'a> {
    pub(crate) fn parse(kind: u32, version: u32, body: &'a [u8]) -> Result<Self, Flaw> {
        let body = &mut Body::new(body);
        Ok(match kind {
            GLOBAL => Self::Global(Global::parse(body)?),
            CONNECTION => Self::Connection(Connection::parse(body)?),
            WATCH => Self::Watch(Watch::parse(body)?),
            WATCH_EXTENDED => Self::Watch(Watch::parse_extended(body)?),
            TRANSACTION => Self::Transaction(Transaction::parse(body)?),
            NODE => Self::Node(Node::parse(body)?),
            QUOTAS => Self::Quotas(Quotas::parse(body)?),
            DOMAIN => Self::Domain(DomainData::parse(body, version)?),
            OWN_GLOBAL => Self::OwnGlobal(OwnGlobal::parse(body)?),
            OWN_CONNECTION => Self::OwnConnection(OwnConnection::parse(body)?),
            OWN_DOMAIN => Self::OwnDomain(OwnDomain::parse(body)?),
            OWN_TRANSACTION => Self::OwnTransaction(OwnTransaction::parse(body)?),
            NOTE => Self::Note(Node::parse(body)?),
            STEP => Self::Step(Node::parse(body)?),
            UNWATCH => Self::Unwatch(Watch::parse_extended(body)?),
            EVENT => Self::Event(OwnEvent::parse(body)?),
            other => Self::Unknown(other),
        })
    }

    /// Appends the record: its type, its length and its body.
    ///
    /// # Errors
    ///
    /// [`TooLong`]; nothing is appended then.
    pub(crate) fn append(&self, out: &mut Vec<u8>) -> Result<(), TooLong> {
        let begin = out.len();
        out.put_u64(0);
        let body = out.len();
        let written = self.emit(out).and_then(|kind| {
            let len = out.len() - body;
            out.resize(out.len() + padding(len), 0);
            Ok((kind, long(out.len() - body)?))
        });
        let (kind, len) = match written {
            Ok(written) => written,
            Err(error) => {
                out.truncate(begin);
                return Err(error);
            }
        };
        out[begin..begin + 4].copy_from_slice(&kind.to_le_bytes());
        out[begin + 4..body].copy_from_slice(&len.to_le_bytes());
        Ok(())
    }

    /// Appends the body, and returns the type.
    fn emit(&self, out: &mut Vec<u8>) -> Result<u32, TooLong> {
        Ok(match self {
            Self::Global(global) => {
                out.put_u32(global.socket.0.cast_unsigned());
                out.put_u32(global.events.0.cast_unsigned());
                GLOBAL
            }
            Self::Connection(connection) => {
                connection.emit(out)?;
                CONNECTION
            }
            Self::Watch(watch) => {
                watch.emit(out)?;
                match watch.depth {
                    None => WATCH,
                    Some(_) => WATCH_EXTENDED,
                }
            }
            Self::Transaction(transaction) => {
                out.put_u32(transaction.connection);
                out.put_u32(transaction.id);
                TRANSACTION
            }
            Self::Node(node) => {
                node.emit(out)?;
                NODE
            }
            Self::Quotas(quotas) => {
                quotas.emit(out)?;
                QUOTAS
            }
            Self::Domain(domain) => {
                domain.emit(out)?;
                DOMAIN
            }
            Self::OwnGlobal(own) => {
                own.emit(out);
                OWN_GLOBAL
            }
            Self::OwnConnection(own) => {
                own.emit(out);
                OWN_CONNECTION
            }
            Self::OwnDomain(own) => {
                own.emit(out);
                OWN_DOMAIN
            }
            Self::OwnTransaction(own) => {
                own.emit(out);
                OWN_TRANSACTION
            }
            Self::Note(node) => {
                node.emit(out)?;
                NOTE
            }
            Self::Step(node) => {
                node.emit(out)?;
                STEP
            }
            Self::Unwatch(watch) => {
                watch.emit_extended(out)?;
                UNWATCH
            }
            Self::Event(event) => {
                event.emit(out);
                EVENT
            }
            Self::Unknown(kind) => *kind,
        })
    }
}

impl Global {
    fn parse(body: &mut Body<'_>) -> Result<Self, Flaw> {
        Ok(Self {
            socket: Descriptor(body.i32()?),
            events: Descriptor(body.i32()?),
        })
    }
}

impl Transaction {
    fn parse(body: &mut Body<'_>) -> Result<Self, Flaw> {
        Ok(Self {
            connection: body.u32()?,
            id: body.u32()?,
        })
    }
}
