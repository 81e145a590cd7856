//! `morgana create`.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use morgana_builder::Image;
use morgana_exec::{Either, select};
use morgana_hal::{Clock, DomId, Platform};
use morgana_linux::{LinuxClock, LinuxToolstack};
use morgana_toolstack::{Action, Config, Ended, Host, Uuid};

use crate::cli::Create;
use crate::failure::Failure;
use crate::session::Session;

/// The largest kernel that is read, in bytes.
const LARGEST_KERNEL: u64 = 1 << 30;
/// The largest configuration.
const LARGEST_CONFIG: u64 = 1 << 20;

/// `SHUTDOWN_poweroff` and `SHUTDOWN_reboot` (sched.h).
const POWEROFF: u8 = 0;
const REBOOT: u8 = 1;

pub(super) async fn run(
    session: &Session,
    host: &Host<LinuxToolstack>,
    arguments: Create,
) -> Result<(), Failure> {
    let path = &arguments.config;
    let text = read(path, LARGEST_CONFIG)?;
    let text = String::from_utf8(text)
        .map_err(|_| Failure::Failed(format!("{}: it is no UTF-8 text", path.display())))?;
    let mut config = Config::parse(&text)
        .map_err(|error| Failure::Failed(format!("{}: {error}", path.display())))?;
    if let Some(name) = arguments.name {
        config.name = name;
    }
    if arguments.extra.iter().any(|word| !word.is_empty()) {
        let words = [config.extra].into_iter().chain(arguments.extra);
        config.extra = words.collect::<Vec<_>>().join(" ");
    }
    let kernel = Path::new(&config.kernel);
    let image = Image::parse(read(kernel, LARGEST_KERNEL)?)
        .map_err(|error| Failure::Failed(format!("{}: {error}", kernel.display())))?;
    loop {
        let domain = start(session, host, &config, &image).await?;
        writeln!(io::stdout(), "{}", domain.number())?;
        if !arguments.wait {
            return Ok(());
        }
        if !follow(session, host, &config, domain).await? {
            return Ok(());
        }
    }
}

async fn start(
    session: &Session,
    host: &Host<LinuxToolstack>,
    config: &Config,
    image: &Image,
) -> Result<DomId, Failure> {
    let mut random = [0; 16];
    session.platform.entropy(&mut random);
    let created = host.create(config, image, Uuid::from_random(random), LinuxClock.wall());
    created.await.map_err(Failure::of)
}

/// Waits for the domain's end, and does what its configuration says then. Says whether it is to be made anew.
async fn follow(
    session: &Session,
    host: &Host<LinuxToolstack>,
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

fn read(path: &Path, largest: u64) -> Result<Vec<u8>, Failure> {
    let wrong = |error: io::Error| Failure::Failed(format!("{}: {error}", path.display()));
    let len = fs::metadata(path).map_err(wrong)?.len();
    if len > largest {
        return Err(Failure::Failed(format!(
            "{}: it has more than {} MiB",
            path.display(),
            largest >> 20
        )));
    }
    fs::read(path).map_err(wrong)
}
