//! The counters, as lines of the log.

use alloc::vec::Vec;
use core::fmt;
use core::future::pending;
use core::time::Duration;

use morgana::exec::Timers;
use morgana::{Platform, log};
use morgana_net_device::Device;
use morgana_vifs::{VifStats, Vifs};

/// Logs every `period` the counters of all interfaces that have changed since.
pub(crate) async fn run<P: Platform, U: Device + 'static>(
    vifs: &Vifs<P, U>,
    timers: &Timers,
    period: Option<Duration>,
) {
    let Some(period) = period else {
        return pending().await;
    };
    let mut before: Vec<VifStats> = Vec::new();
    loop {
        timers.sleep(period).await;
        let now = vifs.stats();
        for stats in &now {
            let same = |old: &&VifStats| old.vif == stats.vif && old.port == stats.port;
            if before.iter().find(same).is_none() {
                log::info!("{}", Line(stats));
            }
        }
        before = now;
    }
}

/// One interface. Only what is not as it should be is told besides the traffic.
struct Line<'a>(&'a VifStats);

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let VifStats {
            vif,
            connected,
            device,
            port,
        } = self.0;
        let state = if *connected { "" } else { " (not connected)" };
        write!(
            f,
            "{vif}{state}: from it {} frames, {} bytes; to it {} frames, {} bytes",
            port.in_frames, port.in_bytes, port.out_frames, port.out_bytes
        )?;
        for (name, count) in [
            ("malformed", port.in_malformed),
            ("spoofed", port.in_spoofed),
            ("no room", port.out_full),
            ("too long", port.out_too_long),
            ("not as said", port.out_untrue),
            ("violations", device.violations),
        ] {
            if count > 0 {
                write!(f, "; {name} {count}")?;
            }
        }
        Ok(())
    }
}
