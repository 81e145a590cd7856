//! The command line.

use std::time::Duration;

use crate::schedule::Step;

/// Sends HTTP requests at a given rate, whether or not they are answered in time, and tells how long the answers took from when each was due.
#[derive(Debug, clap::Parser)]
#[command(name = "load", version)]
pub(crate) struct Arguments {
    /// What is asked for: http://HOST[:PORT]/PATH
    pub(crate) url: String,
    /// Requests a second, at the beginning
    #[arg(long, default_value_t = 100.0, value_name = "N", value_parser = rate, conflicts_with = "step")]
    pub(crate) rate: f64,
    /// Requests a second at the end: the rate changes evenly
    #[arg(long, value_name = "N", value_parser = rate, conflicts_with = "step")]
    pub(crate) ramp_to: Option<f64>,
    /// How long: 90s, 1500ms, 5m
    #[arg(long, default_value = "10s", value_name = "TIME", value_parser = duration, conflicts_with = "step")]
    pub(crate) over: Duration,
    /// A rate for a time, one after the other: 100:10s; or from one rate to another: 100-1000:60s. May be repeated
    #[arg(long, value_name = "RATE:TIME", value_parser = step)]
    pub(crate) step: Vec<Step>,
    /// Connections at a time
    #[arg(long, default_value_t = 100, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=50_000))]
    pub(crate) connections: u32,
    /// Requests that are due and wait for a connection, at the most
    #[arg(long, default_value_t = 100_000, value_name = "N")]
    pub(crate) queue: usize,
    /// How long an answer may take once its request was sent
    #[arg(long, default_value = "10s", value_name = "TIME", value_parser = duration)]
    pub(crate) timeout: Duration,
    /// The method: GET, HEAD or POST
    #[arg(long, default_value = "GET", value_name = "NAME", value_parser = ["GET", "HEAD", "POST"])]
    pub(crate) method: String,
    /// The content of a POST
    #[arg(long, default_value = "", value_name = "TEXT")]
    pub(crate) data: String,
    /// Open a connection for each request
    #[arg(long)]
    pub(crate) no_keep_alive: bool,
    /// Report in JSON, one object a line, on standard output
    #[arg(long)]
    pub(crate) json: bool,
    /// End with status 0 although requests have failed
    #[arg(long)]
    pub(crate) allow_errors: bool,
}

/// A rate: up to a million a second.
fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse::<f64>().ok();
    let rate = rate.filter(|rate| (0.0..=1e6).contains(rate));
    rate.ok_or_else(|| "a rate is a number from 0 to 1000000".into())
}

/// A time with its unit, up to a day.
fn duration(text: &str) -> Result<Duration, String> {
    let units = [("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0)];
    let mut parsed = units.iter().filter_map(|(unit, seconds)| {
        let number = text.strip_suffix(unit)?.parse::<f64>().ok()?;
        Some(number * seconds)
    });
    let seconds = parsed.find(|seconds| *seconds > 0.0 && *seconds <= 86_400.0);
    let seconds = seconds.ok_or("a time is a number with ms, s, m or h, up to a day")?;
    Ok(Duration::from_secs_f64(seconds))
}

fn step(text: &str) -> Result<Step, String> {
    let (rates, time) = text
        .split_once(':')
        .ok_or("a step is RATE:TIME, as 100:10s")?;
    let (from, to) = rates.split_once('-').unwrap_or((rates, rates));
    Ok(Step {
        from: rate(from)?,
        to: rate(to)?,
        over: duration(time)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_steps_are_read() {
        assert_eq!(duration("1500ms"), Ok(Duration::from_millis(1500)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        for text in ["", "5", "s", "-1s", "0s", "25h", "infs", "NaNs"] {
            assert!(duration(text).is_err(), "{text}");
        }
        let ramp = step("100-1e3:60s").expect("a step");
        assert_eq!(
            (ramp.from, ramp.to, ramp.over),
            (100.0, 1000.0, Duration::from_secs(60))
        );
        for text in ["100", "100:", ":1s", "-5:1s", "1-:1s", "NaN:1s", "1e7:1s"] {
            assert!(step(text).is_err(), "{text}");
        }
    }
}
