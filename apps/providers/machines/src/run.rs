//! A machine that lives as long as we do.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use morgana_providers::{Cause, Error, Launch, Machine, Provider, State};

use crate::failure::Failure;

/// How often to look at a machine.
const PAUSE: Duration = Duration::from_millis(500);
/// How many bytes that were shown last are looked for in what the console has now.
const MARK: usize = 1 << 10;

/// Makes a machine, shows its console, and ends it when it is over, or at Ctrl-C or SIGTERM.
pub(crate) fn run(provider: &mut dyn Provider, launch: &Launch) -> Result<(), Failure> {
    let asked_to_end = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&asked_to_end))?;
    }
    let machine = provider.create(launch)?;
    let name = &machine.name;
    eprintln!(
        "{name} is {} at {}; Ctrl-C ends it",
        machine.id,
        provider.provider()
    );
    let followed = follow(provider, &machine, &asked_to_end);
    match provider.destroy(&machine.id) {
        Err(error) if error.cause == Cause::Unknown => eprintln!("{name} has ended by itself"),
        done => {
            done?;
            eprintln!("{name} is ended");
        }
    }
    match followed? {
        State::Crashed => Err(Failure::Crashed(name.clone())),
        _ => Ok(()),
    }
}

/// Shows what is written until the machine is over; returns what it did last.
fn follow(
    provider: &mut dyn Provider,
    machine: &Machine,
    asked_to_end: &AtomicBool,
) -> Result<State, Failure> {
    let mut shown = Some(Vec::new());
    loop {
        // First, so that what it has written before it was over is shown, too.
        let state = match provider.stats(&machine.id) {
            Ok(stats) => stats.machine.state,
            Err(error) if error.cause == Cause::Unknown => return Ok(State::Off),
            Err(error) => return Err(error.into()),
        };
        if let Some(before) = shown.take() {
            shown = show(provider.console(&machine.id), before)?;
        }
        if state.is_over() || asked_to_end.load(Ordering::Relaxed) {
            return Ok(state);
        }
        thread::sleep(PAUSE);
    }
}

/// Shows what is new; none if there is no console to be shown.
fn show(console: Result<Vec<u8>, Error>, before: Vec<u8>) -> Result<Option<Vec<u8>>, Failure> {
    match console {
        Ok(now) => {
            let mut out = io::stdout().lock();
            out.write_all(new(&before, &now))?;
            out.flush()?;
            Ok(Some(now))
        }
        Err(error) if error.cause == Cause::Unknown => Ok(Some(before)),
        Err(error) if matches!(error.cause, Cause::Unable(_)) => {
            eprintln!("{error}");
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// What of `now` comes after `before`: both are ends of the same text, perhaps without its beginning.
fn new<'a>(before: &[u8], now: &'a [u8]) -> &'a [u8] {
    if let Some(rest) = now.strip_prefix(before) {
        return rest;
    }
    let mark = &before[before.len().saturating_sub(MARK)..];
    let place = now.windows(mark.len()).rposition(|part| part == mark);
    // All is new, and something between may be missing.
    place.map_or(now, |place| &now[place + mark.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_new_is_shown() {
        assert_eq!(new(b"", b""), b"");
        assert_eq!(new(b"", b"one"), b"one");
        assert_eq!(new(b"one", b"one"), b"");
        assert_eq!(new(b"one", b"one two"), b" two");
        // The beginning is kept no longer.
        assert_eq!(new(b"one two", b"two three"), b"two three");
        let text: Vec<u8> = (0..9_000_u32).flat_map(u32::to_be_bytes).collect();
        assert_eq!(new(&text[..30_000], &text[4_000..]), &text[30_000..]);
        assert_eq!(new(&text[..10_000], &text[20_000..]), &text[20_000..]);
    }
}
