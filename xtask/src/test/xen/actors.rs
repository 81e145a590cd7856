//! Actors of several nodes: two domains that find each other by vchan, a process of dom0 by TCP, and what each of them is told when a domain dies without a word.

use std::collections::BTreeSet;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::{Lab, XenTest};
use crate::build::Changes;
use crate::run::ADDRESS_WORDS;
use crate::testbed::Guest;

pub(super) const TESTS: &[XenTest] = &[XenTest {
    name: "actors",
    run: actors,
}];

const APP: &str = "counter";
/// What asks it is the same image.
const ASKER: &str = "asker";
/// How long a line may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// What the program has at a time (`Load::DEFAULT`).
const REQUESTS: &str = "8 peer gone";
/// A virtual machine under emulation may be late by itself.
const MOST_BEYOND_MS: u64 = 2_000;

/// With what all said, if it fails.
fn actors(lab: &Lab<'_>) -> Result<()> {
    find_and_lose(lab).map_err(|error| {
        let said = lab.sh("tail -n 30 /var/log/xen/console/guest-*.log /programs/*.log");
        error.context(said.unwrap_or_default())
    })
}

/// Each finds its counter by the way that suits, is told in time when it is gone, and finds the next one.
fn find_and_lose(lab: &Lab<'_>) -> Result<()> {
    let program = lab.program(APP)?;
    let server = lab.guest(APP, ADDRESS_WORDS)?;
    let asker = asker(lab, 1)?;
    server.create(lab)?;
    lab.expect_line(&server, "counting at port 7000")?;
    asker.create(lab)?;
    introduce(lab)?;
    lab.start_program(&program, "role=client server=10.0.2.50:7000", "the sum is")?;
    lab.expect_line(&asker, "the sum is")?;
    lab.expect_line(&server, "domain ")?;
    lines(
        lab,
        Source::Guest(&asker),
        "the counter is there by vchan",
        1,
    )?;

    // With eight requests of each under way, and without a word.
    server.destroy(lab)?;
    let by_tcp = Source::Program(&program);
    let by_vchan = Source::Guest(&asker);
    for (way, source) in [("TCP", by_tcp), ("vchan", by_vchan)] {
        let line = &lines(lab, source, &format!("the counter by {way} is gone; "), 1)?[0];
        is_as_it_is_to_be(line).with_context(|| format!("said was: {line}"))?;
    }

    // Another domain has the same name and address, but not the same number: the old place would be found by TCP.
    lab.sh(&format!(
        "xenstore-rm /local/domain/$(xl domid {ASKER})/data/actors/server"
    ))?;
    server.create(lab)?;
    introduce(lab)?;
    for (way, source) in [("TCP", by_tcp), ("vchan", by_vchan)] {
        let there = lines(lab, source, &format!("the counter is there by {way}"), 2)?;
        let incarnations: BTreeSet<_> = there.iter().map(|line| line.rsplit(' ').next()).collect();
        ensure!(incarnations.len() == 2, "one and the same: {there:?}");
        lines(lab, source, "the sum is", 2)?;
    }

    // The other end dies. The server goes on, and that on another host is asked by TCP.
    asker.destroy(lab)?;
    lines(lab, Source::Guest(&server), " is gone: ", 1)?;
    let elsewhere = self::asker(lab, 2)?;
    lab.sh(&format!("rm -f /var/log/xen/console/guest-{ASKER}.log"))?;
    elsewhere.create(lab)?;
    introduce(lab)?;
    lab.expect_line(&elsewhere, "the counter is there by TCP")?;
    lab.expect_line(&elsewhere, "the sum is")?;
    let said = lab.sh(&format!("cat {program}.log"))?;
    let ends = said.matches(" is gone; ").count();
    ensure!(ends == 1, "who asks by TCP suffered:\n{said}");
    Ok(())
}

/// The asker, on a host with this number.
fn asker(lab: &Lab<'_>, host: u32) -> Result<Guest> {
    let changes = Changes {
        name: Some(ASKER.to_owned()),
        extra: format!("role=client host={host} ip=10.0.2.51/24"),
        ..Changes::default()
    };
    lab.guest_with(APP, &changes)
}

/// Tells both domains of each other, as the app's README says.
fn introduce(lab: &Lab<'_>) -> Result<()> {
    lab.sh(&format!(
        "server=$(xl domid {APP}); client=$(xl domid {ASKER})\n\
         xenstore-write /local/domain/$server/data/actors/clients \"$client\"\n\
         xenstore-write /local/domain/$client/data/actors/server \"host=1 domain=$server \
         path=/local/domain/$server/data/actors/$client tcp=10.0.2.50:7000\""
    ))
    .map(drop)
}

/// All eight ended as they are to, in time, and who watched was told.
fn is_as_it_is_to_be(line: &str) -> Result<()> {
    let (_, report) = line.split_once("requests: ").context("no report")?;
    let mut parts = report.split(", ");
    let answered = parts.next().unwrap_or_default();
    ensure!(answered != "0 answered", "none was answered before");
    ensure!(parts.next() == Some(REQUESTS), "other ends");
    let _late = parts.next();
    ensure!(parts.next() == Some("0 otherwise"), "other reasons");
    let (beyond, told) = parts
        .next()
        .and_then(|rest| rest.split_once(" ms beyond the deadline; told: "))
        .context("no times")?;
    ensure!(beyond.parse::<u64>()? < MOST_BEYOND_MS, "too late");
    ensure!(told.contains("can no longer be reached"), "told otherwise");
    Ok(())
}

/// Whose lines are read.
#[derive(Clone, Copy)]
enum Source<'a> {
    Guest(&'a Guest),
    Program(&'a str),
}

/// The lines with a text, as soon as there are so many.
fn lines(lab: &Lab<'_>, source: Source<'_>, text: &str, count: usize) -> Result<Vec<String>> {
    let start = Instant::now();
    loop {
        let all = match source {
            Source::Guest(guest) => guest.console(lab).unwrap_or_default(),
            Source::Program(program) => lab.sh(&format!("cat {program}.log"))?,
        };
        let found = all.lines().filter(|line| line.contains(text));
        let found: Vec<String> = found.map(|line| line.trim().to_owned()).collect();
        if found.len() >= count {
            return Ok(found);
        }
        ensure!(
            start.elapsed() < PATIENCE,
            "not {count} times {text:?} in:\n{all}"
        );
        sleep(Duration::from_millis(200));
    }
}
