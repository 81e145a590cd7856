//! Requests in, to back ends, and answers back.

use alloc::rc::Rc;
use alloc::vec::Vec;

use morgana_balance::{Attempt, BackendId, Choice, Outcome, Progress, may_retry};
use morgana_hal::Instant;
use morgana_http::{
    BodyError, Exchange, Handler, Read, Relayed, Request, Response, Server, Status, UnixTime, Write,
};

use crate::attempt::{Errand, Reason, attempt, repeatability};
use crate::fields::forwarded_for;
use crate::guards::{self, Place, Waiting};
use crate::kept::Kept;
use crate::target::target;
use crate::{Network, Shared};

/// What a refusal's `Retry-After` says, in seconds.
const RETRY_AFTER: u32 = 1;

/// The clients' side: a handler that passes requests on.
#[derive(Debug)]
pub struct Proxy<N: Network>(Shared<N>);

impl<N: Network> Proxy<N> {
    /// A server that passes requests on to back ends.
    pub fn server(shared: Shared<N>) -> Rc<Server<Self>> {
        let (timers, limits) = (shared.timers().clone(), shared.settings().server);
        Rc::new(Server::new(Self(shared), timers, limits))
    }

    /// A place at a back end; `None` if there is none in time, or if too many wait.
    async fn place(
        &self,
        tried: &[BackendId],
        by: Instant,
    ) -> Option<(Place<'_, N>, core::net::SocketAddr)> {
        let shared = &self.0;
        let mut waiting = None;
        loop {
            let seen = shared.changed().count();
            let now = shared.now();
            let choice = shared.policy().choose(tried, now);
            match choice {
                Choice::Go(lease, address) => return Some((Place::new(shared, lease), address)),
                Choice::Wait => {}
            }
            if waiting.is_none() {
                let until = (now + shared.settings().policy.wait_time).min(by);
                waiting = Some((Waiting::enter(shared)?, until));
            }
            let until = waiting.as_ref().map_or(now, |(_, until)| *until);
            let changed = shared.changed().after(seen);
            let timers = shared.timers();
            timers.timeout(until.since(now), changed).await.ok()?;
        }
    }

    /// Tries back ends until one has answered: how it ended, or `None` if there was none.
    async fn deliver<S: Read + Write>(
        &self,
        errand: &Errand<'_>,
        exchange: &mut Exchange<'_, '_, S>,
    ) -> Option<Outcome> {
        let shared = &self.0;
        let settings = shared.settings();
        let mut kept = Kept::new(settings.kept_request);
        let mut tried = Vec::new();
        let mut number = 1;
        loop {
            let (place, address) = self.place(&tried, errand.deadline).await?;
            let backend = place.backend();
            let done = attempt(shared, errand, exchange, &mut kept, &place, address).await;
            let failed = match done {
                Ok(outcome) => {
                    place.end(outcome);
                    return Some(outcome);
                }
                Err(failed) => failed,
            };
            let Reason::BackEnd(failure) = failed.failure else {
                place.end(Outcome::Cancelled);
                return Some(Outcome::Cancelled);
            };
            place.end(Outcome::Failed(failure));
            let progress = match exchange.is_answered() {
                true => Progress::Answered,
                false => failed.progress,
            };
            let attempt = Attempt {
                number,
                repeatability: errand.repeatability,
                progress,
                contents: kept.contents(),
            };
            if !may_retry(attempt, settings.policy.attempts) || shared.now() >= errand.deadline {
                return Some(Outcome::Failed(failure));
            }
            number += 1;
            tried.extend(backend);
            shared.policy().count_retry();
        }
    }
}

impl<N: Network> Handler for Proxy<N> {
    const RELAYS: bool = true;

    async fn relay<'h, S: Read + Write>(
        &'h self,
        request: &Request<'_>,
        exchange: &mut Exchange<'_, '_, S>,
    ) -> Relayed<'h> {
        let shared = &self.0;
        let guard = guards::Request::begin(shared);
        let Some(target) = target(request.path(), request.query()) else {
            guard.end(None);
            return Relayed::Response(refusal());
        };
        let peer = exchange.peer().map(forwarded_for);
        let errand = Errand {
            request,
            target: &target,
            forwarded_for: peer.as_deref(),
            repeatability: repeatability(request.method()),
            deadline: guard.came() + shared.settings().answer_time,
        };
        let outcome = self.deliver(&errand, exchange).await;
        guard.end(outcome);
        use morgana_balance::Failure;
        match outcome {
            None => Relayed::Response(refusal()),
            Some(Outcome::Failed(Failure::Timeout)) => {
                Relayed::Response(Response::text(Status::GATEWAY_TIMEOUT))
            }
            Some(Outcome::Failed(_)) => Relayed::Response(Response::text(Status::BAD_GATEWAY)),
            // Of a request that nobody may get the server has told the client; of any other it does now.
            Some(Outcome::Cancelled) => Relayed::Response(Response::text(Status::BAD_REQUEST)),
            Some(Outcome::Answered | Outcome::ServerError) => Relayed::Answered,
        }
    }

    /// Never asked: it relays.
    async fn handle<'h>(
        &'h self,
        _request: &Request<'_>,
        _body: &mut impl Read<Error = BodyError>,
    ) -> Response<'h> {
        Response::text(Status::INTERNAL_SERVER_ERROR)
    }

    fn time(&self) -> Option<UnixTime> {
        self.0.network().unix_seconds().map(UnixTime)
    }
}

fn refusal() -> Response<'static> {
    Response::text(Status::SERVICE_UNAVAILABLE).retry_after(RETRY_AFTER)
}
