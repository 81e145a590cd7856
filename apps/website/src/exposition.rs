//! The text format that Prometheus scrapes, version 0.0.4.

use core::fmt::{self, Display, Write};
use core::time::Duration;

/// The media type of the text.
pub(crate) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Writes metrics, one family after the other. Names and labels are the program's own: nothing in them is escaped.
#[derive(Debug)]
pub(crate) struct Exposition<W> {
    out: W,
    prefix: &'static str,
}

impl<W: Write> Exposition<W> {
    /// Writes to `out`; `prefix` and an underscore go before every name.
    pub(crate) fn new(out: W, prefix: &'static str) -> Self {
        Self { out, prefix }
    }

    /// A value that goes up and down.
    pub(crate) fn gauge(&mut self, name: &str, help: &str, value: impl Display) -> fmt::Result {
        self.family(name, help, "gauge")?;
        self.sample(name, None, value)
    }

    /// A value that only grows while the program runs. Its name ends in `_total`.
    pub(crate) fn counter(&mut self, name: &str, help: &str, value: impl Display) -> fmt::Result {
        self.family(name, help, "counter")?;
        self.sample(name, None, value)
    }

    /// Values that only grow, told from each other by the label `label`.
    pub(crate) fn counters<const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        values: [(&str, u64); N],
    ) -> fmt::Result {
        self.family(name, help, "counter")?;
        for (which, value) in values {
            self.sample(name, Some((label, which)), value)?;
        }
        Ok(())
    }

    fn family(&mut self, name: &str, help: &str, kind: &str) -> fmt::Result {
        let prefix = self.prefix;
        write!(
            self.out,
            "# HELP {prefix}_{name} {help}\n# TYPE {prefix}_{name} {kind}\n"
        )
    }

    fn sample(
        &mut self,
        name: &str,
        label: Option<(&str, &str)>,
        value: impl Display,
    ) -> fmt::Result {
        let prefix = self.prefix;
        match label {
            None => writeln!(self.out, "{prefix}_{name} {value}"),
            Some((key, which)) => {
                writeln!(self.out, "{prefix}_{name}{{{key}=\"{which}\"}} {value}")
            }
        }
    }
}

/// A duration as seconds with nine digits after the point: no floating point, which an image would pay for in size.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Seconds(pub(crate) Duration);

impl Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:09}", self.0.as_secs(), self.0.subsec_nanos())
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use std::string::String;

    #[test]
    fn families_have_help_type_and_samples() {
        let mut written = String::new();
        let mut text = Exposition::new(&mut written, "m");
        text.gauge(
            "up_seconds",
            "Time since the start.",
            Seconds(Duration::from_millis(1_050)),
        )
        .unwrap();
        text.counters(
            "answers_total",
            "Answers.",
            "class",
            [("2xx", 7), ("4xx", 0)],
        )
        .unwrap();
        assert_eq!(
            written,
            "# HELP m_up_seconds Time since the start.\n\
             # TYPE m_up_seconds gauge\n\
             m_up_seconds 1.050000000\n\
             # HELP m_answers_total Answers.\n\
             # TYPE m_answers_total counter\n\
             m_answers_total{class=\"2xx\"} 7\n\
             m_answers_total{class=\"4xx\"} 0\n"
        );
    }
}
