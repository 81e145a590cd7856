//! Ctrl-C and SIGTERM: whatever a command has started or made is taken away before the process ends.
//!
//! A command that wants to end in its own way holds a [`Claim`]: the first signal then only shows in
//! [`Claim::requested`], and the second one ends the process.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

type Action = Box<dyn FnOnce() + Send>;

static ACTIONS: Mutex<Vec<(u64, Action)>> = Mutex::new(Vec::new());
static NEXT: AtomicU64 = AtomicU64::new(0);
static CLAIMS: AtomicUsize = AtomicUsize::new(0);
static REQUESTED: AtomicBool = AtomicBool::new(false);
static ENDING: AtomicBool = AtomicBool::new(false);

/// Starts to listen for signals.
pub(crate) fn listen() -> Result<()> {
    let mut signals =
        Signals::new([SIGINT, SIGTERM, SIGHUP]).context("cannot listen for signals")?;
    std::thread::spawn(move || {
        for signal in &mut signals {
            let first = !REQUESTED.swap(true, Ordering::SeqCst);
            if first && CLAIMS.load(Ordering::SeqCst) > 0 {
                continue;
            }
            ENDING.store(true, Ordering::SeqCst);
            // The status that a shell reports for a process ended by a signal.
            exit(128 + signal);
        }
    });
    Ok(())
}

/// Does not return if a signal ends the process just now. What fails then fails because of that: it is not worth a word.
pub(crate) fn yield_to_signal() {
    while ENDING.load(Ordering::SeqCst) {
        std::thread::park();
    }
}

/// Runs what is registered, the newest first, and ends the process.
pub(crate) fn exit(status: i32) -> ! {
    loop {
        let action = ACTIONS.lock().unwrap_or_else(PoisonError::into_inner).pop();
        match action {
            Some((_, action)) => action(),
            None => std::process::exit(status),
        }
    }
}

/// Registers `action`, to run when the guard is dropped or the process is interrupted: once in any case.
pub(crate) fn on_exit(action: impl FnOnce() + Send + 'static) -> Guard {
    let id = NEXT.fetch_add(1, Ordering::Relaxed);
    ACTIONS
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push((id, Box::new(action)));
    Guard { id }
}

/// Runs a registered action when it is dropped.
#[derive(Debug)]
pub(crate) struct Guard {
    id: u64,
}

impl Drop for Guard {
    fn drop(&mut self) {
        let mut actions = ACTIONS.lock().unwrap_or_else(PoisonError::into_inner);
        let found = actions
            .iter()
            .position(|(id, _)| *id == self.id)
            .map(|at| actions.remove(at));
        drop(actions);
        if let Some((_, action)) = found {
            action();
        }
    }
}

/// While it lives, the first signal asks instead of ending the process.
#[derive(Debug)]
pub(crate) struct Claim(());

impl Claim {
    /// Takes charge of the first signal.
    pub(crate) fn new() -> Claim {
        CLAIMS.fetch_add(1, Ordering::SeqCst);
        Claim(())
    }

    /// Whether a signal has come.
    pub(crate) fn requested(&self) -> bool {
        REQUESTED.load(Ordering::SeqCst)
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        CLAIMS.fetch_sub(1, Ordering::SeqCst);
    }
}
