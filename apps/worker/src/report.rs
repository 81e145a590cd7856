//! Telling that a job is done, before the queue forgets it.

use alloc::format;
use core::time::Duration;

use morgana_exec::Timers;
use morgana_http::{Connect, Method, Origin};

/// Bytes of an answer at the most.
const ANSWER: usize = 4096;
/// How often it is tried, and how long it takes to the next time.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_millis(300);

/// A job that is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Done {
    /// Its number.
    pub job: u64,
    /// Which attempt it was.
    pub attempt: u32,
    /// What was made.
    pub checksum: u32,
}

/// Nobody was there to hear it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unheard;

/// Who is told.
pub trait Report {
    /// Tells it.
    ///
    /// # Errors
    ///
    /// [`Unheard`].
    async fn tell(&self, done: Done) -> Result<(), Unheard>;
}

/// Over HTTP: `POST /done` with `{"job":N,"attempt":N,"checksum":N}`. It may be told twice.
impl<C: Connect> Report for (Origin<C>, Timers) {
    async fn tell(&self, done: Done) -> Result<(), Unheard> {
        let Done {
            job,
            attempt,
            checksum,
        } = done;
        let (origin, timers) = self;
        let content = format!("{{\"job\":{job},\"attempt\":{attempt},\"checksum\":{checksum}}}");
        for _ in 0..TRIES {
            let asking = origin.ask(Method::Post, "/done", &[], content.as_bytes(), ANSWER);
            match asking.await {
                Ok(answer) if answer.status.class() == 2 => return Ok(()),
                _ => timers.sleep(PAUSE).await,
            }
        }
        Err(Unheard)
    }
}

/// Nobody wants to know.
impl<R: Report> Report for Option<R> {
    async fn tell(&self, done: Done) -> Result<(), Unheard> {
        match self {
            Some(report) => report.tell(done).await,
            None => Ok(()),
        }
    }
}
