//! `xs read`: values.

use crate::cli;
use crate::escape::plain;
use crate::failure::{Failure, Failures};
use crate::json::{Array, Record};
use crate::path::{self, Kind};
use crate::session::Session;

/// What to print.
#[derive(Debug)]
pub(crate) struct Read {
    paths: Vec<String>,
    form: Form,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Form {
    Lines,
    Raw,
    Json,
}

impl Read {
    pub(crate) fn check(arguments: cli::Read) -> Result<Self, Failure> {
        let form = match (arguments.raw, arguments.json) {
            (_, true) => Form::Json,
            (true, false) => Form::Raw,
            (false, false) => Form::Lines,
        };
        let paths = path::check_all(&arguments.paths, Kind::Node)?;
        Ok(Self { paths, form })
    }

    pub(crate) async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let mut failures = Failures::default();
        let mut array = Array::default();
        let values = session.client.read_each(&self.paths).await;
        for (path, value) in self.paths.iter().zip(values) {
            let out = &mut session.out;
            match (value, self.form) {
                (Err(error), _) => failures.note(Failure::at(path)(error))?,
                (Ok(value), Form::Lines) => out.line(plain(&value))?,
                (Ok(value), Form::Raw) => out.bytes(&value)?,
                (Ok(value), Form::Json) => array.add(out, &Record::new(path, &value))?,
            }
        }
        if self.form == Form::Json {
            array.end(&mut session.out)?;
        }
        failures.finish()
    }
}
