//! `CONNECTION_DATA`.

use alloc::vec::Vec;
use core::fmt;

use morgana_hal::{DomId, Port};

use crate::body::{Body, Fields, long, short};
use crate::{Flaw, TooLong};

/// A file descriptor of the process, which the next program finds under the same number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Descriptor(pub i32);

impl Descriptor {
    /// There is no such file.
    pub const NONE: Self = Self(-1);
}

impl fmt::Display for Descriptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "descriptor {}", self.0)
    }
}

/// A client, and what is under way to it and from it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Connection<'a> {
    /// What other records know it by; not 0.
    pub id: u32,
    /// How it is reached.
    pub place: Place,
    /// What was read and not handled: requests, of which the last may be unfinished.
    pub input: &'a [u8],
    /// What waits to be sent: packets, of which the first may have been sent in part.
    pub output: &'a [u8],
    /// How much of the output is the rest of a packet whose beginning was sent; 0 if none was.
    pub partial: u16,
    /// What tells a domain from others that have had its number, if that is known.
    pub unique: Option<u64>,
}

/// How a client is reached.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// By its ring, in the page of its grant 1.
    Ring {
        /// Whose ring it is.
        domain: DomId,
        /// The domain that it acts for, too (`SET_TARGET`).
        target: Option<DomId>,
        /// xenstored's own end of the event channel.
        port: Port,
    },
    /// By a socket.
    Socket(Descriptor),
}

const RING: u16 = 0;
const SOCKET: u16 = 1;

/// In the field `fields`: a unique id follows.
const UNIQUE: u16 = 1;

/// `DOMID_INVALID` of xen.h.
const NO_DOMAIN: u16 = 0x7FF4;

/// The length of all that comes before the data.
const HEAD: usize = 24;

impl<'a> Connection<'a> {
    pub(crate) fn parse(body: &mut Body<'a>) -> Result<Self, Flaw> {
        let id = body.u32()?;
        if id == 0 {
            return Err(Flaw::ConnectionId);
        }
        let (kind, fields) = (body.u16()?, body.u16()?);
        let place = Place::parse(kind, body)?;
        let (input, partial, output) = (body.u16()?, body.u16()?, body.u32()?);
        if u32::from(partial) > output {
            return Err(Flaw::PartialReply);
        }
        let input = body.bytes(input.into())?;
        let output = body.bytes(usize::try_from(output).map_err(|_| Flaw::Short)?)?;
        let unique = if fields & UNIQUE == 0 {
            None
        } else {
            body.bytes(padding(HEAD + input.len() + output.len()))?;
            Some(body.u64()?)
        };
        Ok(Self {
            id,
            place,
            input,
            output,
            partial,
            unique,
        })
    }

    pub(crate) fn emit(&self, out: &mut Vec<u8>) -> Result<(), TooLong> {
        let begin = out.len();
        out.put_u32(self.id);
        let kind = match self.place {
            Place::Ring { .. } => RING,
            Place::Socket(_) => SOCKET,
        };
        out.put_u16(kind);
        out.put_u16(if self.unique.is_some() { UNIQUE } else { 0 });
        self.place.emit(out);
        out.put_u16(short(self.input.len())?);
        out.put_u16(self.partial);
        out.put_u32(long(self.output.len())?);
        out.extend_from_slice(self.input);
        out.extend_from_slice(self.output);
        if let Some(unique) = self.unique {
            let len = out.len() - begin;
            out.resize(out.len() + padding(len), 0);
            out.put_u64(unique);
        }
        Ok(())
    }
}

impl Place {
    fn parse(kind: u16, body: &mut Body<'_>) -> Result<Self, Flaw> {
        match kind {
            RING => {
                let (domain, target) = (body.u16()?, body.u16()?);
                Ok(Self::Ring {
                    domain: DomId::new(domain),
                    target: (target != NO_DOMAIN).then_some(DomId::new(target)),
                    port: Port::new(body.u32()?),
                })
            }
            SOCKET => {
                let socket = Descriptor(body.i32()?);
                body.u32()?;
                Ok(Self::Socket(socket))
            }
            other => Err(Flaw::ConnectionType(other)),
        }
    }

    fn emit(self, out: &mut Vec<u8>) {
        match self {
            Self::Ring {
                domain,
                target,
                port,
            } => {
                out.put_u16(domain.number());
                out.put_u16(target.map_or(NO_DOMAIN, DomId::number));
                out.put_u32(port.number());
            }
            Self::Socket(descriptor) => {
                out.put_u32(descriptor.0.cast_unsigned());
                out.put_u32(0);
            }
        }
    }
}

/// How many bytes make a length a multiple of 8.
pub(crate) const fn padding(len: usize) -> usize {
    len.wrapping_neg() % 8
}
