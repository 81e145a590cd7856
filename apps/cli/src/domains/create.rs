//! `morgana create`.

use std::io::{self, Write};

use morgana_exec::{Either, select};
use morgana_hal::{Clock, DomId};
use morgana_linux::LinuxClock;
use morgana_toolstack::{Action, Config, Ended};

use super::wanted::{Base, Understood, Wanted, read_config};
use super::{Here, uuid};
use crate::cli::{Convert, Create, Prepare};
use crate::console;
use crate::failure::Failure;
use crate::session::Session;

/// `SHUTDOWN_poweroff` and `SHUTDOWN_reboot` (sched.h).
const POWEROFF: u8 = 0;
const REBOOT: u8 = 1;

pub(super) async fn run(session: &Session, host: &Here, arguments: Create) -> Result<(), Failure> {
    let mut wanted = Wanted::read(&arguments.config, Base::ByLanguage)?.understood()?;
    if let Some(name) = arguments.name {
        wanted.config.rename(name).map_err(Failure::of)?;
    }
    for words in &arguments.extra {
        wanted.config.append(words).map_err(Failure::of)?;
    }
    let source = match arguments.ahead {
        true => Source::BuiltAhead,
        false => Source::New,
    };
    loop {
        let domain = start(session, host, &wanted, source).await?;
        if arguments.console {
            return console::attach(session, host, domain).await;
        }
        writeln!(io::stdout(), "{}", domain.number())?;
        if !arguments.wait || !follow(session, host, &wanted.config, domain).await? {
            return Ok(());
        }
    }
}

pub(super) async fn prepare(
    session: &Session,
    host: &Here,
    arguments: Prepare,
) -> Result<(), Failure> {
    let Understood {
        config,
        image,
        kind,
    } = Wanted::read(&arguments.config, Base::ByLanguage)?.understood()?;
    for _ in 0..arguments.count {
        let (uuid, now) = (uuid(session), LinuxClock.wall());
        let made = host.prepare(&kind, &config, &image, uuid, now);
        let domain = made.await.map_err(Failure::of)?;
        writeln!(io::stdout(), "{}", domain.number())?;
    }
    Ok(())
}

/// Prints a configuration in TOML. Paths stay as they are, though they go from its own folder on there.
pub(crate) fn convert(arguments: &Convert) -> Result<(), Failure> {
    let (config, _) = read_config(&arguments.config)?;
    Ok(write!(io::stdout(), "{}", config.to_toml())?)
}

/// Where a domain comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    /// It is built.
    New,
    /// One that was built ahead is taken, if there is one.
    BuiltAhead,
}

async fn start(
    session: &Session,
    host: &Here,
    wanted: &Understood,
    source: Source,
) -> Result<DomId, Failure> {
    let config = &wanted.config;
    if source == Source::BuiltAhead {
        let taken = host.take(&wanted.kind, config).await;
        if let Some(domain) = taken.map_err(Failure::of)? {
            return Ok(domain);
        }
    }
    let created = host.create(config, &wanted.image, uuid(session), LinuxClock.wall());
    created.await.map_err(Failure::of)
}

/// Waits for the domain's end, and does what its configuration says then. Says whether it is to be made anew.
async fn follow(
    session: &Session,
    host: &Here,
    config: &Config,
    domain: DomId,
) -> Result<bool, Failure> {
    let ended = select(host.ended(domain), session.interrupts.next()).await;
    let ended = match ended {
        Either::First(ended) => ended.map_err(Failure::of)?,
        Either::Second(()) => return Err(Failure::Interrupted),
    };
    let action = match ended {
        Ended::Gone => return Ok(false),
        Ended::ShutDown(POWEROFF) => config.on_poweroff,
        Ended::ShutDown(REBOOT) => config.on_reboot,
        Ended::ShutDown(_) => config.on_crash,
    };
    if action != Action::Preserve {
        host.destroy(domain).await.map_err(Failure::of)?;
    }
    Ok(action == Action::Restart)
}
