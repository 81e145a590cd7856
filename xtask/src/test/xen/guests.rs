//! The guests under tests/guests. Such a guest writes `SUCCESS`, or `FAILURE` and why, and powers off; or it ends in some other way
//! on purpose, and what it wrote then is compared.

use std::io::Write;

use anyhow::{Context, Result, ensure};

use super::{Lab, XenTest};
use crate::build::Changes;
use crate::symbolize::{Annotator, Scope, Symbols};
use crate::testbed::End;

pub(super) const TESTS: &[XenTest] = &[
    XenTest {
        name: "guests/selftest",
        run: selftest,
    },
    XenTest {
        name: "guests/faults",
        run: faults,
    },
    XenTest {
        name: "guests/names",
        run: names,
    },
];

/// The smallest domain that xl makes, an ordinary one, and one that is mapped only as far as it is used.
fn selftest(lab: &Lab<'_>) -> Result<()> {
    for memory in [4, 16, 512] {
        let (end, console) = run(lab, "guest-selftest", memory, "")?;
        let said = |word: &str| {
            console
                .lines()
                .any(|line| line.trim_start().starts_with(word))
        };
        ensure!(
            !said("FAILURE") && said("SUCCESS") && end == End::PowerOff,
            "with {memory} MiB it ends with {end:?}; its console:\n{console}"
        );
    }
    Ok(())
}

/// What guest-faults is told to do, how it must end, and what it must have written, in this order.
const FAULTS: &[(&str, End, &[&str])] = &[
    ("poweroff", End::PowerOff, &["running: poweroff"]),
    ("reboot", End::Reboot, &["running: reboot"]),
    ("crash", End::Crash, &["running: crash"]),
    (
        "panic",
        End::Crash,
        &[
            "panicked at tests/guests/faults/",
            "on purpose: 42",
            "rip ",
            "backtrace",
            "#1 0x",
        ],
    ),
    (
        "page-fault",
        End::Crash,
        &[
            "fatal: page fault",
            "read from 0x10: null pointer",
            "rip ",
            "backtrace",
            "#1 0x",
        ],
    ),
    (
        "overflow",
        End::Crash,
        &["fatal: stack overflow", "backtrace", "#1 0x"],
    ),
    // Nothing that looks at the stack pointer runs here: Xen ends the domain, since it cannot deliver a fault on a full stack.
    ("overflow-unseen", End::Crash, &["running: overflow-unseen"]),
    (
        "out-of-memory",
        End::Crash,
        &["memory allocation of", "heap: ", "backtrace", "#1 0x"],
    ),
    (
        "late-panic",
        End::Crash,
        &[
            "through the stream",
            "panicked at",
            "after the stream was taken",
            "backtrace",
        ],
    ),
];

fn faults(lab: &Lab<'_>) -> Result<()> {
    for &(way, expected, lines) in FAULTS {
        let (end, console) = run(lab, "guest-faults", 4, way).context(way)?;
        ensure!(
            end == expected,
            "{way} ends with {end:?}; its console:\n{console}"
        );
        let mut rest = console.as_str();
        for line in lines {
            let at = rest
                .find(line)
                .with_context(|| format!("{way} does not write {line:?} there:\n{console}"))?;
            rest = &rest[at + line.len()..];
        }
    }
    Ok(())
}

/// The symbol file gives the functions and lines of a backtrace.
fn names(lab: &Lab<'_>) -> Result<()> {
    for (way, wanted) in [
        ("panic", "tests/guests/faults/src/"),
        ("page-fault", "tests/guests/faults/src/"),
        ("overflow", "deep"),
    ] {
        let (_, console) = run(lab, "guest-faults", 4, way)?;
        let symbols = Symbols::load(&lab.image("guest-faults")?.symbols)?;
        let mut out = Vec::new();
        let mut annotator = Annotator::new(&mut out, Some(symbols), Scope::Backtraces);
        annotator.write_all(console.as_bytes())?;
        let text = String::from_utf8_lossy(&out).into_owned();
        let (_, backtrace) = text.split_once("backtrace").context("no backtrace")?;
        ensure!(
            backtrace.contains(wanted),
            "no {wanted} in the backtrace:\n{text}"
        );
    }
    Ok(())
}

/// Runs a guest until it ends; returns how, and what it wrote to its console.
fn run(lab: &Lab<'_>, app: &str, memory: u32, extra: &str) -> Result<(End, String)> {
    let name = format!("{app}-{memory}-{extra}");
    let changes = Changes {
        name: Some(name.trim_end_matches('-').to_owned()),
        memory: Some(memory),
        extra: extra.to_owned(),
        ..Changes::default()
    };
    lab.run_guest(app, &changes)
}
