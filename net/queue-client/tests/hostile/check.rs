//! What must hold for any bytes that a service answers.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use morgana_exec::{Executor, ManualClock};
use morgana_http::{Connect, ConnectFailed, Read, Write};
use morgana_queue::{JobId, JobQueue, MAX_PAYLOAD, NewJob, Outcome, QueueError, Token};
use morgana_queue_client::{RemoteQueue, Settings};

/// Answers this on each connection, whatever it is asked, and closes.
struct Service(Rc<[u8]>);

struct Connection(Rc<[u8]>, usize);

impl Connect for Service {
    type Stream = Connection;

    async fn connect(&self, _to: SocketAddr) -> Result<Connection, ConnectFailed> {
        Ok(Connection(self.0.clone(), 0))
    }
}

impl embedded_io_async::ErrorType for Connection {
    type Error = Infallible;
}

impl Read for Connection {
    async fn read(&mut self, room: &mut [u8]) -> Result<usize, Infallible> {
        let left = &self.0[self.1..];
        let count = left.len().min(room.len());
        room[..count].copy_from_slice(&left[..count]);
        self.1 += count;
        Ok(count)
    }
}

impl Write for Connection {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        Ok(bytes.len())
    }

    async fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

const ID: JobId = JobId(7);
const TOKEN: Token = Token(9);

/// The first byte says what is asked for, the rest is what is answered.
pub(crate) fn check(input: &[u8]) {
    let Some((what, answer)) = input.split_first() else {
        return;
    };
    let (clock, mut executor) = (ManualClock::default(), Executor::new());
    let settings = Settings {
        pause: Duration::from_millis(1),
        ..Settings::default()
    };
    let (timers, address) = (
        executor.handle().timers(),
        SocketAddr::from((Ipv4Addr::LOCALHOST, 80)),
    );
    let queue = RemoteQueue::new(Service(answer.into()), address, timers, settings);
    let what = *what;
    let main = async move { ask(&queue, what).await };
    let asked = executor.block_on(main, &mut clock.idle(), &clock);
    // Somebody is there, and nothing of it is about what was asked of another.
    assert_ne!(asked, Err(QueueError::Unreachable));
}

async fn ask(queue: &impl JobQueue, what: u8) -> Result<(), QueueError> {
    match what % 9 {
        0 => {
            let outcome = queue.enqueue(NewJob::default()).await?;
            assert!(matches!(outcome, Outcome::New(_) | Outcome::Duplicate(_)));
        }
        1 => {
            let keyed = NewJob {
                key: b"k".to_vec(),
                ..NewJob::default()
            };
            let outcome = queue.enqueue(keyed).await?;
            assert!(matches!(outcome, Outcome::New(_) | Outcome::Duplicate(_)));
        }
        2 => {
            if let Some(lease) = queue.lease(10).await? {
                assert!(lease.payload.len() <= MAX_PAYLOAD);
            }
        }
        3 => queue.acknowledge(ID, TOKEN).await?,
        4 => _ = queue.extend(ID, TOKEN, 10).await?,
        5 => {
            let outcome = queue.fail(ID, TOKEN).await?;
            assert!(matches!(outcome, Outcome::Retry(_) | Outcome::Dead));
        }
        6 => {
            let letters = queue.dead_letters(JobId(2), 5).await?;
            assert!(letters.len() <= 5);
            assert!(letters.is_sorted_by(|one, other| one.id < other.id));
            assert!(letters.iter().all(|letter| letter.id >= JobId(2)));
        }
        7 => queue.purge(ID).await?,
        _ => _ = queue.statistics().await?,
    }
    Ok(())
}
