//! What extension headers say of the next entry.

use alloc::vec::Vec;

use crate::Fault;

/// What is said of the next entry, instead of what its header says.
#[derive(Default, Debug)]
pub(crate) struct Extension {
    pub(crate) path: Option<Vec<u8>>,
    pub(crate) size: Option<u64>,
}

impl Extension {
    /// Takes in the records of a pax header: `LENGTH KEY=VALUE\n`, where the length in decimal digits is that of the whole record.
    pub(crate) fn pax(&mut self, mut records: &[u8]) -> Result<(), Fault> {
        // Some pad with zeros.
        while records.first().is_some_and(|&byte| byte != 0) {
            let record = take_record(&mut records).ok_or(Fault::Extension)?;
            let equals = record.iter().position(|&byte| byte == b'=');
            let (key, value) = record.split_at(equals.ok_or(Fault::Extension)?);
            // Without the equals sign.
            let value = &value[1..];
            match key {
                b"path" => self.path = Some(value.to_vec()),
                b"size" => self.size = Some(decimal(value).ok_or(Fault::Number)?),
                _ if key.starts_with(b"GNU.sparse.") => return Err(Fault::Sparse),
                _ => {}
            }
        }
        Ok(())
    }
}

/// The next record without its length and its newline.
fn take_record<'a>(records: &mut &'a [u8]) -> Option<&'a [u8]> {
    let space = records.iter().position(|&byte| byte == b' ')?;
    let length = usize::try_from(decimal(&records[..space])?).ok()?;
    let (record, rest) = records.split_at_checked(length)?;
    *records = rest;
    record.get(space + 1..)?.strip_suffix(b"\n")
}

/// A number in decimal digits, of which there must be one at least.
fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0u64, |number, &digit| {
        let digit = char::from(digit).to_digit(10)?;
        number.checked_mul(10)?.checked_add(u64::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_of_a_pax_header() {
        let mut extension = Extension::default();
        let records = b"14 path=a/b=c\n30 mtime=1700000000.123456789\n18 size=123456789\n\0\0";
        extension.pax(records).unwrap();
        assert_eq!(extension.path.as_deref(), Some(&b"a/b=c"[..]));
        assert_eq!(extension.size, Some(123_456_789));
    }

    #[test]
    fn what_is_no_record_is_refused() {
        for records in [
            &b"path=a\n"[..],
            b"99 path=a\n",
            b"0 path=a\n",
            b"3 \n",
            b"5 p\n\n",
            b"9 path=a\n9 path=",
            b"10 path=a\nx",
            b" path=a\n",
            b"18446744073709551616 path=a\n",
        ] {
            let taken = Extension::default().pax(records);
            assert_eq!(taken, Err(Fault::Extension), "{records:?}");
        }
        assert_eq!(Extension::default().pax(b"9 size=x\n"), Err(Fault::Number));
        let sparse = b"22 GNU.sparse.major=1\n";
        assert_eq!(Extension::default().pax(sparse), Err(Fault::Sparse));
    }
}
