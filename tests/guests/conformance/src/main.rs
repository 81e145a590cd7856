//! Plays one part in the conformance suite: as a PV guest, or as a Linux process.
//!
//! On the command line: `role=subject` or `role=peer`, `root=PATH` (a node that both may write), `stranger=ID` (a domain that exists and is
//! neither of the two).

#![cfg_attr(target_os = "none", no_std, no_main)]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::string::String;

use morgana::hal::DomId;
use morgana::{Domain, Platform, log};
use morgana_conformance::{Failure, Meeting, Party, Role, run};

morgana::main!(conformance);

/// The last line that it writes begins with `SUCCESS` or `FAILURE`.
async fn conformance<P: Platform>(domain: Domain<P>) -> Result<(), Failure> {
    let outcome = play(&domain).await;
    match &outcome {
        Ok(()) => log::info!("SUCCESS"),
        Err(why) => log::error!("FAILURE: {why}"),
    }
    outcome
}

async fn play<P: Platform>(domain: &Domain<P>) -> Result<(), Failure> {
    let words = domain.command_line();
    let meeting = Meeting {
        root: words.parse("root", String::from("/conformance"))?,
        role: words.parse("role", Role::Subject)?,
        stranger: DomId::new(words.parse("stranger", 0)?),
    };
    let client = domain.xenstore()?.clone();
    let platform = domain.platform().clone();
    let party = Party::join(platform, domain.tasks(), client, meeting).await?;
    log::info!("{} here, {} there", party.own(), party.peer());
    run(&party, |check| log::info!("ok: {check}")).await
}
