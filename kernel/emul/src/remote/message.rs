//! What is said over the socket.

use core::fmt;

use morgana_hal::{DomId, EventError, GrantRef, MemoryError, Port, Usage, Virq};

use super::codec::{Reader, Writer};
use crate::grants::Access;
use crate::mappings::Handle;

/// Bytes in the longest message.
pub(crate) const MAX_MESSAGE: usize = 64 * 1024;
/// How many grants or handles one message names.
pub(crate) const MAX_GRANTS: usize = 4096;
/// What this module's messages look like; both ends must have the same.
pub(crate) const VERSION: u32 = 1;

/// How a domain's process broke the rules of its socket. Its domain has ended by that.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Breach {
    /// A message over 64 KiB.
    TooLong,
    /// There is no such request.
    UnknownRequest,
    /// The request is shorter or longer than it should be, or names what cannot be.
    Malformed,
    /// More than 4,096 grants or handles in one message.
    TooMany,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLong => "the domain's process sent a message over 64 KiB",
            Self::UnknownRequest => "the domain's process sent an unknown request",
            Self::Malformed => "the domain's process sent a malformed request",
            Self::TooMany => "the domain's process named more than 4,096 pages at once",
        })
    }
}

impl core::error::Error for Breach {}

/// A hypercall.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Request<'a> {
    Share {
        peer: DomId,
        count: u32,
        access: Access,
    },
    EndSharing(Vec<GrantRef>),
    Map {
        peer: DomId,
        grants: Vec<GrantRef>,
    },
    Unmap(Vec<Handle>),
    CopyFrom {
        peer: DomId,
        grant: GrantRef,
        offset: u16,
        len: u16,
    },
    CopyTo {
        peer: DomId,
        grant: GrantRef,
        offset: u16,
        from: &'a [u8],
    },
    Listen(DomId),
    Connect(DomId, Port),
    BindVirq(Virq),
    /// The only one without a reply.
    Notify(Port),
    Close(Port),
    Usage,
    DeliverLate,
}

impl<'a> Request<'a> {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let message = match *self {
            Self::Share {
                peer,
                count,
                access,
            } => Writer::new(1)
                .u16(peer.number())
                .u32(count)
                .u8(u8::from(access == Access::ReadWrite)),
            Self::EndSharing(ref grants) => with_grants(Writer::new(2), grants),
            Self::Map { peer, ref grants } => {
                with_grants(Writer::new(3).u16(peer.number()), grants)
            }
            Self::Unmap(ref handles) => {
                let message = Writer::new(4);
                let handles = handles.iter();
                handles.fold(message, |message, handle| message.u64(handle.number()))
            }
            Self::CopyFrom {
                peer,
                grant,
                offset,
                len,
            } => Writer::new(5)
                .u16(peer.number())
                .u32(grant.number())
                .u16(offset)
                .u16(len),
            Self::CopyTo {
                peer,
                grant,
                offset,
                from,
            } => Writer::new(6)
                .u16(peer.number())
                .u32(grant.number())
                .u16(offset)
                .bytes(from),
            Self::Listen(peer) => Writer::new(7).u16(peer.number()),
            Self::Connect(peer, remote) => Writer::new(8).u16(peer.number()).u32(remote.number()),
            Self::BindVirq(virq) => Writer::new(9).u32(virq as u32),
            Self::Notify(port) => Writer::new(10).u32(port.number()),
            Self::Close(port) => Writer::new(11).u32(port.number()),
            Self::Usage => Writer::new(12),
            Self::DeliverLate => Writer::new(13),
        };
        message.finish()
    }

    /// Reads what somebody sent.
    pub(crate) fn decode(message: &'a [u8]) -> Result<Self, Breach> {
        let mut reader = Reader::new(message);
        let kind = reader.u8().ok_or(Breach::Malformed)?;
        if !(1..=13).contains(&kind) {
            return Err(Breach::UnknownRequest);
        }
        let request = Self::parse(kind, &mut reader).ok_or(Breach::Malformed)?;
        if !reader.is_empty() {
            return Err(Breach::Malformed);
        }
        match &request {
            Self::EndSharing(grants) | Self::Map { grants, .. } if grants.len() > MAX_GRANTS => {
                Err(Breach::TooMany)
            }
            Self::Unmap(handles) if handles.len() > MAX_GRANTS => Err(Breach::TooMany),
            _ => Ok(request),
        }
    }

    fn parse(kind: u8, reader: &mut Reader<'a>) -> Option<Self> {
        Some(match kind {
            1 => Self::Share {
                peer: domain(reader)?,
                count: reader.u32()?,
                access: match reader.u8()? {
                    0 => Access::ReadOnly,
                    1 => Access::ReadWrite,
                    _ => return None,
                },
            },
            2 => Self::EndSharing(reader.all(grant)?),
            3 => Self::Map {
                peer: domain(reader)?,
                grants: reader.all(grant)?,
            },
            4 => Self::Unmap(reader.all(|reader| reader.u64().map(Handle::new))?),
            5 => Self::CopyFrom {
                peer: domain(reader)?,
                grant: grant(reader)?,
                offset: reader.u16()?,
                len: reader.u16()?,
            },
            6 => Self::CopyTo {
                peer: domain(reader)?,
                grant: grant(reader)?,
                offset: reader.u16()?,
                from: reader.rest(),
            },
            7 => Self::Listen(domain(reader)?),
            8 => Self::Connect(domain(reader)?, port(reader)?),
            9 => Self::BindVirq(virq(reader.u32()?)?),
            10 => Self::Notify(port(reader)?),
            11 => Self::Close(port(reader)?),
            12 => Self::Usage,
            13 => Self::DeliverLate,
            _ => return None,
        })
    }
}

