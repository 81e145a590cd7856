//! A figure: ours, and a peer's where there is one.

use anyhow::Context;
use serde::{Serialize, Serializer};

/// One line of the output.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Record {
    bench: &'static str,
    case: String,
    unit: &'static str,
    #[serde(serialize_with = "plain")]
    ours: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    peer: Option<&'static str>,
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "plain_if_any"
    )]
    theirs: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ratio: Option<f64>,
}

impl Record {
    /// A figure without a peer.
    pub(super) fn alone(bench: &'static str, case: &str, unit: &'static str, ours: f64) -> Record {
        Record {
            bench,
            case: case.to_owned(),
            unit,
            ours,
            peer: None,
            theirs: None,
            ratio: None,
        }
    }

    /// Times, of which the shorter is the better: the medians of both sides.
    pub(super) fn times(
        bench: &'static str,
        case: &str,
        ours: &[f64],
        peer: &'static str,
        theirs: &[f64],
    ) -> Option<Record> {
        Record::costs(bench, case, "s", ours, peer, theirs)
    }

    /// Costs in any unit, of which the smaller is the better: the medians of both sides.
    pub(super) fn costs(
        bench: &'static str,
        case: &str,
        unit: &'static str,
        ours: &[f64],
        peer: &'static str,
        theirs: &[f64],
    ) -> Option<Record> {
        let (ours, theirs) = (median(ours)?, median(theirs)?);
        Some(Record::alone(bench, case, unit, ours).against(peer, theirs, theirs / ours))
    }

    /// Counts, of which either may be nothing, so that there is no ratio: the medians of both sides.
    pub(super) fn counts(
        bench: &'static str,
        case: &str,
        unit: &'static str,
        ours: &[f64],
        peer: &'static str,
        theirs: &[f64],
    ) -> Option<Record> {
        let (ours, theirs) = (median(ours)?, median(theirs)?);
        let mut record = Record::alone(bench, case, unit, ours);
        record.peer = Some(peer);
        record.theirs = Some(theirs);
        Some(record)
    }

    /// Rates, of which the larger is the better: the medians of both sides.
    pub(super) fn rates(
        bench: &'static str,
        case: &str,
        unit: &'static str,
        ours: &[f64],
        peer: &'static str,
        theirs: &[f64],
    ) -> Option<Record> {
        let (ours, theirs) = (median(ours)?, median(theirs)?);
        Some(Record::alone(bench, case, unit, ours).against(peer, theirs, ours / theirs))
    }

    fn against(mut self, peer: &'static str, theirs: f64, ratio: f64) -> Record {
        self.ours = rounded(self.ours);
        self.peer = Some(peer);
        self.theirs = Some(rounded(theirs));
        self.ratio = Some(rounded(ratio));
        self
    }

    /// The line.
    pub(super) fn line(&self) -> anyhow::Result<String> {
        serde_json::to_string(self).context("a figure is no number")
    }
}

/// A whole number has no decimal point.
fn plain<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    if value.fract() == 0.0 && value.abs() < 1e15 {
        serializer.serialize_i64(*value as i64)
    } else {
        serializer.serialize_f64(*value)
    }
}

/// The same, for a figure that there may be.
fn plain_if_any<S: Serializer>(value: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => plain(value, serializer),
        None => serializer.serialize_none(),
    }
}

/// The middle one, or the mean of the two in the middle.
pub(super) fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        length if length % 2 == 1 => Some(sorted[middle]),
        _ => Some((sorted[middle - 1] + sorted[middle]) / 2.0),
    }
}

/// Four significant digits: more say nothing in an emulated machine.
fn rounded(value: f64) -> f64 {
    format!("{value:.3e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::{Record, median, rounded};

    #[test]
    fn takes_the_middle() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
    }

    #[test]
    fn rounds_to_four_digits() {
        assert_eq!(rounded(18.301_23), 18.3);
        assert_eq!(rounded(0.022_346_7), 0.022_35);
    }

    #[test]
    fn writes_what_is_promised() {
        let record = Record::times("boot", "first-byte", &[0.9], "linux-pv", &[18.3]).unwrap();
        let wanted = r#"{"bench":"boot","case":"first-byte","unit":"s","ours":0.9,"peer":"linux-pv","theirs":18.3,"ratio":20.33}"#;
        assert_eq!(record.line().unwrap(), wanted);
        let record = Record::rates("ring", "net-8", "1/s", &[9e6], "xen-ring-h", &[6e6]).unwrap();
        let wanted = r#"{"bench":"ring","case":"net-8","unit":"1/s","ours":9000000,"peer":"xen-ring-h","theirs":6000000,"ratio":1.5}"#;
        assert_eq!(record.line().unwrap(), wanted);
        let alone = Record::alone("boot", "min-memory", "MiB", 5.0);
        assert_eq!(
            alone.line().unwrap(),
            r#"{"bench":"boot","case":"min-memory","unit":"MiB","ours":5}"#
        );
    }
}
