//! What dnsperf says.

use anyhow::{Context, Result, ensure};

/// One run of dnsperf in which every query was answered with NOERROR.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Run {
    pub(super) queries: f64,
    pub(super) seconds: f64,
}

impl Run {
    /// Reads what dnsperf prints. A query that was lost or interrupted, or answered with another code, is an error.
    pub(super) fn parse(told: &str) -> Result<Run> {
        let field = |name: &str| {
            let line = told
                .lines()
                .find_map(|line| line.trim_start().strip_prefix(name));
            line.map(str::trim)
                .with_context(|| format!("dnsperf says nothing of {name:?}:\n{told}"))
        };
        let count = |name: &str| -> Result<f64> {
            let text = field(name)?;
            let number = text.split(' ').next().unwrap_or(text);
            number
                .parse()
                .with_context(|| format!("dnsperf says {name} {text}"))
        };
        let (sent, queries) = (count("Queries sent:")?, count("Queries completed:")?);
        let (lost, seconds) = (count("Queries lost:")?, count("Run time (s):")?);
        ensure!(
            lost == 0.0 && sent == queries && queries > 0.0 && seconds > 0.0,
            "queries were lost:\n{told}"
        );
        let codes = field("Response codes:")?;
        ensure!(
            codes == format!("NOERROR {queries} (100.00%)"),
            "not every answer is NOERROR:\n{told}"
        );
        Ok(Run { queries, seconds })
    }
}

#[cfg(test)]
mod tests {
    use super::Run;

    const TOLD: &str = "DNS Performance Testing Tool\nVersion 2.10.0\n\n[Status] Command line: dnsperf -s 10.0.2.50\n[Status] Sending queries (to 10.0.2.50:53)\n\
                        [Status] Testing complete (time limit)\n\nStatistics:\n\n  Queries sent:         8172\n  Queries completed:    8172 (100.00%)\n  \
                        Queries lost:         0 (0.00%)\n\n  Response codes:       NOERROR 8172 (100.00%)\n  Average packet size:  request 39, response 55\n  \
                        Run time (s):         5.051230\n  Queries per second:   1617.823777\n\n  Average Latency (s):  0.061 (min 0.003, max 0.184)\n";

    #[test]
    fn reads_what_dnsperf_prints() {
        let run = Run::parse(TOLD).unwrap();
        assert_eq!((run.queries, run.seconds), (8172.0, 5.051_23));
    }

    #[test]
    fn refuses_runs_with_losses_and_other_codes() {
        let lost = TOLD.replace("lost:         0 (0.00%)", "lost:         3 (0.04%)");
        let interrupted = TOLD.replace("sent:         8172", "sent:         8190");
        let codes = "NOERROR 8171 (99.99%), SERVFAIL 1 (0.01%)";
        let failed = TOLD.replace("NOERROR 8172 (100.00%)", codes);
        let refused = TOLD.replace("NOERROR 8172", "REFUSED 8172");
        for told in [lost, interrupted, failed, refused] {
            assert!(told != TOLD && Run::parse(&told).is_err(), "{told}");
        }
        for told in ["", "dnsperf: unable to resolve\n", "Queries sent: x\n"] {
            assert!(Run::parse(told).is_err(), "{told}");
        }
    }
}
