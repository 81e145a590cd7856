//! Messages to bytes and back. Replies are part of messages, so the codec knows the connection: that is why it is not serde's.

use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;

use super::error::{EncodeError, Malformed};
use super::link::Shared;
use crate::Reply;

/// What can be sent to another node. An enum writes the number of its variant (`u8`), then the fields.
pub trait Wire: Sized + 'static {
    /// Writes the value.
    ///
    /// # Errors
    ///
    /// Those of the writer.
    fn encode(self, writer: &mut Writer<'_>) -> Result<(), EncodeError>;

    /// Reads what [`encode`](Self::encode) wrote; anything else may come as well.
    ///
    /// # Errors
    ///
    /// [`Malformed`]: the connection is closed then.
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Malformed>;
}

/// Where a message is written to.
pub struct Writer<'a> {
    bytes: &'a mut Vec<u8>,
    most: usize,
    link: &'a Rc<Shared>,
    /// Requests of this message.
    requests: Vec<u32>,
}

/// Where a message is read from.
pub struct Reader<'a> {
    rest: &'a [u8],
    link: &'a Rc<Shared>,
}

impl<'a> Writer<'a> {
    pub(crate) fn new(bytes: &'a mut Vec<u8>, most: usize, link: &'a Rc<Shared>) -> Self {
        Self {
            bytes,
            most,
            link,
            requests: Vec::new(),
        }
    }

    /// Appends bytes as they are.
    ///
    /// # Errors
    ///
    /// [`EncodeError::TooLong`]: the message is dropped.
    pub fn put(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        if self.bytes.len() + bytes.len() > self.most {
            return Err(EncodeError::TooLong);
        }
        self.bytes.extend(bytes);
        Ok(())
    }

    /// Writes a value; if it does not fit, takes its requests back.
    pub(crate) fn write<T: Wire>(mut self, value: T) -> Result<(), EncodeError> {
        let result = value.encode(&mut self);
        if result.is_err() {
            for id in &self.requests {
                self.link.forget_request(*id);
            }
        }
        result
    }
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8], link: &'a Rc<Shared>) -> Self {
        Self { rest: bytes, link }
    }

    /// The next `len` bytes.
    ///
    /// # Errors
    ///
    /// [`Malformed::Short`].
    pub fn take(&mut self, len: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.rest.split_at_checked(len).ok_or(Malformed::Short)?;
        self.rest = rest;
        Ok(taken)
    }

    /// A value, and nothing after it.
    pub(crate) fn read<T: Wire>(mut self) -> Result<T, Malformed> {
        let value = T::decode(&mut self)?;
        if !self.rest.is_empty() {
            return Err(Malformed::TooLong);
        }
        Ok(value)
    }
}

impl core::fmt::Debug for Writer<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Writer")
    }
}

impl core::fmt::Debug for Reader<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Reader")
    }
}

macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl Wire for $number {
            fn encode(self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
                writer.put(&self.to_le_bytes())
            }

            fn decode(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
                let bytes = reader.take(size_of::<Self>())?;
                Ok(Self::from_le_bytes(bytes.try_into().map_err(|_| Malformed::Short)?))
            }
        }
    )*};
}

numbers!(u8, u16, u32, u64, u128, i32, i64);

impl Wire for () {
    fn encode(self, _: &mut Writer<'_>) -> Result<(), EncodeError> {
        Ok(())
    }

    fn decode(_: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(())
    }
}

impl Wire for bool {
    fn encode(self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        u8::from(self).encode(writer)
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        match u8::decode(reader)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Malformed::Value),
        }
    }
}

/// A length (u32), then the values.
impl<T: Wire> Wire for Vec<T> {
    fn encode(self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        let len = u32::try_from(self.len()).map_err(|_| EncodeError::TooLong)?;
        len.encode(writer)?;
        self.into_iter().try_for_each(|item| item.encode(writer))
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let len = u32::decode(reader)?;
        let mut items = Self::new();
        for _ in 0..len {
            // Each takes a byte at least, so a frame can't claim more of them than it has bytes.
            let before = reader.rest.len();
            items.push(T::decode(reader)?);
            if reader.rest.len() == before {
                return Err(Malformed::Value);
            }
        }
        Ok(items)
    }
}

impl Wire for String {
    fn encode(self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        let len = u32::try_from(self.len()).map_err(|_| EncodeError::TooLong)?;
        len.encode(writer)?;
        writer.put(self.as_bytes())
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let len = usize::try_from(u32::decode(reader)?).map_err(|_| Malformed::Short)?;
        let text = core::str::from_utf8(reader.take(len)?).map_err(|_| Malformed::Text)?;
        Ok(text.into())
    }
}

impl<T: Wire> Wire for Option<T> {
    fn encode(self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        self.is_some().encode(writer)?;
        self.map_or(Ok(()), |value| value.encode(writer))
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        bool::decode(reader)?.then(|| T::decode(reader)).transpose()
    }
}

/// The number of a request; the answer comes in a frame of its own.
impl<R: Wire> Wire for Reply<R> {
    fn encode(self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        let id = writer.link.ask(self)?;
        writer.requests.push(id);
        id.encode(writer)
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let id = u32::decode(reader)?;
        Ok(Shared::answerer(reader.link, id))
    }
}
