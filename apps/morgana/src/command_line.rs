//! The domain's command line: what stands behind `extra=` in its xl configuration.

use alloc::rc::Rc;
use core::fmt;
use core::str::FromStr;

/// Words separated by white space, of which `key=value` gives an argument. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct CommandLine(Rc<str>);

impl CommandLine {
    /// Takes the line as the toolstack passed it.
    pub fn new(line: &str) -> Self {
        Self(line.trim().into())
    }

    /// The whole line.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The value of the last `key=value`.
    pub fn value(&self, key: &str) -> Option<&str> {
        self.0.split_whitespace().rev().find_map(|word| {
            let (name, value) = word.split_once('=')?;
            (name == key).then_some(value)
        })
    }

    /// The value of the last `key=value` as a `T`, or `default` if the key is not there.
    ///
    /// # Errors
    ///
    /// [`BadArgument`] if the value is not a `T`; it shows the key and the value.
    pub fn parse<T: FromStr>(&self, key: &'static str, default: T) -> Result<T, BadArgument> {
        let Some(value) = self.value(key) else {
            return Ok(default);
        };
        value.parse().map_err(|_| BadArgument {
            key,
            value: value.into(),
        })
    }
}

/// An argument of the command line that its key does not allow.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BadArgument {
    key: &'static str,
    value: Rc<str>,
}

impl fmt::Display for BadArgument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "command line: {}={} is not a valid value",
            self.key, self.value
        )
    }
}

impl core::error::Error for BadArgument {}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn the_last_value_of_a_key_counts() {
        let line = CommandLine::new(" a=1 flag b=x=y  a=2\n");
        assert_eq!(line.value("a"), Some("2"));
        assert_eq!(line.value("b"), Some("x=y"));
        assert_eq!(line.value("flag"), None);
        assert_eq!(line.value("c"), None);
    }

    #[test]
    fn a_bad_value_names_its_key() {
        let line = CommandLine::new("seconds=three");
        assert_eq!(line.parse("minutes", 7), Ok(7));
        let error = line.parse("seconds", 1u32).unwrap_err();
        assert_eq!(
            error.to_string(),
            "command line: seconds=three is not a valid value"
        );
    }
}
