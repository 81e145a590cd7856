//! `cargo xtask test`: the suites, and one line for each test.

mod counted;
mod loom;
mod miri;
mod priority;
mod tally;
mod unit;
mod xen;

use anyhow::{Result, bail};

use crate::check;
use crate::cli::Test;
use crate::workspace::Workspace;

use miri::Wanted;

pub(crate) use tally::Tally;

/// All suites, in the order in which they run if none is named.
const SUITES: [&str; 5] = ["check", "unit", "loom", "miri", "xen"];

/// Runs the suites; returns 1 if a test failed.
pub(crate) fn run(arguments: &Test) -> Result<i32> {
    let (asked, wanted): (Vec<&str>, _) = match &arguments.suites[..] {
        [] => (SUITES.to_vec(), Wanted::WithAll),
        suites => (suites.iter().map(String::as_str).collect(), Wanted::ByName),
    };
    for suite in &asked {
        let known = SUITES.contains(suite) || suite.strip_prefix("xen/").is_some_and(xen::knows);
        if !known {
            bail!(
                "there is no suite called {suite}: the suites are {}, and xen/NAME with NAME one of {}",
                SUITES.join(", "),
                xen::names()
            );
        }
    }
    let workspace = Workspace::load()?;
    let mut tally = Tally::default();
    for suite in &asked {
        tally.suite(suite, |tally| match *suite {
            "check" => check::suite(&workspace, tally),
            "unit" => unit::suite(&workspace, tally),
            "loom" => loom::suite(&workspace, tally),
            "miri" => miri::suite(&workspace, wanted, tally),
            "xen" => xen::suite(&workspace, None, tally),
            one => xen::suite(&workspace, one.strip_prefix("xen/"), tally),
        });
    }
    tally.finish();
    Ok(i32::from(tally.failed() > 0))
}
