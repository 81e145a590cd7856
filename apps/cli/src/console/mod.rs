//! `morgana console`: a domain's console in this terminal.

mod keyboard;
mod lock;
mod screen;
mod tty;

use std::time::Duration;

use morgana_exec::{Either, select};
use morgana_hal::DomId;
use morgana_linux::HasReactor;
use morgana_toolstack::Ended;

use crate::domains::Here;
use crate::failure::Failure;
use crate::session::Session;

use keyboard::{Keyboard, Typed};
use lock::Lock;
use tty::{Tty, Ttys};

/// How long xenconsoled may take to say where the console is.
const PATIENCE: Duration = Duration::from_secs(10);
/// A domain that has ended has said its last word when the console was silent for so long.
const SILENCE: Duration = Duration::from_millis(500);

/// Why the console is left.
enum Left {
    /// The user has typed the escape.
    Escape,
    Signal,
    Ended(Ended),
}

/// Shows the domain's console and passes on what is typed, until the domain has ended or the user leaves.
pub(crate) async fn attach(session: &Session, host: &Here, domain: DomId) -> Result<(), Failure> {
    let _lock = Lock::take(domain)?;
    let mut ttys = Ttys::of(session, domain).await?;
    let mut tty = ttys.next(&session.timers, PATIENCE).await?;
    let mut keyboard = Keyboard::open(session.platform.reactor()).map_err(Failure::of)?;
    keyboard.greet();
    let left = {
        let left = async {
            match select(host.ended(domain), session.interrupts.next()).await {
                Either::First(ended) => ended.map(Left::Ended).map_err(Failure::of),
                Either::Second(()) => Ok(Left::Signal),
            }
        };
        let relayed = relay(session, &mut ttys, &mut tty, &mut keyboard);
        match select(left, relayed).await {
            Either::First(left) => left?,
            Either::Second(relayed) => relayed?,
        }
    };
    if let Left::Ended(_) = left {
        last_words(session, &tty).await?;
    }
    // The terminal is as it was before anything is said.
    drop(keyboard);
    match left {
        Left::Escape => Ok(()),
        Left::Signal => Err(Failure::Interrupted),
        Left::Ended(ended) => {
            if keyboard::is_terminal() {
                eprintln!("morgana: {}", farewell(ended));
            }
            Ok(())
        }
    }
}

fn farewell(ended: Ended) -> &'static str {
    match ended {
        Ended::ShutDown(_) => "the domain has shut down",
        Ended::Gone => "the domain is gone",
    }
}

/// Passes bytes both ways. When xenconsoled begins again there is another terminal.
async fn relay(
    session: &Session,
    ttys: &mut Ttys,
    tty: &mut Tty,
    keyboard: &mut Keyboard,
) -> Result<Left, Failure> {
    loop {
        let changed = {
            let typed = keyboard.pass(tty);
            let shown = screen::show(tty);
            match select(select(shown, typed), ttys.changed()).await {
                Either::First(Either::First(shown)) => shown.map(|()| false)?,
                Either::First(Either::Second(Typed::Escape)) => return Ok(Left::Escape),
                Either::First(Either::Second(Typed::TtyGone)) => false,
                Either::Second(changed) => changed.map(|()| true)?,
            }
        };
        if changed && ttys.is_still(tty).await? {
            continue;
        }
        *tty = ttys.next(&session.timers, PATIENCE).await?;
    }
}

async fn last_words(session: &Session, tty: &Tty) -> Result<(), Failure> {
    loop {
        match select(screen::show_some(tty), session.timers.sleep(SILENCE)).await {
            Either::First(screen::Shown::Some) => {}
            Either::First(screen::Shown::TtyGone) | Either::Second(()) => return Ok(()),
            Either::First(screen::Shown::Failed(error)) => return Err(error.into()),
        }
    }
}
