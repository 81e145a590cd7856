//! A node's name and its value.

use alloc::rc::Rc;
use alloc::vec::Vec;

/// Bytes that need no memory of their own.
const SHORT: usize = 21;

/// A name and a value, one behind the other. A clone costs no memory.
#[derive(Clone, Debug)]
pub(crate) enum Text {
    /// Most are short.
    Short {
        name: u8,
        len: u8,
        bytes: [u8; SHORT],
    },
    Long {
        name: u32,
        bytes: Rc<[u8]>,
    },
}

const _: () = assert!(size_of::<Text>() == 24);

impl Text {
    pub(crate) fn new(name: &str, value: &[u8]) -> Self {
        Self::of_parts(name.as_bytes(), value)
    }

    fn of_parts(name: &[u8], value: &[u8]) -> Self {
        let len = name.len() + value.len();
        if len > SHORT {
            // Names are parts of paths, whose length is limited.
            let both: Vec<u8> = [name, value].concat();
            let name = name.len() as u32;
            return Self::Long {
                name,
                bytes: both.into(),
            };
        }
        let mut bytes = [0; SHORT];
        bytes[..name.len()].copy_from_slice(name);
        bytes[name.len()..len].copy_from_slice(value);
        Self::Short {
            name: name.len() as u8,
            len: len as u8,
            bytes,
        }
    }

    fn parts(&self) -> (&[u8], &[u8]) {
        match self {
            Self::Short { name, len, bytes } => {
                let bytes = &bytes[..usize::from(*len)];
                bytes.split_at(usize::from(*name))
            }
            Self::Long { name, bytes } => bytes.split_at(*name as usize),
        }
    }

    pub(crate) fn name_bytes(&self) -> &[u8] {
        self.parts().0
    }

    /// The name.
    pub(crate) fn name(&self) -> &str {
        // It was text when it came, so this does not fail.
        core::str::from_utf8(self.name_bytes()).unwrap_or_default()
    }

    pub(crate) fn value(&self) -> &[u8] {
        self.parts().1
    }

    pub(crate) fn set_value(&mut self, value: &[u8]) {
        *self = Self::of_parts(self.name_bytes(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;
    use alloc::vec;

    #[test]
    fn names_and_values_of_all_lengths() {
        for name_len in [0, 1, 20, 21, 22, 3071] {
            let name = String::from("n").repeat(name_len);
            let mut text = Text::new(&name, b"");
            assert_eq!((text.name(), text.value()), (&*name, &b""[..]));
            for value_len in [0, 1, 20, 21, 22, 4096, 0] {
                let value = vec![b'v'; value_len];
                text.set_value(&value);
                assert_eq!((text.name(), text.value()), (&*name, &*value));
                assert_eq!(Text::new(&name, &value).clone().value(), value);
            }
        }
    }
}
