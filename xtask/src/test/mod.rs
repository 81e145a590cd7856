//! `cargo xtask test`: the suites, and one line for each test.

mod browser;
mod counted;
mod loom;
mod machines;
mod miri;
mod priority;
mod tally;
mod unit;
mod xen;

use std::panic::resume_unwind;
use std::thread;

use anyhow::{Result, bail};

use crate::check;
use crate::cli::Test;
use crate::machines::Foreign;
use crate::workspace::Workspace;

use miri::Wanted;
use priority::{Priority, run_at};
use tally::Voice;

pub(crate) use tally::Tally;

/// What runs if nothing is named.
const SUITES: [&str; 6] = ["check", "unit", "browser", "loom", "miri", "xen"];

/// What runs only if it is named: it takes long to build.
const BY_NAME: [&str; 2] = ["libvirt", "ec2"];

/// What runs beside the tests on Xen, if those are wanted too: their machine keeps one processor busy, and part of another. Suites of one list
/// run one after the other: they build in the same folder.
const BESIDE_XEN: [&[&str]; 2] = [
    &["check", "unit", "browser"],
    &["loom", "miri", "libvirt", "ec2"],
];

/// Runs the suites; returns 1 if a test failed.
pub(crate) fn run(arguments: &Test) -> Result<i32> {
    let (asked, wanted): (Vec<&str>, _) = match &arguments.suites[..] {
        [] => (SUITES.to_vec(), Wanted::WithAll),
        suites => (suites.iter().map(String::as_str).collect(), Wanted::ByName),
    };
    for suite in &asked {
        let known = SUITES.contains(suite)
            || BY_NAME.contains(suite)
            || suite.strip_prefix("xen/").is_some_and(xen::knows);
        if !known {
            bail!(
                "there is no suite called {suite}: the suites are {}, {} and xen/NAME with NAME one of {}",
                SUITES.join(", "),
                BY_NAME.join(", "),
                xen::names()
            );
        }
    }
    let workspace = Workspace::load()?;
    let (on_xen, others): (Vec<&str>, Vec<&str>) =
        asked.iter().partition(|suite| suite.starts_with("xen"));
    let tally = if on_xen.is_empty() || others.is_empty() {
        one_by_one(&workspace, &asked, wanted, Voice::AtOnce)
    } else {
        beside_xen(&workspace, &on_xen, &others, wanted)
    };
    tally.finish();
    Ok(i32::from(tally.failed() > 0))
}

/// Suites on Xen, and others beside them.
fn beside_xen(workspace: &Workspace, on_xen: &[&str], others: &[&str], wanted: Wanted) -> Tally {
    thread::scope(|scope| {
        let beside = BESIDE_XEN.map(|lane| {
            let mut suites = others.to_vec();
            suites.retain(|suite| lane.contains(suite));
            scope.spawn(move || {
                run_at(Priority::WhateverIsLeft);
                one_by_one(workspace, &suites, wanted, Voice::BySuite)
            })
        });
        let mut tally = one_by_one(workspace, on_xen, wanted, Voice::AtOnce);
        for suites in beside {
            tally.absorb(suites.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        tally
    })
}

fn one_by_one(workspace: &Workspace, suites: &[&str], wanted: Wanted, voice: Voice) -> Tally {
    let mut tally = Tally::new(voice);
    for suite in suites {
        tally.suite(suite, |tally| match *suite {
            "check" => check::suite(workspace, tally),
            "unit" => unit::suite(workspace, tally),
            "browser" => browser::suite(workspace, tally),
            "loom" => loom::suite(workspace, tally),
            "miri" => miri::suite(workspace, wanted, tally),
            "libvirt" => machines::suite(workspace, Foreign::Libvirt, tally),
            "ec2" => machines::suite(workspace, Foreign::Ec2, tally),
            "xen" => xen::suite(workspace, None, tally),
            one => xen::suite(workspace, one.strip_prefix("xen/"), tally),
        });
    }
    tally
}

#[cfg(test)]
mod tests {
    use super::{BESIDE_XEN, BY_NAME, SUITES};

    #[test]
    fn no_suite_is_left_out() {
        let mut all = BESIDE_XEN.concat();
        all.push("xen");
        let mut known = [&SUITES[..], &BY_NAME].concat();
        all.sort_unstable();
        known.sort_unstable();
        assert_eq!(all, known);
    }
}
