//! What a configuration says, in whatever language.

use alloc::string::String;
use alloc::vec::Vec;

use super::error::{ConfigError, Mistake};

/// Settings of a configuration, and items of a list.
pub(super) const MOST: usize = 1024;

/// One setting.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Setting {
    pub(super) line: usize,
    pub(super) key: String,
    pub(super) value: Value,
}

/// A value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Value {
    Text(String),
    Number(u64),
    List(Vec<Value>),
    Table(Table),
    /// What is never wanted: a date, a fraction.
    Other,
}

/// Settings of one thing, such as a device.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Table {
    pub(super) line: usize,
    pub(super) settings: Vec<Setting>,
}

impl Setting {
    pub(super) fn wrong(&self, mistake: Mistake) -> ConfigError {
        ConfigError {
            line: self.line,
            key: Some(self.key.clone()),
            mistake,
        }
    }
}
