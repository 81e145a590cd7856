//! What wrk says.

use anyhow::{Context, Result, ensure};

/// One run of wrk in which nothing went wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Run {
    pub(super) requests: f64,
    pub(super) seconds: f64,
}

impl Run {
    /// Reads what wrk prints. An answer of another class than 2xx and 3xx, or trouble with a connection, is an error.
    pub(super) fn parse(told: &str) -> Result<Run> {
        let wrong = ["Socket errors", "Non-2xx"];
        let errors = told
            .lines()
            .find(|line| wrong.iter().any(|word| line.contains(word)));
        ensure!(errors.is_none(), "wrk says:\n{told}");
        let line = told
            .lines()
            .find_map(|line| line.split_once(" requests in "));
        let (requests, rest) = line.with_context(|| format!("wrk says:\n{told}"))?;
        let requests = requests.trim().parse().context("wrk counts no requests")?;
        let time = rest.split(',').next().unwrap_or(rest);
        let seconds = seconds(time).with_context(|| format!("wrk has taken {time}"))?;
        ensure!(requests > 0.0 && seconds > 0.0, "wrk says:\n{told}");
        Ok(Run { requests, seconds })
    }
}

/// Reads a time as wrk writes it, for its runs take milliseconds to hours.
fn seconds(text: &str) -> Option<f64> {
    [("us", 1e-6), ("ms", 1e-3), ("s", 1.0), ("m", 60.0)]
        .into_iter()
        .find_map(|(unit, each)| {
            let number: f64 = text.strip_suffix(unit)?.parse().ok()?;
            Some(number * each)
        })
}

#[cfg(test)]
mod tests {
    use super::Run;

    const TOLD: &str = "Running 5s test @ http://10.0.2.50/\n  1 threads and 30 connections\n  Thread Stats   Avg      Stdev     Max   +/- Stdev\n    \
                        Latency    70.27ms   12.05ms 151.11ms   78.16%\n    Req/Sec   428.04     64.46   570.00     66.00%\n  \
                        2140 requests in 5.02s, 1.74MB read\nRequests/sec:    426.29\nTransfer/sec:    354.69KB\n";

    #[test]
    fn reads_what_wrk_prints() {
        let run = Run::parse(TOLD).unwrap();
        assert_eq!((run.requests, run.seconds), (2140.0, 5.02));
        let longer = TOLD.replace("5.02s", "1.50m");
        assert_eq!(Run::parse(&longer).unwrap().seconds, 90.0);
        let shorter = TOLD.replace("5.02s", "200.00ms");
        assert_eq!(Run::parse(&shorter).unwrap().seconds, 0.2);
    }

    #[test]
    fn refuses_runs_in_which_something_went_wrong() {
        for line in [
            "  Socket errors: connect 0, read 4, write 0, timeout 0\n",
            "  Non-2xx or 3xx responses: 12\n",
        ] {
            let told = TOLD.replace("Requests/sec", &format!("{line}Requests/sec"));
            assert!(Run::parse(&told).is_err(), "{told}");
        }
        for told in [
            "",
            "unable to connect to 10.0.2.50:http Connection refused\n",
            "  0 requests in 5.00s, 0.00B read\n",
            "  x requests in 5.00s, 0.00B read\n",
            "  9 requests in 5.00x, 0.00B read\n",
        ] {
            assert!(Run::parse(told).is_err(), "{told}");
        }
    }
}