/// The hypervisor's answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Reply {
    Done,
    Memory(MemoryError),
    Event(EventError),
    Shared {
        first: u32,
        grants: Vec<GrantRef>,
    },
    /// With the descriptor of the peer's memory, and where in it the pages are.
    Mapped(Vec<(Handle, u32)>),
    Bytes(Vec<u8>),
    Port(Port),
    Usage(Usage),
}

const MEMORY_ERRORS: [MemoryError; 6] = [
    MemoryError::OutOfMemory,
    MemoryError::NoFreeGrant,
    MemoryError::NoAddressSpace,
    MemoryError::BadGrant,
    MemoryError::OutOfPage,
    MemoryError::NoSuchDomain,
];
const EVENT_ERRORS: [EventError; 4] = [
    EventError::NoFreePort,
    EventError::NoSuchDomain,
    EventError::Refused,
    EventError::Denied,
];

impl Reply {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let message = match self {
            Self::Done => Writer::new(1),
            Self::Memory(error) => Writer::new(2).u8(index(&MEMORY_ERRORS, error)),
            Self::Event(error) => Writer::new(3).u8(index(&EVENT_ERRORS, error)),
            Self::Shared { first, grants } => with_grants(Writer::new(4).u32(*first), grants),
            Self::Mapped(pages) => pages
                .iter()
                .fold(Writer::new(5), |message, (handle, page)| {
                    message.u64(handle.number()).u32(*page)
                }),
            Self::Bytes(bytes) => Writer::new(6).bytes(bytes),
            Self::Port(port) => Writer::new(7).u32(port.number()),
            Self::Usage(usage) => figures(usage)
                .into_iter()
                .fold(Writer::new(8), |message, figure| message.u64(figure as u64)),
        };
        message.finish()
    }

    /// Reads what the hypervisor sent; `None` if that is nothing that this module sends.
    pub(crate) fn decode(message: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(message);
        let reader = &mut reader;
        let reply = match reader.u8()? {
            1 => Self::Done,
            2 => Self::Memory(*MEMORY_ERRORS.get(usize::from(reader.u8()?))?),
            3 => Self::Event(*EVENT_ERRORS.get(usize::from(reader.u8()?))?),
            4 => Self::Shared {
                first: reader.u32()?,
                grants: reader.all(grant)?,
            },
            5 => Self::Mapped(
                reader.all(|reader| Some((Handle::new(reader.u64()?), reader.u32()?)))?,
            ),
            6 => Self::Bytes(reader.rest().to_vec()),
            7 => Self::Port(port(reader)?),
            8 => {
                let mut figure = || usize::try_from(reader.u64()?).ok();
                Self::Usage(Usage {
                    grants_used: figure()?,
                    grants_total: figure()?,
                    quarantined_pages: figure()?,
                    ports_used: figure()?,
                    ports_total: figure()?,
                    ..Usage::default()
                })
            }
            _ => return None,
        };
        reader.is_empty().then_some(reply)
    }
}

/// The figures that the hypervisor knows; those of the heap are the process's own.
fn figures(usage: &Usage) -> [usize; 5] {
    [
        usage.grants_used,
        usage.grants_total,
        usage.quarantined_pages,
        usage.ports_used,
        usage.ports_total,
    ]
}

/// The first message, from the hypervisor, with three descriptors: the domain's memory, its event page, its eventfd.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Welcome {
    pub(crate) id: DomId,
    /// The machine's clock.
    pub(crate) now_ns: u64,
    pub(crate) pages: u32,
    /// The page and the port of its xenstore ring, if it has one.
    pub(crate) xenstore: Option<(u32, Port)>,
}

