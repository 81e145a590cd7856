//! `WATCH_DATA` and `WATCH_DATA_EXTENDED`.

use alloc::vec::Vec;

use crate::body::{Body, Fields, short};
use crate::{Flaw, TooLong};

/// A watch that a client has set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Watch<'a> {
    /// Whose it is.
    pub connection: u32,
    /// The path, as the client wrote it.
    pub path: &'a str,
    /// What it is told with each event.
    pub token: &'a str,
    /// How many levels below the path count; `None` is all. 0xffff cannot be told from it, and is all.
    pub depth: Option<u16>,
}

/// In the field `depth`: all levels.
const ALL: u16 = 0xFFFF;

impl<'a> Watch<'a> {
    pub(crate) fn parse(body: &mut Body<'a>) -> Result<Self, Flaw> {
        Self::parse_with(body, |_| Ok(None))
    }

    pub(crate) fn parse_extended(body: &mut Body<'a>) -> Result<Self, Flaw> {
        Self::parse_with(body, |body| {
            let (depth, _) = (body.u16()?, body.u16()?);
            Ok((depth != ALL).then_some(depth))
        })
    }

    fn parse_with(
        body: &mut Body<'a>,
        depth: impl FnOnce(&mut Body<'a>) -> Result<Option<u16>, Flaw>,
    ) -> Result<Self, Flaw> {
        let connection = body.u32()?;
        let (path, token) = (body.u16()?, body.u16()?);
        let depth = depth(body)?;
        Ok(Self {
            connection,
            path: body.string(path)?,
            token: body.string(token)?,
            depth,
        })
    }

    pub(crate) fn emit(&self, out: &mut Vec<u8>) -> Result<(), TooLong> {
        out.put_u32(self.connection);
        out.put_u16(short(self.path.len() + 1)?);
        out.put_u16(short(self.token.len() + 1)?);
        if let Some(depth) = self.depth {
            out.put_u16(depth);
            out.put_u16(0);
        }
        out.put_string(self.path);
        out.put_string(self.token);
        Ok(())
    }

    /// The same with the field `depth` in any case.
    pub(crate) fn emit_extended(&self, out: &mut Vec<u8>) -> Result<(), TooLong> {
        let depth = Some(self.depth.unwrap_or(ALL));
        Self { depth, ..*self }.emit(out)
    }
}
