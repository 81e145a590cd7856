//! Configurations in TOML 1.0: the same keys, and a table for each device.

use alloc::string::String;
use alloc::vec::Vec;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::{ConfigError, Mistake};
use super::setting::{MOST, Setting, Table, Value};

/// Characters of what the parser says.
const LONGEST: usize = 200;

/// All settings.
pub(super) fn settings(text: &str) -> Result<Vec<Setting>, ConfigError> {
    let lines = Lines::of(text);
    let table = DeTable::parse(text).map_err(|error| {
        let said = error.message().chars().filter(|c| !c.is_control());
        ConfigError {
            line: error.span().map_or(0, |span| lines.line(span.start)),
            key: None,
            mistake: Mistake::Toml(said.take(LONGEST).collect()),
        }
    })?;
    lines.table(table.get_ref(), 1)
}

/// Where the lines of a text begin, from the second one on.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self(ends.map(|(end, _)| end + 1).collect())
    }

    /// The line of a byte, from 1 on.
    fn line(&self, byte: usize) -> usize {
        self.0.partition_point(|&start| start <= byte) + 1
    }

    fn table(&self, table: &DeTable<'_>, line: usize) -> Result<Vec<Setting>, ConfigError> {
        if table.len() > MOST {
            return Err(too_large(line));
        }
        let settings = table.iter().map(|(key, value)| {
            Ok(Setting {
                line: self.line(key.span().start),
                key: name(key.get_ref()),
                value: self.value(value)?,
            })
        });
        settings.collect()
    }

    fn value(&self, value: &Spanned<DeValue<'_>>) -> Result<Value, ConfigError> {
        let line = self.line(value.span().start);
        Ok(match value.get_ref() {
            DeValue::String(text) => Value::Text(text.clone().into_owned()),
            DeValue::Integer(number) => {
                let number = u64::from_str_radix(number.as_str(), number.radix());
                number.map_or(Value::Other, Value::Number)
            }
            DeValue::Array(items) if items.len() > MOST => return Err(too_large(line)),
            DeValue::Array(items) => {
                let items = items.iter().map(|item| self.value(item));
                Value::List(items.collect::<Result<_, _>>()?)
            }
            DeValue::Table(table) => Value::Table(Table {
                line,
                settings: self.table(table, line)?,
            }),
            DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => Value::Other,
        })
    }
}

/// A key, of which a long one or one with what cannot be shown is none of ours.
fn name(key: &str) -> String {
    let shown = key.chars().filter(|c| c.is_ascii_graphic());
    shown.take(LONGEST).collect()
}

fn too_large(line: usize) -> ConfigError {
    ConfigError {
        line,
        key: None,
        mistake: Mistake::TooLarge,
    }
}