impl Welcome {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let message = Writer::new(0)
            .u32(VERSION)
            .u16(self.id.number())
            .u64(self.now_ns)
            .u32(self.pages);
        match self.xenstore {
            None => message.finish(),
            Some((page, port)) => message.u32(page).u32(port.number()).finish(),
        }
    }

    pub(crate) fn decode(message: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(message);
        if (reader.u8()?, reader.u32()?) != (0, VERSION) {
            return None;
        }
        let mut welcome = Self {
            id: domain(&mut reader)?,
            now_ns: reader.u64()?,
            pages: reader.u32()?,
            xenstore: None,
        };
        if !reader.is_empty() {
            welcome.xenstore = Some((reader.u32()?, port(&mut reader)?));
        }
        reader.is_empty().then_some(welcome)
    }
}

fn domain(reader: &mut Reader<'_>) -> Option<DomId> {
    reader.u16().map(DomId::new)
}

fn grant(reader: &mut Reader<'_>) -> Option<GrantRef> {
    reader.u32().map(GrantRef::new)
}

fn port(reader: &mut Reader<'_>) -> Option<Port> {
    reader.u32().map(Port::new)
}

fn virq(number: u32) -> Option<Virq> {
    let all = [
        Virq::Timer,
        Virq::Debug,
        Virq::DomainException,
        Virq::ConsoleRing,
    ];
    all.into_iter().find(|&virq| virq as u32 == number)
}

fn with_grants(message: Writer, grants: &[GrantRef]) -> Writer {
    let grants = grants.iter();
    grants.fold(message, |message, grant| message.u32(grant.number()))
}

fn index<T: PartialEq>(all: &[T], one: &T) -> u8 {
    // The lists are complete, and short.
    all.iter().position(|other| other == one).unwrap_or(0) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SplitMix64;

    #[test]
    fn requests_round_trip() {
        let (peer, grant, port) = (DomId::new(7), GrantRef::new(9), Port::new(11));
        let grants = vec![grant, GrantRef::new(u32::MAX)];
        for request in [
            Request::Share {
                peer,
                count: 3,
                access: Access::ReadOnly,
            },
            Request::EndSharing(grants.clone()),
            Request::Map { peer, grants },
            Request::Unmap(vec![Handle::new(5), Handle::new(u64::MAX)]),
            Request::CopyFrom {
                peer,
                grant,
                offset: 5,
                len: 4091,
            },
            Request::CopyTo {
                peer,
                grant,
                offset: 5,
                from: b"bytes",
            },
            Request::Listen(peer),
            Request::Connect(peer, port),
            Request::BindVirq(Virq::DomainException),
            Request::Notify(port),
            Request::Close(port),
            Request::Usage,
            Request::DeliverLate,
        ] {
            let message = request.encode();
            assert_eq!(Request::decode(&message).as_ref(), Ok(&request));
            // Nothing that is shorter is the same, and nothing longer unless it ends with a list or bytes.
            for len in 0..message.len() {
                assert_ne!(Request::decode(&message[..len]).as_ref(), Ok(&request));
            }
        }
    }

    #[test]
    fn replies_round_trip() {
        let mut replies = vec![
            Reply::Done,
            Reply::Shared {
                first: 8,
                grants: vec![GrantRef::new(9)],
            },
            Reply::Mapped(vec![(Handle::new(1), 2), (Handle::new(3), 4)]),
            Reply::Bytes(vec![1, 2, 3]),
            Reply::Port(Port::new(5)),
            Reply::Usage(Usage {
                grants_used: 1,
                grants_total: 2,
                quarantined_pages: 3,
                ports_used: 4,
                ports_total: 5,
                ..Usage::default()
            }),
        ];
        replies.extend(MEMORY_ERRORS.map(Reply::Memory));
        replies.extend(EVENT_ERRORS.map(Reply::Event));
        for reply in replies {
            assert_eq!(Reply::decode(&reply.encode()), Some(reply));
        }
        for xenstore in [None, Some((1, Port::new(2)))] {
            let welcome = Welcome {
                id: DomId::new(3),
                now_ns: 4,
                pages: 5,
                xenstore,
            };
            assert_eq!(Welcome::decode(&welcome.encode()), Some(welcome));
        }
    }

    #[test]
    fn any_bytes_are_a_request_or_a_breach() {
        let mut random = SplitMix64::new(4);
        for _ in 0..20_000 {
            let mut message = vec![0; random.below(40)];
            random.fill(&mut message);
            if let Some(kind) = message.first_mut() {
                *kind %= 16;
            }
            if let Ok(request) = Request::decode(&message) {
                assert_eq!(request.encode(), message);
            }
            let _ = (Reply::decode(&message), Welcome::decode(&message));
        }
        let many = vec![2; 1 + 4 * (MAX_GRANTS + 1)];
        assert_eq!(Request::decode(&many), Err(Breach::TooMany));
        assert_eq!(Request::decode(&[0]), Err(Breach::UnknownRequest));
        assert_eq!(Request::decode(&[]), Err(Breach::Malformed));
    }
}
