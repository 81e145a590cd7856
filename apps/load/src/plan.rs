//! What is to be done.

use std::time::Duration;

use morgana_http::Method;

use crate::arguments::Arguments;
use crate::schedule::{Schedule, Step};
use crate::target::Target;

/// What is to be done.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) target: Target,
    pub(crate) schedule: Schedule,
    pub(crate) connections: usize,
    pub(crate) queue: usize,
    pub(crate) timeout: Duration,
    pub(crate) method: Method,
    pub(crate) data: Vec<u8>,
    pub(crate) reuse: Reuse,
    pub(crate) format: Format,
}

/// Whether connections carry more than one request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Reuse {
    KeepAlive,
    Never,
}

/// How results are told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Format {
    Text,
    Json,
}

impl Plan {
    /// Checks the arguments, and looks the host up.
    pub(crate) fn new(arguments: &Arguments) -> Result<Self, String> {
        let steps = match arguments.step.is_empty() {
            false => arguments.step.clone(),
            true => vec![Step {
                from: arguments.rate,
                to: arguments.ramp_to.unwrap_or(arguments.rate),
                over: arguments.over,
            }],
        };
        let schedule = Schedule::new(steps);
        if schedule.length() > Duration::from_secs(86_400) {
            return Err("a run may take a day".into());
        }
        if schedule.clone().next().is_none() {
            return Err("no request is ever due".into());
        }
        // The argument's parser lets no other through.
        let method = Method::parse(arguments.method.as_bytes()).ok_or("no such method")?;
        if !arguments.data.is_empty() && method != Method::Post {
            return Err("--data needs --method POST".into());
        }
        Ok(Self {
            target: Target::parse(&arguments.url)?,
            schedule,
            connections: arguments.connections as usize,
            queue: arguments.queue,
            timeout: arguments.timeout,
            method,
            data: arguments.data.clone().into_bytes(),
            reuse: match arguments.no_keep_alive {
                true => Reuse::Never,
                false => Reuse::KeepAlive,
            },
            format: match arguments.json {
                true => Format::Json,
                false => Format::Text,
            },
        })
    }
}
