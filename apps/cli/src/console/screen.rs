//! What the domain says, on standard output. It is passed on as it is, as on any terminal.

use std::future::poll_fn;
use std::io::{self, Write};

use morgana_hal::ByteStream;

use super::tty::Tty;
use crate::failure::Failure;

/// Bytes that are shown at once.
const PIECE: usize = 4096;

/// What came of it.
pub(super) enum Shown {
    Some,
    /// xenconsoled has closed its end.
    TtyGone,
    Failed(io::Error),
}

/// Shows what comes, until nothing more will.
pub(super) async fn show(tty: &Tty) -> Result<(), Failure> {
    loop {
        match show_some(tty).await {
            Shown::Some => {}
            Shown::TtyGone => return Ok(()),
            Shown::Failed(error) => return Err(error.into()),
        }
    }
}

/// Waits for something, and shows it.
pub(super) async fn show_some(tty: &Tty) -> Shown {
    let mut piece = [0; PIECE];
    let Ok(len) = poll_fn(|cx| tty.io.poll_read(cx, &mut piece)).await else {
        return Shown::TtyGone;
    };
    let mut output = io::stdout().lock();
    let shown = output.write_all(&piece[..len]);
    match shown.and_then(|()| output.flush()) {
        Ok(()) => Shown::Some,
        Err(error) => Shown::Failed(error),
    }
}
