//! The access log: `access-log=on` on the command line.

use alloc::rc::Rc;
use core::str::FromStr;

use morgana::{Platform, log};
use morgana_http::Server;

use crate::Site;

/// How many bytes of lines may wait for the domain's log.
pub(crate) const WAITING_LINES: usize = 8 * 1024;
/// How long a line is at most.
const LINE: usize = morgana_http::server::LINE;

/// Whether requests are logged.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Logging {
    /// They are not.
    #[default]
    Off,
    /// A line of the Combined Log Format for each request goes to the domain's log.
    On,
}

/// Neither `on` nor `off`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotOnOrOff;

impl FromStr for Logging {
    type Err = NotOnOrOff;

    fn from_str(text: &str) -> Result<Self, NotOnOrOff> {
        match text {
            "on" => Ok(Self::On),
            "off" => Ok(Self::Off),
            _ => Err(NotOnOrOff),
        }
    }
}

/// Writes a server's lines to the domain's log as they come, if it has any.
pub async fn write_access_log<P: Platform>(server: Rc<Server<Site<P>>>) {
    use morgana_http::Handler as _;
    let Some(lines) = server.handler().access_log() else {
        return;
    };
    let mut line = [0; LINE];
    let mut dropped = 0;
    loop {
        let length = lines.next(&mut line).await;
        let text = line.get(..length).map(str::from_utf8);
        if let Some(Ok(text)) = text {
            log::info!(target: "access", "{text}");
        }
        if lines.dropped() > dropped {
            log::warn!(target: "access", "{} lines were dropped", lines.dropped() - dropped);
            dropped = lines.dropped();
        }
    }
}
