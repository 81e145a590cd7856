//! `GLOBAL_QUOTA_DATA` and `DOMAIN_DATA`.

use alloc::vec::Vec;

use morgana_hal::DomId;

use crate::body::{Body, Fields, short};
use crate::{Flaw, TooLong};

const VALUE: usize = 4;

/// Limits, by name; 0 is no limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Quotas<'a> {
    /// So many of them are for each domain, the rest for all together.
    of_domains: u16,
    values: &'a [u8],
    /// Each with its NUL.
    names: &'a [u8],
}

/// Memory for limits that are to be written.
#[derive(Clone, Debug, Default)]
pub struct QuotaBytes {
    values: Vec<u8>,
    names: Vec<u8>,
}

/// What is set for one domain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DomainData<'a> {
    /// The domain.
    pub domain: DomId,
    /// What it is told that the daemon can do; a stream of version 1 does not say.
    pub features: Option<u32>,
    /// Its limits.
    pub quotas: Quotas<'a>,
}

impl QuotaBytes {
    /// These limits, each of which is for each domain.
    ///
    /// # Errors
    ///
    /// [`TooLong`] if there are more than 65,535.
    pub fn list<'b>(
        &mut self,
        limits: impl Iterator<Item = (&'b str, u32)>,
    ) -> Result<Quotas<'_>, TooLong> {
        self.values.clear();
        self.names.clear();
        for (name, value) in limits {
            self.values.put_u32(value);
            self.names.put_string(name);
        }
        Ok(Quotas {
            of_domains: short(self.values.len() / VALUE)?,
            values: &self.values,
            names: &self.names,
        })
    }
}

impl<'a> Quotas<'a> {
    pub(crate) fn parse(body: &mut Body<'a>) -> Result<Self, Flaw> {
        let (of_domains, of_all) = (body.u16()?, body.u16()?);
        let all = usize::from(of_domains) + usize::from(of_all);
        Self::parse_list(of_domains, all, body)
    }

    fn parse_list(of_domains: u16, all: usize, body: &mut Body<'a>) -> Result<Self, Flaw> {
        let values = body.bytes(all * VALUE)?;
        let mut names = body.rest();
        let mut end = 0;
        for _ in 0..all {
            let name = names.iter().position(|&byte| byte == 0);
            let name = name.ok_or(Flaw::Text)? + 1;
            core::str::from_utf8(&names[..name]).map_err(|_| Flaw::Text)?;
            names = &names[name..];
            end += name;
        }
        Ok(Self {
            of_domains,
            values,
            names: body.bytes(end)?,
        })
    }

    pub(crate) fn emit(self, out: &mut Vec<u8>) -> Result<(), TooLong> {
        let all = self.values.len() / VALUE;
        out.put_u16(self.of_domains);
        out.put_u16(short(all - usize::from(self.of_domains))?);
        out.extend_from_slice(self.values);
        out.extend_from_slice(self.names);
        Ok(())
    }

    /// The limits for each domain.
    pub fn iter(self) -> impl Iterator<Item = (&'a str, u32)> {
        let (values, _) = self.values.as_chunks::<VALUE>();
        let names = self.names.split(|&byte| byte == 0);
        names
            .zip(values)
            .take(self.of_domains.into())
            .filter_map(|(name, &value)| {
                let name = core::str::from_utf8(name).ok()?;
                Some((name, u32::from_le_bytes(value)))
            })
    }
}

impl<'a> DomainData<'a> {
    pub(crate) fn parse(body: &mut Body<'a>, version: u32) -> Result<Self, Flaw> {
        let (domain, quotas, features) = (body.u16()?, body.u16()?, body.u32()?);
        Ok(Self {
            domain: DomId::new(domain),
            features: (version > 1).then_some(features),
            quotas: Quotas::parse_list(quotas, quotas.into(), body)?,
        })
    }

    pub(crate) fn emit(&self, out: &mut Vec<u8>) -> Result<(), TooLong> {
        out.put_u16(self.domain.number());
        out.put_u16(self.quotas.of_domains);
        out.put_u32(self.features.unwrap_or(0));
        out.extend_from_slice(self.quotas.values);
        out.extend_from_slice(self.quotas.names);
        Ok(())
    }
}
