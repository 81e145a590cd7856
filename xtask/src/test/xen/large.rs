//! Large TCP packets (GSO) between a guest and Linux' own back end: streams in both directions, over IPv4 and IPv6, whose bytes are compared.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::{Lab, XenTest};
use crate::run::{ADDRESS, ADDRESS_WORDS};

pub(super) const TESTS: &[XenTest] = &[XenTest {
    name: "large/echo",
    run: echo,
}];

/// The guest's IPv6 address, and dom0's.
const ADDRESS6: &str = "fd00::50";
const DOM0_6: &str = "fd00::1/64";
/// Bytes of a stream: as frames of 64 KiB they take each slot of the rings several times.
const BYTES: u32 = 4 << 20;

fn echo(lab: &Lab<'_>) -> Result<()> {
    let guest = lab.guest("guest-iperf", &format!("{ADDRESS_WORDS} ip6={ADDRESS6}/64"))?;
    guest.create(lab)?;
    lab.expect_line(&guest, "serving")?;
    lab.sh(&format!(
        "ip address add {DOM0_6} dev xenbr0 nodad; head -c {BYTES} /dev/urandom >/run/sent"
    ))?;
    for (number, address) in [ADDRESS.to_string(), ADDRESS6.into()].iter().enumerate() {
        let script = format!(
            "timeout 100 busybox nc {address} 7 </run/sent >/run/heard; cmp /run/sent /run/heard"
        );
        lab.sh_within(&script, Duration::from_secs(120))
            .with_context(|| format!("the echo of {address} is wrong"))?;
        let line = lab.expect_line(&guest, &format!("echo {number}:"))?;
        let words: Vec<&str> = line.split_whitespace().collect();
        let count = |name: &str| -> Option<u64> {
            let at = words.iter().position(|word| *word == name)?;
            words.get(at + 1)?.parse().ok()
        };
        let (received, sent) = (count("received"), count("sent"));
        ensure!(
            received > Some(0) && sent > Some(0),
            "no large frames were exchanged with {address}: {line}"
        );
    }
    Ok(())
}
