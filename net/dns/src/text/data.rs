//! The data of a record, from words to the wire.

use alloc::vec::Vec;
use core::net::{Ipv4Addr, Ipv6Addr};

use domain::base::iana::Rtype;
use domain::utils::{base32, base64};

use super::Reason;
use super::lexer::{Lexer, Quoting, Word};
use super::parameters;
use super::time::{seconds, signature_time};
use super::types::{Field, fields, is_valid};
use crate::name::{Name, unescape};

/// Reads a record's data up to the entry's end, and appends it to `out` in wire form.
pub(super) fn data(
    lexer: &mut Lexer<'_>,
    rtype: Rtype,
    origin: Option<&Name>,
    out: &mut Vec<u8>,
) -> Result<(), Reason> {
    let start = out.len();
    let mut words = Words {
        lexer,
        origin,
        peeked: None,
    };
    let first = words.peek()?;
    if first.is_some_and(|word| word.raw == br"\#" && word.quoting == Quoting::Bare) {
        words.next()?;
        unknown(&mut words, out)?;
        if !is_valid(rtype, &out[start..]) {
            return Err(Reason::UnknownData);
        }
    } else {
        for field in fields(rtype).ok_or(Reason::UnknownData)? {
            words.field(*field, out)?;
        }
    }
    if words.peek()?.is_some() {
        return Err(Reason::DataBeyond);
    }
    if out.len() - start > usize::from(u16::MAX) {
        return Err(Reason::DataTooLong);
    }
    Ok(())
}

/// Data of a type that nobody needs to know (RFC 3597 section 5): its length, and hexadecimal digits.
fn unknown(words: &mut Words<'_, '_, '_>, out: &mut Vec<u8>) -> Result<(), Reason> {
    let len: u16 = words.number()?;
    let start = out.len();
    words.hex_up_to_end(out)?;
    if out.len() - start != usize::from(len) {
        return Err(Reason::UnknownData);
    }
    Ok(())
}

/// The words of the data.
struct Words<'l, 't, 'o> {
    lexer: &'l mut Lexer<'t>,
    origin: Option<&'o Name>,
    /// A word that has been read, but not used. The lexer must not go beyond the entry's end twice.
    peeked: Option<Option<Word<'t>>>,
}

