//! One attempt at a request: to one back end and back.

use alloc::vec::Vec;
use core::future::Future;
use core::net::SocketAddr;

use morgana_balance::{BackendId, Failure, Outcome, Progress, Repeatability};
use morgana_exec::{Either, select};
use morgana_hal::Instant;
use morgana_http::wire::{Framing, ResponseFraming, ResponseHead};
use morgana_http::{
    Ask, Client, ClientError, Exchange, Method, Read, RelayContent, RelayError, Reply, Request,
    Status, Upload, Write,
};

use crate::fields::{VIA, passed_on};
use crate::guards::Place;
use crate::kept::Kept;
use crate::{Network, Shared};

/// Bytes of a content on their way at a time.
const BLOCK: usize = 16 * 1024;

/// What is sent to whichever back end, and until when its answer's head has to be there.
pub(crate) struct Errand<'r> {
    pub(crate) request: &'r Request<'r>,
    pub(crate) target: &'r str,
    pub(crate) forwarded_for: Option<&'r str>,
    pub(crate) repeatability: Repeatability,
    pub(crate) deadline: Instant,
}

/// Why an attempt came to nothing, and how far it had come.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Failed {
    pub(crate) failure: Reason,
    pub(crate) progress: Progress,
}

/// Whose fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    BackEnd(Failure),
    /// The client went away, or sends a content that is none: the server tells it.
    Client,
}

const fn failed(failure: Failure, progress: Progress) -> Failed {
    Failed {
        failure: Reason::BackEnd(failure),
        progress,
    }
}

/// Sends the request to this back end, and passes its answer on.
pub(crate) async fn attempt<N: Network, S: Read + Write>(
    shared: &Shared<N>,
    errand: &Errand<'_>,
    exchange: &mut Exchange<'_, '_, S>,
    kept: &mut Kept,
    place: &Place<'_, N>,
    address: SocketAddr,
) -> Result<Outcome, Failed> {
    let Some(backend) = place.backend() else {
        return Err(failed(Failure::Connect, Progress::NotSent));
    };
    let mut client = connect(shared, errand, backend, address).await?;
    let forwarded = errand.forwarded_for.map(|value| ("X-Forwarded-For", value));
    let more = forwarded.into_iter().chain([("Via", VIA)]);
    let more = more.map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    let request = errand.request;
    let fields = passed_on(request.headers()).chain(more);
    let ask = Ask {
        method: request.method(),
        target: errand.target,
        host: request.host(),
        fields: &[],
    };
    let mut replay = kept.replay(exchange);
    let forwarding = client.forward(&ask, fields, &mut replay, upload(request));
    let reply = in_time(shared, errand, place, forwarding).await;
    let mut reply = match reply {
        Ok(reply) => reply,
        Err(Halt::Late) => return Err(failed(Failure::Timeout, Progress::Sent)),
        Err(Halt::Lost) => return Err(failed(Failure::Abandoned, Progress::Sent)),
        Err(Halt::Failed(error)) => return Err(told(error)),
    };
    let broken = failed(Failure::Broken, Progress::Sent);
    let status = Status::new(reply.head().code()).ok_or(broken)?;
    let first = first_of(shared, errand, place, &mut reply).await?;
    pass_on(errand, exchange, status, first, &mut reply).await?;
    shared.pools().put(backend, client, shared.now());
    Ok(match status.class() {
        5 => Outcome::ServerError,
        _ => Outcome::Answered,
    })
}

/// Why an operation was not waited for to its end.
enum Halt {
    Late,
    Lost,
    Failed(ClientError),
}

/// Lets an operation go on until the request's deadline, or until the back end is found to be unhealthy, if the request can be repeated then.
async fn in_time<N: Network, T>(
    shared: &Shared<N>,
    errand: &Errand<'_>,
    place: &Place<'_, N>,
    operation: impl Future<Output = Result<T, ClientError>>,
) -> Result<T, Halt> {
    // What might be too much to be kept goes on to its end.
    let is_kept = match upload(errand.request) {
        Upload::None => true,
        Upload::Length(length) => length <= shared.settings().kept_request as u64,
        Upload::Chunked => false,
    };
    let repeats = is_kept && errand.repeatability == Repeatability::Idempotent;
    let lost = async {
        loop {
            let seen = shared.changed().count();
            if repeats && place.is_lost() {
                return;
            }
            shared.changed().after(seen).await;
        }
    };
    let left = errand.deadline.since(shared.now());
    match shared.timers().timeout(left, select(operation, lost)).await {
        Err(_) => Err(Halt::Late),
        Ok(Either::Second(())) => Err(Halt::Lost),
        Ok(Either::First(done)) => done.map_err(Halt::Failed),
    }
}

/// A connection that waits, or a new one. A request that must not be sent twice gets a new one: one that waits may be closed by the back end at this moment.
async fn connect<N: Network>(
    shared: &Shared<N>,
    errand: &Errand<'_>,
    backend: BackendId,
    address: SocketAddr,
) -> Result<Client<N::Stream>, Failed> {
    if errand.repeatability == Repeatability::Idempotent
        && let Some(client) = shared.pools().take(backend, shared.now()).await
    {
        return Ok(client);
    }
    let settings = shared.settings();
    let left = errand.deadline.since(shared.now());
    let connecting = shared.network().connect(address);
    let connecting = shared
        .timers()
        .timeout(settings.connect_time.min(left), connecting);
    match connecting.await {
        Ok(Ok(stream)) => {
            let timers = shared.timers().clone();
            Ok(Client::new(stream, timers, settings.client))
        }
        _ => Err(failed(Failure::Connect, Progress::NotSent)),
    }
}

