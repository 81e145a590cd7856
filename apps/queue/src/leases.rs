//! Leasing a job, and waiting for one.

use alloc::string::ToString;
use core::cell::Cell;
use core::time::Duration;

use morgana_block::BlockDevice;
use morgana_exec::{Either, select};
use morgana_http::{
    Exchange, Read, RelayContent, RelayError, Relayed, Response, Status, Unfinished, Write,
};
use morgana_queue::{JobQueue, Lease};

use crate::Service;
use crate::answer::Refusal;
use crate::parameters::{BadParameter, Parameters};

/// How the wait for a job ended.
enum Waited {
    Leased(Lease),
    None,
    /// The client did not wait.
    Gone,
}

impl<D: BlockDevice + 'static, C: Fn() -> u64 + Clone + 'static> Service<D, C> {
    pub(crate) async fn lease<S: Read + Write>(
        &self,
        query: Option<&str>,
        exchange: &mut Exchange<'_, '_, S>,
    ) -> Relayed<'static> {
        match self.wait(query, exchange).await {
            Ok(Waited::Leased(lease)) => self.deliver(lease, exchange).await,
            Ok(Waited::None | Waited::Gone) => {
                Relayed::Response(Response::empty(Status::NO_CONTENT))
            }
            Err(refusal) => Relayed::Response(self.refuse(refusal)),
        }
    }

    /// Waits for a job: for what changes in the queue, the time at which one becomes ready by itself, and that the client goes.
    async fn wait<S: Read + Write>(
        &self,
        query: Option<&str>,
        exchange: &mut Exchange<'_, '_, S>,
    ) -> Result<Waited, Refusal> {
        let parameters = Parameters::parse(query, &["ms", "wait_ms"])?;
        let time: Option<u64> = parameters.number("ms")?;
        let time = time.unwrap_or(self.settings.lease_time.as_millis() as u64);
        let wait: Option<u64> = parameters.number("wait_ms")?;
        let wait = Duration::from_millis(wait.unwrap_or(0));
        if wait > self.settings.wait_time {
            return Err(BadParameter::Value("wait_ms").into());
        }
        let until = self.timers.now() + wait;
        let mut seat = None;
        loop {
            let queue = self.store.queue()?;
            let seen = queue.changed().count();
            if let Some(lease) = queue.lease(time).await? {
                return Ok(Waited::Leased(lease));
            }
            let mut left = until.since(self.timers.now());
            if left.is_zero() {
                return Ok(Waited::None);
            }
            if seat.is_none() {
                let taken = Seat::take(&self.waiting, self.settings.waiting);
                seat = Some(taken.ok_or(Refusal::TooManyWait)?);
            }
            if let Some(next) = queue.next_change() {
                let next = next.saturating_sub(queue.time()).max(1);
                left = left.min(Duration::from_millis(next));
            }
            let changed = self.timers.timeout(left, queue.changed().after(seen));
            if let Either::First(()) = select(exchange.gone(), changed).await {
                return Ok(Waited::Gone);
            }
        }
    }

    async fn deliver<S: Read + Write>(
        &self,
        lease: Lease,
        exchange: &mut Exchange<'_, '_, S>,
    ) -> Relayed<'static> {
        if send(&lease, exchange).await.is_err() {
            // So that it need not wait until its lease ends. If that fails, too, it does.
            if let Ok(queue) = self.store.queue() {
                let _ = queue.fail(lease.id, lease.token).await;
            }
        }
        Relayed::Answered
    }
}

async fn send<S: Read + Write>(
    lease: &Lease,
    exchange: &mut Exchange<'_, '_, S>,
) -> Result<(), Unfinished> {
    let (id, token, attempt) = (
        lease.id.0.to_string(),
        lease.token.0.to_string(),
        lease.attempt.to_string(),
    );
    let fields = [
        ("Content-Type", "application/octet-stream"),
        ("Cache-Control", "no-store"),
        ("Job-Id", &id),
        ("Job-Token", &token),
        ("Job-Attempt", &attempt),
    ];
    let fields = fields.map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    let content = RelayContent::Length(lease.payload.len() as u64);
    let answer = exchange.answer(Status::OK, fields.iter().copied(), content);
    let mut outgoing = answer.await.map_err(|_: RelayError| Unfinished)?;
    let written = outgoing.write_all(&lease.payload).await;
    written.map_err(|_| Unfinished)?;
    outgoing.finish().await
}

/// One of those that wait.
struct Seat<'s>(&'s Cell<usize>);

impl<'s> Seat<'s> {
    /// `None` if so many wait already.
    fn take(waiting: &'s Cell<usize>, most: usize) -> Option<Self> {
        let count = waiting.get();
        (count < most).then(|| {
            waiting.set(count + 1);
            Self(waiting)
        })
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}
