//! Requests over connections, as they are due.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use morgana_exec::Notify;
use morgana_hal::Instant;
use morgana_http::{Ask, Client, ClientError, ClientLimits, Read as _};
use morgana_sockets::{Host, Stream};

use crate::counts::{Counts, Failure};
use crate::plan::{Plan, Reuse};
use crate::report;

/// Bytes of an answer at a time.
const BLOCK: usize = 64 * 1024;
/// Bytes of an answer at the most.
const MOST: u64 = 1 << 30;
/// How often is told.
const SECOND: Duration = Duration::from_secs(1);

/// What all connections share.
struct Run {
    host: Host,
    plan: Plan,
    /// The times at which requests were due that no connection has taken yet.
    due: RefCell<VecDeque<Instant>>,
    arrived: Notify,
    /// Connections that wait for a request, and connections in all.
    idle: Cell<usize>,
    open: Cell<usize>,
    second: RefCell<Counts>,
    /// Requests that were due and have not ended.
    left: Cell<u64>,
    ended: Notify,
}

/// Does what is planned, reports, and gives the total.
pub(crate) async fn run(host: Host, plan: Plan) -> Result<Counts, String> {
    let begun = host.now();
    let run = Rc::new(Run {
        due: RefCell::default(),
        arrived: Notify::default(),
        idle: Cell::new(0),
        open: Cell::new(0),
        second: RefCell::default(),
        left: Cell::new(0),
        ended: Notify::default(),
        host,
        plan,
    });
    let (mut total, mut told_at) = (Counts::default(), begun);
    let mut tell = |now: Instant| {
        let counts = run.second.take();
        let format = run.plan.format;
        if counts.due + counts.ended() > 0 || now.since(told_at) >= SECOND {
            report::second(format, &counts, now.since(begun), now.since(told_at));
        }
        total.merge(&counts);
        told_at = now;
    };
    let mut next_tell = begun + SECOND;
    let timers = run.host.timers();
    for offset in run.plan.schedule.clone() {
        let due = begun + offset;
        while next_tell <= due {
            timers.sleep_until(next_tell).await;
            tell(run.host.now());
            next_tell = next_tell + SECOND;
        }
        if due > run.host.now() {
            timers.sleep_until(due).await;
        }
        run.arrive(due)?;
    }
    loop {
        let seen = run.ended.count();
        if run.left.get() == 0 {
            break;
        }
        let now = run.host.now();
        if now >= next_tell {
            tell(now);
            next_tell = next_tell + SECOND;
        }
        let ended = run.ended.after(seen);
        // Either way it is looked again.
        let _ = timers.timeout(next_tell.since(now), ended).await;
    }
    let now = run.host.now();
    tell(now);
    report::total(run.plan.format, &total, now.since(begun));
    Ok(total)
}

impl Run {
    /// A request is due.
    fn arrive(self: &Rc<Self>, due: Instant) -> Result<(), String> {
        self.second.borrow_mut().due += 1;
        let waiting = self.due.borrow().len();
        if waiting >= self.plan.queue {
            self.second.borrow_mut().failed(Failure::Dropped);
            return Ok(());
        }
        self.due.borrow_mut().push_back(due);
        self.left.set(self.left.get() + 1);
        // Those that were woken and have not run yet count as idle still.
        if waiting >= self.idle.get() && self.open.get() < self.plan.connections {
            self.open.set(self.open.get() + 1);
            let task = self.host.tasks().spawn(self.clone().serve());
            task.map_err(|_| "too many connections")?;
        }
        self.arrived.notify();
        Ok(())
    }

    /// A connection: takes requests as they are due, and is opened again when it has broken.
    async fn serve(self: Rc<Self>) {
        let mut client = None;
        let mut block = vec![0; BLOCK];
        loop {
            let due = self.take().await;
            // Whoever waits for the answer counts from when it was due, not from now.
            let limit = self.plan.timeout;
            let asking = self.ask(&mut client, &mut block);
            let result = self.host.timers().timeout(limit, asking).await;
            let result = result.unwrap_or(Err(Failure::Timeout));
            let latency = self.host.now().since(due);
            let mut counts = self.second.borrow_mut();
            match result {
                Ok(()) => counts.answered(latency),
                Err(failure) => counts.failed(failure),
            }
            drop(counts);
            let keeps = self.plan.reuse == Reuse::KeepAlive;
            client = client.filter(|client: &Client<Stream>| keeps && client.is_idle());
            self.left.set(self.left.get() - 1);
            if self.left.get() == 0 {
                self.ended.notify();
            }
        }
    }

    async fn take(&self) -> Instant {
        loop {
            let seen = self.arrived.count();
            if let Some(due) = self.due.borrow_mut().pop_front() {
                return due;
            }
            self.idle.set(self.idle.get() + 1);
            self.arrived.after(seen).await;
            self.idle.set(self.idle.get() - 1);
        }
    }

    /// One request, to the end of its answer.
    async fn ask(
        &self,
        client: &mut Option<Client<Stream>>,
        block: &mut [u8],
    ) -> Result<(), Failure> {
        let plan = &self.plan;
        // The server may have closed it while it was idle.
        if let Some(kept) = client
            && !kept.is_still_idle().await
        {
            *client = None;
        }
        let client = match client {
            Some(client) => client,
            None => {
                let stream = Stream::connect(&self.host, plan.target.address).await;
                let stream = stream.map_err(|_| Failure::Connect)?;
                let limits = ClientLimits {
                    // The time-out above is the only one.
                    head_time: plan.timeout,
                    read_time: plan.timeout,
                    write_time: plan.timeout,
                    ..ClientLimits::DEFAULT
                };
                client.insert(Client::new(stream, self.host.timers(), limits))
            }
        };
        let close = [("Connection", "close")];
        let ask = Ask {
            method: plan.method,
            target: &plan.target.path,
            host: &plan.target.host,
            fields: match plan.reuse {
                Reuse::KeepAlive => &[],
                Reuse::Never => &close,
            },
        };
        let mut reply = client.send(&ask, &plan.data).await.map_err(told)?;
        let code = reply.head().code();
        let mut length = 0;
        loop {
            match reply.read(block).await.map_err(told)? {
                0 => break,
                count => length += count as u64,
            }
            if length > MOST {
                return Err(Failure::Broken);
            }
        }
        match code {
            400.. => Err(Failure::Status),
            _ => Ok(()),
        }
    }
}

fn told(error: ClientError) -> Failure {
    match error {
        ClientError::TimedOut => Failure::Timeout,
        _ => Failure::Broken,
    }
}
