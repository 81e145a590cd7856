//! A record's keys and values. (They are shown by images that have the feature `fields`.)

use core::fmt;

use log::Record;
use log::kv::{Error, Key, Source, Value, VisitSource};

/// Each behind a space.
pub(crate) struct Fields<'a>(&'a dyn Source);

impl<'a> Fields<'a> {
    pub(crate) fn of(record: &'a Record<'_>) -> Self {
        Self(record.key_values())
    }
}

impl fmt::Display for Fields<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.visit(&mut Show(f)).map_err(|_| fmt::Error)
    }
}

struct Show<'a, 'f>(&'a mut fmt::Formatter<'f>);

impl<'kvs> VisitSource<'kvs> for Show<'_, '_> {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), Error> {
        Ok(write!(self.0, " {key}={value}")?)
    }
}
