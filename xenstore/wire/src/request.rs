//! Requests, from both sides: a client encodes them, a server parses them.

use alloc::vec::Vec;

use morgana_hal::DomId;

use crate::encode::{self, PayloadTooLong};
use crate::{Fields, Malformed, Operation, RequestId, TransactionId};

/// How a transaction ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Commit {
    /// Its changes become visible, if nobody else's got in the way (`T`).
    Yes,
    /// They are forgotten (`F`).
    No,
}

/// One request. Texts have no NUL; paths are as sent, not yet checked against [`Path`](crate::Path)'s rules.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(
    missing_docs,
    reason = "the fields are what docs/misc/xenstore.txt names so"
)]
pub enum Request<'a> {
    /// [`Operation::Control`]; the payload is the daemon's own affair.
    Control { payload: &'a [u8] },
    /// [`Operation::Directory`].
    Directory { path: &'a str },
    /// [`Operation::DirectoryPart`]; `offset` counts bytes of the whole list.
    DirectoryPart { path: &'a str, offset: u32 },
    /// [`Operation::Read`].
    Read { path: &'a str },
    /// [`Operation::GetPerms`].
    GetPerms { path: &'a str },
    /// [`Operation::SetPerms`]; a list that [`Permission::parse`](crate::Permission::parse) takes apart.
    SetPerms {
        path: &'a str,
        permissions: &'a [u8],
    },
    /// [`Operation::Watch`]; `depth` limits how far below the path changes count (new servers only).
    Watch {
        path: &'a str,
        token: &'a str,
        depth: Option<u32>,
    },
    /// [`Operation::Unwatch`].
    Unwatch { path: &'a str, token: &'a str },
    /// [`Operation::TransactionStart`].
    TransactionStart,
    /// [`Operation::TransactionEnd`].
    TransactionEnd { commit: Commit },
    /// [`Operation::Introduce`]; `frame` is the domain's xenstore page, `port` the domain's own.
    Introduce {
        domain: DomId,
        frame: u64,
        port: u32,
    },
    /// [`Operation::Release`].
    Release { domain: DomId },
    /// [`Operation::GetDomainPath`].
    GetDomainPath { domain: DomId },
    /// [`Operation::Write`].
    Write { path: &'a str, value: &'a [u8] },
    /// [`Operation::Mkdir`].
    Mkdir { path: &'a str },
    /// [`Operation::Rm`].
    Rm { path: &'a str },
    /// [`Operation::IsDomainIntroduced`].
    IsDomainIntroduced { domain: DomId },
    /// [`Operation::Resume`].
    Resume { domain: DomId },
    /// [`Operation::SetTarget`].
    SetTarget { domain: DomId, target: DomId },
    /// [`Operation::ResetWatches`].
    ResetWatches,
    /// [`Operation::GetFeature`]: the server's own, or what it shows a domain.
    GetFeature { domain: Option<DomId> },
    /// [`Operation::SetFeature`].
    SetFeature { domain: DomId, features: u32 },
    /// [`Operation::GetQuota`] without arguments: the names of all quota.
    GetQuotaNames,
    /// [`Operation::GetQuota`]: the default, or the value for a domain.
    GetQuota {
        domain: Option<DomId>,
        quota: &'a str,
    },
    /// [`Operation::SetQuota`]: the default, or that of a domain.
    SetQuota {
        domain: Option<DomId>,
        quota: &'a str,
        value: u32,
    },
}

impl<'a> Request<'a> {
    /// The operation that it asks for.
    pub const fn operation(&self) -> Operation {
        match self {
            Self::Control { .. } => Operation::Control,
            Self::Directory { .. } => Operation::Directory,
            Self::DirectoryPart { .. } => Operation::DirectoryPart,
            Self::Read { .. } => Operation::Read,
            Self::GetPerms { .. } => Operation::GetPerms,
            Self::SetPerms { .. } => Operation::SetPerms,
            Self::Watch { .. } => Operation::Watch,
            Self::Unwatch { .. } => Operation::Unwatch,
            Self::TransactionStart => Operation::TransactionStart,
            Self::TransactionEnd { .. } => Operation::TransactionEnd,
            Self::Introduce { .. } => Operation::Introduce,
            Self::Release { .. } => Operation::Release,
            Self::GetDomainPath { .. } => Operation::GetDomainPath,
            Self::Write { .. } => Operation::Write,
            Self::Mkdir { .. } => Operation::Mkdir,
            Self::Rm { .. } => Operation::Rm,
            Self::IsDomainIntroduced { .. } => Operation::IsDomainIntroduced,
            Self::Resume { .. } => Operation::Resume,
            Self::SetTarget { .. } => Operation::SetTarget,
            Self::ResetWatches => Operation::ResetWatches,
            Self::GetFeature { .. } => Operation::GetFeature,
            Self::SetFeature { .. } => Operation::SetFeature,
            Self::GetQuotaNames | Self::GetQuota { .. } => Operation::GetQuota,
            Self::SetQuota { .. } => Operation::SetQuota,
        }
    }

    /// Appends the whole packet to `out`.
    ///
    /// # Errors
    ///
    /// [`PayloadTooLong`]; `out` is as before then.
    pub fn encode(
        &self,
        request: RequestId,
        transaction: TransactionId,
        out: &mut Vec<u8>,
    ) -> Result<(), PayloadTooLong> {
        let code = self.operation().code();
        encode::encode(code, request, transaction, out, |out| self.emit(out))
    }

    /// Appends the payload.
    fn emit(&self, out: &mut Vec<u8>) {
        use encode::put;
        match *self {
            Self::Control { payload } => out.extend_from_slice(payload),
            Self::Directory { path }
            | Self::Read { path }
            | Self::GetPerms { path }
            | Self::Mkdir { path }
            | Self::Rm { path } => put(out, path),
            Self::DirectoryPart { path, offset } => {
                put(out, path);
                put(out, offset);
            }
            Self::SetPerms { path, permissions } => {
                put(out, path);
                out.extend_from_slice(permissions);
            }
            Self::Watch { path, token, depth } => {
                put(out, path);
                put(out, token);
                if let Some(depth) = depth {
                    put(out, depth);
                }
            }
            Self::Unwatch { path, token } => {
                put(out, path);
                put(out, token);
            }
            Self::TransactionStart | Self::ResetWatches => out.push(0),
            Self::GetQuotaNames => {}
            Self::TransactionEnd {
                commit: Commit::Yes,
            } => put(out, 'T'),
            Self::TransactionEnd { commit: Commit::No } => put(out, 'F'),
            Self::Introduce {
                domain,
                frame,
                port,
            } => {
                put(out, domain.number());
                put(out, frame);
                put(out, port);
            }
            Self::Release { domain }
            | Self::GetDomainPath { domain }
            | Self::IsDomainIntroduced { domain }
            | Self::Resume { domain } => put(out, domain.number()),
            Self::Write { path, value } => {
                put(out, path);
                out.extend_from_slice(value);
            }
            Self::SetTarget { domain, target } => {
                put(out, domain.number());
                put(out, target.number());
            }
            Self::GetFeature { domain } => put_domain(out, domain),
            Self::SetFeature { domain, features } => {
                put(out, domain.number());
                put(out, features);
            }
            Self::GetQuota { domain, quota } => {
                put_domain(out, domain);
                put(out, quota);
            }
            Self::SetQuota {
                domain,
                quota,
                value,
            } => {
                put_domain(out, domain);
                put(out, quota);
                put(out, value);
            }
        }
    }

    /// Reads the payload of a request.
    ///
    /// # Errors
    ///
    /// [`Malformed`], also for operations that only a server sends.
    pub fn parse(operation: Operation, payload: &'a [u8]) -> Result<Self, Malformed> {
        let mut fields = Fields::new(payload);
        let request = match operation {
            // These end in bytes of any kind.
            Operation::Control => return Ok(Self::Control { payload }),
            Operation::Write => {
                let path = fields.string()?;
                let value = fields.rest();
                return Ok(Self::Write { path, value });
            }
            Operation::SetPerms => {
                let path = fields.string()?;
                let permissions = fields.rest();
                return Ok(Self::SetPerms { path, permissions });
            }
            Operation::WatchEvent | Operation::Error => return Err(Malformed),
            Operation::Directory => Self::Directory {
                path: fields.string()?,
            },
            Operation::DirectoryPart => Self::DirectoryPart {
                path: fields.string()?,
                offset: fields.number()?,
            },
            Operation::Read => Self::Read {
                path: fields.string()?,
            },
            Operation::GetPerms => Self::GetPerms {
                path: fields.string()?,
            },
            Operation::Watch => Self::Watch {
                path: fields.string()?,
                token: fields.string()?,
                depth: optional_number(&mut fields)?,
            },
            Operation::Unwatch => Self::Unwatch {
                path: fields.string()?,
                token: fields.string()?,
            },
            Operation::TransactionStart | Operation::ResetWatches => {
                if !payload.is_empty() && !fields.bytes()?.is_empty() {
                    return Err(Malformed);
                }
                match operation {
                    Operation::ResetWatches => Self::ResetWatches,
                    _ => Self::TransactionStart,
                }
            }
            Operation::TransactionEnd => Self::TransactionEnd {
                commit: match fields.bytes()? {
                    b"T" => Commit::Yes,
                    b"F" => Commit::No,
                    _ => return Err(Malformed),
                },
            },
            Operation::Introduce => Self::Introduce {
                domain: domain(&mut fields)?,
                frame: frame(&mut fields)?,
                port: fields.number()?,
            },
            Operation::Release => Self::Release {
                domain: domain(&mut fields)?,
            },
            Operation::GetDomainPath => Self::GetDomainPath {
                domain: domain(&mut fields)?,
            },
            Operation::Mkdir => Self::Mkdir {
                path: fields.string()?,
            },
            Operation::Rm => Self::Rm {
                path: fields.string()?,
            },
            Operation::IsDomainIntroduced => Self::IsDomainIntroduced {
                domain: domain(&mut fields)?,
            },
            Operation::Resume => Self::Resume {
                domain: domain(&mut fields)?,
            },
            Operation::SetTarget => Self::SetTarget {
                domain: domain(&mut fields)?,
                target: domain(&mut fields)?,
            },
            Operation::GetFeature => Self::GetFeature {
                domain: optional_number(&mut fields)?.map(DomId::new),
            },
            Operation::SetFeature => Self::SetFeature {
                domain: domain(&mut fields)?,
                features: fields.number()?,
            },
            Operation::GetQuota => Self::parse_get_quota(&mut fields)?,
            Operation::SetQuota => Self::parse_set_quota(&mut fields)?,
        };
        fields.end()?;
        Ok(request)
    }

    fn parse_get_quota(fields: &mut Fields<'a>) -> Result<Self, Malformed> {
        let domain = match strings(fields) {
            0 => return Ok(Self::GetQuotaNames),
            1 => None,
            _ => Some(domain(fields)?),
        };
        let quota = fields.string()?;
        Ok(Self::GetQuota { domain, quota })
    }

    fn parse_set_quota(fields: &mut Fields<'a>) -> Result<Self, Malformed> {
        let domain = match strings(fields) {
            0..=2 => None,
            _ => Some(domain(fields)?),
        };
        Ok(Self::SetQuota {
            domain,
            quota: fields.string()?,
            value: fields.number()?,
        })
    }
}

/// How many strings are left.
fn strings(fields: &Fields<'_>) -> usize {
    fields.rest().iter().filter(|&&byte| byte == 0).count()
}

fn domain(fields: &mut Fields<'_>) -> Result<DomId, Malformed> {
    fields.number().map(DomId::new)
}

/// A frame's number; docs/misc/xenstore.txt has it signed.
fn frame(fields: &mut Fields<'_>) -> Result<u64, Malformed> {
    let text = fields.string()?;
    let digits = text.strip_prefix('-').unwrap_or(text);
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Malformed);
    }
    let parsed = if digits.len() < text.len() {
        text.parse::<i64>().map(i64::cast_unsigned)
    } else {
        text.parse()
    };
    parsed.map_err(|_| Malformed)
}

fn optional_number<N: core::str::FromStr>(fields: &mut Fields<'_>) -> Result<Option<N>, Malformed> {
    if fields.is_empty() {
        return Ok(None);
    }
    fields.number().map(Some)
}

fn put_domain(out: &mut Vec<u8>, domain: Option<DomId>) {
    if let Some(domain) = domain {
        encode::put(out, domain.number());
    }
}

#[cfg(test)]
mod tests;