/// How the request's content is told to the back end.
fn upload(request: &Request<'_>) -> Upload {
    match request.framing() {
        Framing::Length(length) => Upload::Length(length),
        Framing::Chunked => Upload::Chunked,
        Framing::Empty => match request.method() {
            Method::Post | Method::Put | Method::Patch => Upload::Length(0),
            _ => Upload::None,
        },
    }
}

/// What an error of the client's side of the connection says of the back end.
fn told(error: ClientError) -> Failed {
    match error {
        // Its source is the request's content. A request that no back end may get is none either.
        ClientError::Upload | ClientError::Unfit => Failed {
            failure: Reason::Client,
            progress: Progress::Sent,
        },
        ClientError::TimedOut => failed(Failure::Timeout, Progress::Sent),
        _ => failed(Failure::Broken, Progress::Sent),
    }
}

/// Reads the content of an answer before anything is passed on, if it is short: until then another back end can be asked.
async fn first_of<N: Network>(
    shared: &Shared<N>,
    errand: &Errand<'_>,
    place: &Place<'_, N>,
    reply: &mut Reply<'_, N::Stream>,
) -> Result<Vec<u8>, Failed> {
    let most = shared.settings().kept_answer;
    let ResponseFraming::Length(length @ 1..) = reply.head().framing() else {
        return Ok(Vec::new());
    };
    let Some(length) = usize::try_from(length)
        .ok()
        .filter(|&length| length <= most)
    else {
        return Ok(Vec::new());
    };
    let mut bytes = Vec::new();
    if bytes.try_reserve_exact(length).is_err() {
        return Ok(Vec::new());
    }
    bytes.resize(length, 0);
    let mut filled = 0;
    while filled < length {
        let reading = reply.read(&mut bytes[filled..]);
        match in_time(shared, errand, place, reading).await {
            Ok(0) => return Err(failed(Failure::Broken, Progress::Sent)),
            Ok(count) => filled += count,
            Err(Halt::Late) => return Err(failed(Failure::Timeout, Progress::Sent)),
            Err(Halt::Lost) => return Err(failed(Failure::Abandoned, Progress::Sent)),
            Err(Halt::Failed(error)) => return Err(told(error)),
        }
    }
    Ok(bytes)
}

/// Passes an answer on, of whose content `first` was read.
async fn pass_on<S: Read + Write, B: Read>(
    errand: &Errand<'_>,
    exchange: &mut Exchange<'_, '_, S>,
    status: Status,
    first: Vec<u8>,
    reply: &mut Reply<'_, B>,
) -> Result<(), Failed> {
    let head = *reply.head();
    let content = content(errand.request.method(), status, &head);
    // The length of what an answer to HEAD would have is its own to tell.
    let length = head.headers().first("content-length");
    let length = length.filter(|_| errand.request.method() == Method::Head);
    let more = length.map(|length| (&b"Content-Length"[..], length));
    let via = (&b"Via"[..], VIA.as_bytes());
    let fields = passed_on(head.headers()).chain(more).chain([via]);
    let answering = exchange.answer(status, fields, content).await;
    let client_gone = Failed {
        failure: Reason::Client,
        progress: Progress::Answered,
    };
    let mut out = answering.map_err(|error| match error {
        // The fault of the back end's head.
        RelayError::Unfit => failed(Failure::Broken, Progress::Sent),
        RelayError::NoMemory | RelayError::Body | RelayError::Client => client_gone,
    })?;
    if content != RelayContent::None {
        let written = out.write_all(&first).await;
        written.map_err(|_| client_gone)?;
        if first.is_empty() {
            let block_size = BLOCK;
            let mut block = Vec::new();
            block
                .try_reserve_exact(block_size)
                .map_err(|_| client_gone)?;
            block.resize(block_size, 0);
            loop {
                let count = match reply.read(&mut block).await {
                    Ok(0) => break,
                    Ok(count) => count,
                    Err(ClientError::TimedOut) => {
                        return Err(failed(Failure::Timeout, Progress::Answered));
                    }
                    Err(_) => return Err(failed(Failure::Broken, Progress::Answered)),
                };
                let written = out.write_all(&block[..count]).await;
                written.map_err(|_| client_gone)?;
            }
        }
    }
    out.finish().await.map_err(|_| client_gone)
}

/// What follows the head that the client gets.
fn content(method: Method, status: Status, head: &ResponseHead<'_>) -> RelayContent {
    match head.framing() {
        _ if method == Method::Head || matches!(status.code(), 204 | 304) => RelayContent::None,
        ResponseFraming::Length(length) => RelayContent::Length(length),
        ResponseFraming::Chunked | ResponseFraming::UntilClose => RelayContent::Unknown,
    }
}

/// Whether a request may be sent twice (RFC 9110 §9.2.2).
pub(crate) const fn repeatability(method: Method) -> Repeatability {
    match method {
        Method::Get | Method::Head | Method::Options | Method::Put | Method::Delete => {
            Repeatability::Idempotent
        }
        Method::Post | Method::Patch => Repeatability::Once,
    }
}
