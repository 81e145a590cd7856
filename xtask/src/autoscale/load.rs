//! The load on the service: the load generator in dom0, again and again.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Result, ensure};

use super::addresses::BALANCER;
use super::run::Run;
use super::service::Service;
use crate::build::Workshop;
use crate::testbed::Deadline;

/// A load that rises tenfold and falls.
const WAVE: &str = "--step 8:15s --step 8-80:15s --step 80:30s --step 80-8:15s --step 8:30s";
/// Orders of posters meanwhile.
const ORDERS: &str = "--step 0.5:15s --step 4:30s --step 0.5:60s";
/// What is asked for, and ordered.
const TILE: &str = "tiles/2/1/1";
const POSTER: &str = "posters?level=3&x=2&y=3&side=64&iterations=1000";
/// How long a load may take.
const PATIENCE: Duration = Duration::from_secs(900);
/// The program in dom0.
const PROGRAM: &str = "/bin/load";

/// A load.
#[derive(Debug)]
pub(crate) struct Load {
    program: PathBuf,
    arguments: String,
}

impl Load {
    /// The usual one, or one of these arguments of the load generator.
    pub(crate) fn of(workshop: &Workshop<'_>, words: &[String]) -> Result<Load> {
        let arguments = match words {
            [] => WAVE.to_owned(),
            words => words.join(" "),
        };
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || " -.:=".contains(letter);
        ensure!(
            arguments.chars().all(is_plain),
            "arguments of the load generator, but for the URL, are wanted: {arguments}"
        );
        Ok(Load {
            program: workshop.program("load")?,
            arguments,
        })
    }

    /// The arguments of the load generator.
    pub(crate) fn arguments(&self) -> &str {
        &self.arguments
    }

    /// Puts it on the service once, with orders beside it, and returns what came of it.
    pub(crate) fn measure(&self, service: &Service<'_>) -> Result<Run> {
        let testbed = service.testbed();
        testbed.put(&self.program, PROGRAM)?;
        let before = service.series(0)?;
        let script = format!(
            "chmod 755 {PROGRAM}; \
             {PROGRAM} {ORDERS} --method POST --allow-errors 'http://{BALANCER}/{POSTER}' >/dev/null 2>&1 & orders=$!; \
             {PROGRAM} {} --timeout 30s --allow-errors --json http://{BALANCER}/{TILE} >/load.json; kill $orders 2>/dev/null; cat /load.json",
            self.arguments
        );
        let lines = testbed.sh_within(&script, PATIENCE)?;
        // There are new ones as often as one asks: those up to now are wanted.
        let end = service.series(before.next)?.next;
        let (mut samples, mut from) = (Vec::new(), before.next);
        while from < end {
            let mut series = service.series(from)?;
            from = series.next;
            samples.append(&mut series.samples);
        }
        Run::new(&lines, samples)
    }

    /// Puts it on the service, again and again until it is over; what the generator tells goes to standard error.
    pub(crate) fn put_on(&self, service: &Service<'_>, over: &AtomicBool) -> Result<()> {
        let testbed = service.testbed();
        testbed.put(&self.program, PROGRAM)?;
        testbed.sh(&format!("chmod 755 {PROGRAM}"))?;
        // One after the other, so that a generator that does not begin is not begun for ever.
        let script = format!(
            "trap 'kill $orders 2>/dev/null' EXIT; \
             while [ ! -e /run/load.over ]; do \
             {PROGRAM} {ORDERS} --method POST --allow-errors 'http://{BALANCER}/{POSTER}' >/dev/null 2>&1 & orders=$!; \
             {PROGRAM} {} --allow-errors http://{BALANCER}/{TILE} 2>&1 || sleep 1; \
             kill $orders 2>/dev/null; done",
            self.arguments
        );
        std::thread::scope(|scope| {
            let loading = scope.spawn(|| {
                let (mut out, mut err) = (io::stderr(), io::stderr());
                testbed.run(&script, Deadline::never(), &mut out, &mut err)
            });
            while !over.load(Ordering::SeqCst) && !loading.is_finished() {
                std::thread::sleep(Duration::from_millis(50));
            }
            let ended = testbed.sh("touch /run/load.over; killall load 2>/dev/null; true");
            let status = loading.join();
            ended?;
            ensure!(
                over.load(Ordering::SeqCst),
                "the load generator ended: {status:?}"
            );
            Ok(())
        })
    }
}
