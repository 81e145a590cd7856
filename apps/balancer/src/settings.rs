//! What can be chosen.

use alloc::string::String;
use core::time::Duration;

use morgana_balance::Config;
use morgana_http::{ClientLimits, Limits};

/// What can be chosen, with defaults.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Thresholds and limits of the policy.
    pub policy: Config,
    /// What health checks GET: `/healthz`. A status from 200 to 399 is well.
    pub check_path: String,
    /// How long connecting to a back end may take: 500 ms. Then it has failed.
    pub connect_time: Duration,
    /// How long a request may take until the head of its answer is there, attempts and waiting included: 30 s. Then: 504.
    pub answer_time: Duration,
    /// Idle connections that are kept for one back end: 64. Further ones are closed.
    pub idle_connections: usize,
    /// How long an idle connection is kept: 15 s. It should be less than servers keep theirs.
    pub idle_time: Duration,
    /// Bytes of a request's content that are kept for another attempt: 16 KiB. A request of which more was taken has no other attempt.
    pub kept_request: usize,
    /// Bytes of an answer's content that are read before its head is passed on: 16 KiB. As long as no more is there, another attempt is possible.
    pub kept_answer: usize,
    /// The limits of the clients' side.
    pub server: Limits,
    /// The limits of the back ends' side.
    pub client: ClientLimits,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            policy: Config::DEFAULT,
            check_path: "/healthz".into(),
            connect_time: Duration::from_millis(500),
            answer_time: Duration::from_secs(30),
            idle_connections: 64,
            idle_time: Duration::from_secs(15),
            kept_request: 16 * 1024,
            kept_answer: 16 * 1024,
            server: Limits {
                body: 64 << 20,
                body_time: Duration::from_secs(120),
                large_heads: 64,
                ..Limits::DEFAULT
            },
            client: ClientLimits {
                // As much as a client may send, percent-encoded anew, and what is added.
                request_head: 16 * 1024,
                head: 8 * 1024,
                ..ClientLimits::DEFAULT
            },
        }
    }
}
