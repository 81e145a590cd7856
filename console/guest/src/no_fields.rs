//! In place of a record's keys and values, in images without the feature `fields`.

use core::fmt;

use log::Record;

/// None are shown.
pub(crate) struct Fields;

impl Fields {
    pub(crate) fn of(_: &Record<'_>) -> Self {
        Self
    }
}

impl fmt::Display for Fields {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}
