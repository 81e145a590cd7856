//! Our stub-domain with many guests, each of which has all the nodes that it may; and what it does when its memory is out.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::Lab;
use crate::build::Changes;

/// Guests at once, if `MORGANA_GUESTS` says nothing else. (50 take many minutes.)
const GUESTS: u32 = 5;
/// The default quota of a guest (`Quota::nodes`).
const NODES: u32 = 1000;
/// How long it may take to make all of the guests, or all of the nodes.
const PATIENCE: Duration = Duration::from_secs(900);

/// The ids of the guests, a line each.
const DOMAINS: &str = "xl list | awk '/^guest-/ { print $2 }'";

/// Guests come, have their nodes, and go; between that what memory is left is filled.
pub(super) fn crowd(lab: &Lab<'_>) -> Result<()> {
    let guests = match std::env::var("MORGANA_GUESTS") {
        Ok(number) => number.parse().context("MORGANA_GUESTS is no number")?,
        Err(_) => GUESTS,
    };
    make_guests(lab, guests)?;
    let said = look(lab, guests)?;
    exhaust(lab).with_context(|| said)?;
    // All of it goes with the guests; and one more can come and go.
    let said = lab.sh_within(
        "cd /guests; for name in $(xl list | awk '/^guest-/ { print $1 }'); do xl destroy $name || exit 1; done; \
         xl create -q guest-0.cfg && xl destroy guest-0 && xl list && xenstore-control memreport && xenstore-control check",
        PATIENCE,
    )?;
    ensure!(!said.contains("guest-") && said.contains("OK"), "{said}");
    Ok(())
}

/// Guests that fill what they own of the tree.
fn make_guests(lab: &Lab<'_>, guests: u32) -> Result<()> {
    for number in 0..guests {
        let changes = Changes {
            name: Some(format!("guest-{number}")),
            memory: Some(4),
            ..Changes::default()
        };
        lab.guest_with("guest-nodes", &changes)?;
    }
    let create = "cd /guests; for cfg in guest-*.cfg; do xl create -q $cfg || exit 1; done; \
         until [ $(grep -l 'nodes with a value' /var/log/xen/console/guest-guest-*.log | wc -l) = $(ls guest-*.cfg | wc -l) ]; do sleep 1; done";
    lab.sh_within(create, PATIENCE).map(drop)
}

/// All nodes are there, and are their guests'. Returns what memory they take.
fn look(lab: &Lab<'_>, guests: u32) -> Result<String> {
    let script = format!(
        "xenstore-control memreport; xenstore-control check; for domain in $({DOMAINS}); do \
         owned=$(xenstore-control quota $domain | awk '/^nodes/ {{ print $3 }}'); [ $owned = {NODES} ] || exit 1; echo $owned; done | wc -l"
    );
    let said = lab.sh_within(&script, PATIENCE)?;
    let all = guests.to_string();
    let is_well = said.contains("OK") && said.lines().last() == Some(&all);
    ensure!(is_well, "not {NODES} nodes for each of {all}:\n{said}");
    Ok(said)
}

/// Long values until one is refused. What takes nothing goes on, and what was made can be taken away.
fn exhaust(lab: &Lab<'_>) -> Result<()> {
    let script = "value=$(head -c 3900 /dev/zero | tr '\\0' v); number=0; \
         several() { for key in 1 2 3 4 5 6 7 8; do echo /tool/filler/$number-$key $value; done; }; \
         while [ $number -lt 400 ] && xenstore-write $(several); do number=$((number+1)); done 2>/run/refusal; \
         echo $number; cat /run/refusal; [ $number -lt 400 ] && echo refused; xenstore-control memreport; \
         xenstore-read /local/domain/0/name && xenstore-rm /tool/filler && xenstore-write /tool/after all && \
         xenstore-read /tool/after && xl list >/dev/null && xenstore-control check && echo it goes on";
    let said = lab.sh_within(script, PATIENCE)?;
    let is_well = said.contains("refused") && said.contains("OK") && said.contains("it goes on");
    ensure!(is_well, "{said}");
    Ok(())
}
