//! `cargo xtask test`: the suites, and one line for each test.

mod counted;
mod loom;
mod miri;
mod tally;
mod unit;
mod xen;

use anyhow::{Result, bail};

use crate::check;
use crate::cli::Test;
use crate::workspace::Workspace;

pub(crate) use tally::Tally;

/// All suites.
const SUITES: [&str; 5] = ["check", "unit", "loom", "miri", "xen"];
/// Those that run if none is named, in this order. Miri takes minutes, and a compiler of its own.
const DEFAULT: [&str; 4] = ["check", "unit", "loom", "xen"];

/// Runs the suites; returns 1 if a test failed.
pub(crate) fn run(arguments: &Test) -> Result<i32> {
    let asked: Vec<&str> = match &arguments.suites[..] {
        [] => DEFAULT.to_vec(),
        suites => suites.iter().map(String::as_str).collect(),
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
        match *suite {
            "check" => check::suite(&workspace, &mut tally),
            "unit" => unit::suite(&workspace, &mut tally),
            "loom" => loom::suite(&workspace, &mut tally),
            "miri" => miri::suite(&workspace, &mut tally),
            "xen" => xen::suite(&workspace, None, &mut tally),
            one => xen::suite(&workspace, one.strip_prefix("xen/"), &mut tally),
        }
    }
    tally.finish();
    Ok(i32::from(tally.failed() > 0))
}
