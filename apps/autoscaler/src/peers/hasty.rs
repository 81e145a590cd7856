//! Connections to a server that may die and come back at the same address.

use core::cell::Cell;
use core::net::SocketAddr;
use core::time::Duration;

use morgana_exec::Timers;
use morgana_http::{Connect, ConnectFailed};

/// How long a server that answers takes at the most, as a rule. TCP repeats what nobody has answered only after a second (RFC 6298 §2), and whoever begins anew finds a server sooner that has come meanwhile.
const HASTE: Duration = Duration::from_millis(300);
/// Each so many attempts one takes the time that the caller has, for a server that is slow.
const PATIENT: u32 = 8;

/// Connects, and gives up soon.
#[derive(Debug)]
pub(super) struct Hasty<C> {
    connect: C,
    timers: Timers,
    /// Attempts in a row that came to nothing.
    failed: Cell<u32>,
}

impl<C> Hasty<C> {
    pub(super) const fn new(connect: C, timers: Timers) -> Self {
        Self {
            connect,
            timers,
            failed: Cell::new(0),
        }
    }
}

impl<C: Connect> Connect for Hasty<C> {
    type Stream = C::Stream;

    async fn connect(&self, to: SocketAddr) -> Result<C::Stream, ConnectFailed> {
        let failed = self.failed.get().wrapping_add(1);
        // A caller who has waited long enough drops this: then it has failed, too.
        self.failed.set(failed);
        let connecting = self.connect.connect(to);
        let connected = match failed % PATIENT {
            0 => connecting.await,
            _ => {
                let connected = self.timers.timeout(HASTE, connecting).await;
                connected.unwrap_or(Err(ConnectFailed))
            }
        };
        if connected.is_ok() {
            self.failed.set(0);
        }
        connected
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use embedded_io_async::ErrorType;
    use morgana_exec::{Executor, ManualClock};
    use morgana_http::{Read, Write};

    use super::*;

    /// Says nothing and hears nothing.
    struct Silence;

    impl ErrorType for Silence {
        type Error = core::convert::Infallible;
    }

    impl Read for Silence {
        async fn read(&mut self, _: &mut [u8]) -> Result<usize, Self::Error> {
            Ok(0)
        }
    }

    impl Write for Silence {
        async fn write(&mut self, bytes: &[u8]) -> Result<usize, Self::Error> {
            Ok(bytes.len())
        }

        async fn flush(&mut self) -> Result<(), Self::Error> {
            Ok(())
        }
    }

    /// Nobody is there until then; whoever comes later is answered after so long.
    struct Peer {
        timers: Timers,
        there: Duration,
        slow: Duration,
    }

    impl Connect for Peer {
        type Stream = Silence;

        async fn connect(&self, _: SocketAddr) -> Result<Silence, ConnectFailed> {
            let now = Duration::from_nanos(self.timers.now().as_nanos());
            match now < self.there {
                true => core::future::pending().await,
                false => self.timers.sleep(self.slow).await,
            }
            Ok(Silence)
        }
    }

    /// When attempts by a caller with a second's patience end, in milliseconds, until one goes well.
    fn attempts(there: u64, slow: u64) -> Vec<u64> {
        let clock = ManualClock::default();
        let mut executor = Executor::new();
        let timers = executor.handle().timers();
        let peer = Peer {
            timers: timers.clone(),
            there: Duration::from_millis(there),
            slow: Duration::from_millis(slow),
        };
        let done = async move {
            let (hasty, mut all) = (Hasty::new(peer, timers.clone()), Vec::new());
            for _ in 0..100 {
                let connecting = hasty.connect(([10, 0, 0, 1], 80).into());
                let connected = timers.timeout(Duration::from_secs(1), connecting).await;
                all.push(timers.now().as_nanos() / 1_000_000);
                if matches!(connected, Ok(Ok(_))) {
                    break;
                }
            }
            all
        };
        executor.block_on(done, &mut clock.idle(), &clock)
    }

    #[test]
    fn one_that_comes_back_is_found_soon() {
        assert_eq!(attempts(0, 10), [10]);
        assert_eq!(attempts(500, 10), [300, 600, 610]);
        // The patient one had begun while nobody was there.
        let late = attempts(2_200, 10);
        assert_eq!(late[6..], [2_100, 3_100, 3_110]);
    }

    #[test]
    fn one_that_is_slow_is_waited_for_now_and_then() {
        assert_eq!(attempts(0, 400)[6..], [2_100, 2_500]);
        // Not for longer than the caller waits.
        let never = attempts(0, 2_000);
        assert_eq!(never.len(), 100);
        assert_eq!(never[6..9], [2_100, 3_100, 3_400]);
    }
}
