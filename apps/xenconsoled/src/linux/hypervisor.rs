//! The log of what Xen says.

use std::error::Error;

use morgana_hal::{Channel, Clock, Events, Platform, Virq};
use morgana_linux::{HypervisorConsole, Linux, LinuxChannel, LinuxClock};
use morgana_xenconsoled::{Escapes, Lines};

use super::arguments::Settings;
use super::logs::{FileLog, Logs};

/// Xen's console, and its log.
pub(crate) struct Console {
    console: HypervisorConsole,
    /// Tells that there is something new.
    news: LinuxChannel,
    lines: Lines,
    log: FileLog,
}

impl Console {
    pub(crate) fn open(
        platform: &Linux,
        logs: &Logs,
        settings: &Settings,
    ) -> Result<Self, Box<dyn Error>> {
        let stamps = settings.stamped.hypervisor_stamps();
        let news = platform.events().virq(Virq::ConsoleRing);
        Ok(Self {
            console: HypervisorConsole::open()?,
            news: news.map_err(|error| format!("Xen's console: {error}"))?,
            // Guests can have Xen print what they chose.
            lines: Lines::new(stamps, Escapes::Replace),
            log: logs.open_hypervisor()?,
        })
    }

    /// Logs all that Xen has said and says.
    pub(crate) async fn follow(mut self) {
        let (mut said, mut text) = (Vec::new(), Vec::new());
        loop {
            let seen = self.news.count();
            loop {
                said.clear();
                if let Err(error) = self.console.read(&mut said) {
                    log::error!("Xen's console cannot be read: {error}");
                    break;
                }
                if said.is_empty() {
                    break;
                }
                text.clear();
                self.lines.add(&said, LinuxClock.wall(), &mut text);
                if let Err(error) = self.log.add(&text) {
                    log::error!("Xen's console cannot be logged: {error}");
                }
            }
            self.news.after(seen).await;
        }
    }
}