impl<'t> Words<'_, 't, '_> {
    fn peek(&mut self) -> Result<Option<Word<'t>>, Reason> {
        if self.peeked.is_none() {
            self.peeked = Some(self.lexer.word()?);
        }
        Ok(self.peeked.flatten())
    }

    /// The next word, which must be there.
    fn next(&mut self) -> Result<Word<'t>, Reason> {
        let word = self.peek()?.ok_or(Reason::DataMissing)?;
        self.peeked = None;
        Ok(word)
    }

    /// The next word, if there is one.
    fn next_if_any(&mut self) -> Result<Option<Word<'t>>, Reason> {
        let word = self.peek()?;
        if word.is_some() {
            self.peeked = None;
        }
        Ok(word)
    }

    fn str(&mut self) -> Result<&'t str, Reason> {
        core::str::from_utf8(self.next()?.raw).map_err(|_| Reason::Number)
    }

    fn number<T: TryFrom<u64>>(&mut self) -> Result<T, Reason> {
        number(self.next()?.raw)
    }

    fn field(&mut self, field: Field, out: &mut Vec<u8>) -> Result<(), Reason> {
        match field {
            Field::Name => {
                let name = Name::parse(self.next()?.raw, self.origin)?;
                out.extend_from_slice(name.wire());
            }
            Field::U8 => out.push(self.number()?),
            Field::U16 => out.extend_from_slice(&self.number::<u16>()?.to_be_bytes()),
            Field::U32 => out.extend_from_slice(&self.number::<u32>()?.to_be_bytes()),
            Field::Ttl => {
                let seconds = seconds(self.next()?.raw).ok_or(Reason::Ttl)?;
                out.extend_from_slice(&seconds.to_be_bytes());
            }
            Field::Ipv4 => {
                let address: Ipv4Addr = self.str()?.parse().map_err(|_| Reason::Ipv4)?;
                out.extend_from_slice(&address.octets());
            }
            Field::Ipv6 => {
                let address: Ipv6Addr = self.str()?.parse().map_err(|_| Reason::Ipv6)?;
                out.extend_from_slice(&address.octets());
            }
            Field::Text => counted(out, |out| unescape_all(self.next()?.raw, out))?,
            Field::Texts => {
                self.field(Field::Text, out)?;
                while self.peek()?.is_some() {
                    self.field(Field::Text, out)?;
                }
            }
            Field::Value => unescape_all(self.next()?.raw, out)?,
            Field::Tag => {
                let tag = self.next()?.raw;
                if tag.is_empty() || !tag.iter().all(u8::is_ascii_alphanumeric) {
                    return Err(Reason::Tag);
                }
                counted(out, |out| {
                    out.extend_from_slice(tag);
                    Ok(())
                })?;
            }
            Field::Hex => self.hex_up_to_end(out)?,
            Field::Base64 => self.base64_up_to_end(out)?,
            Field::Type => out.extend_from_slice(&self.rtype()?.to_int().to_be_bytes()),
            Field::Types => self.types(out)?,
            Field::Time => {
                let time = signature_time(self.next()?.raw).ok_or(Reason::Time)?;
                out.extend_from_slice(&time.to_be_bytes());
            }
            Field::Hash => {
                let hash: Vec<u8> = base32::decode_hex(self.str()?).map_err(|_| Reason::Base32)?;
                if hash.is_empty() {
                    return Err(Reason::Base32);
                }
                counted(out, |out| {
                    out.extend_from_slice(&hash);
                    Ok(())
                })?;
            }
            Field::Salt => {
                let salt = self.next()?.raw;
                counted(out, |out| match salt {
                    b"-" => Ok(()),
                    digits => hex(digits, out),
                })?;
            }
            Field::Parameters => self.parameters(out)?,
        }
        Ok(())
    }

    fn rtype(&mut self) -> Result<Rtype, Reason> {
        Rtype::from_bytes(self.next()?.raw).ok_or(Reason::Type)
    }

    /// Hexadecimal digits, in words that may end within an octet.
    fn hex_up_to_end(&mut self, out: &mut Vec<u8>) -> Result<(), Reason> {
        let mut half = None;
        while let Some(word) = self.next_if_any()? {
            for &digit in word.raw {
                let value = hex_digit(digit)?;
                half = match half.take() {
                    None => Some(value),
                    Some(high) => {
                        out.push(high << 4 | value);
                        None
                    }
                };
            }
        }
        match half {
            None => Ok(()),
            Some(_) => Err(Reason::Hex),
        }
    }

    fn base64_up_to_end(&mut self, out: &mut Vec<u8>) -> Result<(), Reason> {
        let mut decoder = base64::Decoder::<Vec<u8>>::new();
        while let Some(word) = self.next_if_any()? {
            for &octet in word.raw {
                decoder
                    .push(char::from(octet))
                    .map_err(|_| Reason::Base64)?;
            }
        }
        let octets = decoder.finalize().map_err(|_| Reason::Base64)?;
        if octets.is_empty() {
            return Err(Reason::DataMissing);
        }
        out.extend_from_slice(&octets);
        Ok(())
    }

    /// The bits of types, in windows of 256.
    fn types(&mut self, out: &mut Vec<u8>) -> Result<(), Reason> {
        let mut types = Vec::new();
        while self.peek()?.is_some() {
            types.push(self.rtype()?.to_int());
        }
        types.sort_unstable();
        types.dedup();
        for window in types.chunk_by(|one, other| one >> 8 == other >> 8) {
            let mut bits = [0u8; 32];
            let mut used = 0;
            for rtype in window {
                let place = usize::from(rtype & 0xff);
                bits[place / 8] |= 0x80 >> (place % 8);
                used = place / 8 + 1;
            }
            out.push((window[0] >> 8) as u8);
            out.push(used as u8);
            out.extend_from_slice(&bits[..used]);
        }
        Ok(())
    }

    fn parameters(&mut self, out: &mut Vec<u8>) -> Result<(), Reason> {
        let mut all: Vec<(u16, Vec<u8>)> = Vec::new();
        while let Some(word) = self.next_if_any()? {
            let (key, value) = parameters::parameter(word.raw)?;
            match all.binary_search_by_key(&key, |one| one.0) {
                Ok(_) => return Err(Reason::Parameter),
                Err(place) => all.insert(place, (key, value)),
            }
        }
        parameters::write(&all, out)
    }
}

/// Appends what `write` writes, with its length in one octet before it.
pub(super) fn counted(
    out: &mut Vec<u8>,
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), Reason>,
) -> Result<(), Reason> {
    let start = out.len();
    out.push(0);
    write(out)?;
    out[start] = u8::try_from(out.len() - start - 1).map_err(|_| Reason::TextTooLong)?;
    Ok(())
}

/// Appends a word without its escapes.
pub(super) fn unescape_all(raw: &[u8], out: &mut Vec<u8>) -> Result<(), Reason> {
    let mut rest = raw;
    while let Some((&first, after)) = rest.split_first() {
        rest = if first == b'\\' {
            let (octet, after) = unescape(after).ok_or(Reason::Escape)?;
            out.push(octet);
            after
        } else {
            out.push(first);
            after
        };
    }
    Ok(())
}

/// A decimal number.
pub(super) fn number<T: TryFrom<u64>>(text: &[u8]) -> Result<T, Reason> {
    if text.is_empty() || text.len() > 19 {
        return Err(Reason::Number);
    }
    let mut value = 0u64;
    for digit in text {
        if !digit.is_ascii_digit() {
            return Err(Reason::Number);
        }
        value = value * 10 + u64::from(digit - b'0');
    }
    T::try_from(value).map_err(|_| Reason::Number)
}

fn hex_digit(digit: u8) -> Result<u8, Reason> {
    let value = char::from(digit).to_digit(16).ok_or(Reason::Hex)?;
    Ok(value as u8)
}

fn hex(digits: &[u8], out: &mut Vec<u8>) -> Result<(), Reason> {
    if digits.is_empty() || digits.len() % 2 == 1 {
        return Err(Reason::Hex);
    }
    for pair in digits.chunks_exact(2) {
        out.push(hex_digit(pair[0])? << 4 | hex_digit(pair[1])?);
    }
    Ok(())
}
