//! The text format that Prometheus scrapes, version 0.0.4.

use alloc::vec::Vec;
use core::fmt::{self, Display, Write};
use core::time::Duration;

use morgana_http::{Response, Status};

/// The media type of the text.
const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Figures, one family after the other. Names, labels and their values are the program's own, or checked where they came in: nothing in them is escaped.
#[derive(Debug)]
pub struct Exposition {
    out: Text,
    prefix: &'static str,
}

/// What kind of figures a family has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// They go up and down.
    Gauge,
    /// They only grow while the program runs. The family's name ends in `_total`.
    Counter,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Gauge => "gauge",
            Self::Counter => "counter",
        }
    }
}

impl Exposition {
    /// What `write` writes; every name has `prefix` and an underscore before it.
    ///
    /// # Errors
    ///
    /// Those of `write`: there is no memory for it.
    pub fn written(
        prefix: &'static str,
        write: impl FnOnce(&mut Self) -> fmt::Result,
    ) -> Result<Vec<u8>, fmt::Error> {
        let out = Text(Vec::new());
        let mut exposition = Self { out, prefix };
        write(&mut exposition)?;
        Ok(exposition.out.0)
    }

    /// The answer that shows what `write` writes, as [`written`](Self::written) has it. Without the memory for it, it is 503.
    pub fn answer(
        prefix: &'static str,
        write: impl FnOnce(&mut Self) -> fmt::Result,
    ) -> Response<'static> {
        match Self::written(prefix, write) {
            Ok(text) => Response::ok(CONTENT_TYPE, text),
            Err(_) => Response::text(Status::SERVICE_UNAVAILABLE),
        }
    }

    /// A value that goes up and down.
    ///
    /// # Errors
    ///
    /// There is no memory for it; so for all others.
    pub fn gauge(&mut self, name: &str, help: &str, value: impl Display) -> fmt::Result {
        self.family(name, help, Kind::Gauge.name())?;
        let prefix = self.prefix;
        writeln!(self.out, "{prefix}_{name} {value}")
    }

    /// A value that only grows while the program runs. Its name ends in `_total`.
    pub fn counter(&mut self, name: &str, help: &str, value: impl Display) -> fmt::Result {
        self.family(name, help, Kind::Counter.name())?;
        let prefix = self.prefix;
        writeln!(self.out, "{prefix}_{name} {value}")
    }

    /// Values that are told from each other by the label `label`.
    pub fn labelled<'a, V: Display>(
        &mut self,
        kind: Kind,
        name: &str,
        help: &str,
        label: &str,
        values: impl IntoIterator<Item = (&'a str, V)>,
    ) -> fmt::Result {
        self.family(name, help, kind.name())?;
        let prefix = self.prefix;
        for (which, value) in values {
            writeln!(self.out, "{prefix}_{name}{{{label}=\"{which}\"}} {value}")?;
        }
        Ok(())
    }

    /// A histogram of durations: `buckets` are upper ends in seconds and how many were no longer, from the smallest on; `count` were there in all, and took `sum` together.
    pub fn histogram<'a>(
        &mut self,
        name: &str,
        help: &str,
        buckets: impl IntoIterator<Item = (&'a str, u64)>,
        count: u64,
        sum: Duration,
    ) -> fmt::Result {
        self.family(name, help, "histogram")?;
        let (prefix, sum) = (self.prefix, Seconds(sum));
        for (end, within) in buckets {
            writeln!(self.out, "{prefix}_{name}_bucket{{le=\"{end}\"}} {within}")?;
        }
        write!(
            self.out,
            "{prefix}_{name}_bucket{{le=\"+Inf\"}} {count}\n{prefix}_{name}_sum {sum}\n{prefix}_{name}_count {count}\n"
        )
    }

    fn family(&mut self, name: &str, help: &str, kind: &str) -> fmt::Result {
        let prefix = self.prefix;
        write!(
            self.out,
            "# HELP {prefix}_{name} {help}\n# TYPE {prefix}_{name} {kind}\n"
        )
    }
}

/// A duration as seconds with nine digits after the point: no floating point, which an image would pay for in size.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Seconds(pub Duration);

impl Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:09}", self.0.as_secs(), self.0.subsec_nanos())
    }
}

/// Text that is being written; it is an error, not the program's end, if there is no memory for more of it.
#[derive(Debug)]
struct Text(Vec<u8>);

impl Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.try_reserve(text.len()).map_err(|_| fmt::Error)?;
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use std::string::String;

    fn written(write: impl FnOnce(&mut Exposition) -> fmt::Result) -> String {
        String::from_utf8(Exposition::written("m", write).unwrap()).unwrap()
    }

    #[test]
    fn families_have_help_type_and_samples() {
        let written = written(|text| {
            let up = Seconds(Duration::from_millis(1_050));
            text.gauge("up_seconds", "Time since the start.", up)?;
            let classes = [("2xx", 7), ("4xx", 0)];
            text.labelled(Kind::Counter, "answers_total", "Answers.", "class", classes)
        });
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

    #[test]
    fn a_histogram_has_all_in_its_last_bucket() {
        let written = written(|text| {
            let buckets = [("0.5", 2), ("1", 3)];
            text.histogram("took_seconds", "Time.", buckets, 4, Duration::from_secs(9))
        });
        assert_eq!(
            written,
            "# HELP m_took_seconds Time.\n\
             # TYPE m_took_seconds histogram\n\
             m_took_seconds_bucket{le=\"0.5\"} 2\n\
             m_took_seconds_bucket{le=\"1\"} 3\n\
             m_took_seconds_bucket{le=\"+Inf\"} 4\n\
             m_took_seconds_sum 9.000000000\n\
             m_took_seconds_count 4\n"
        );
    }
}
