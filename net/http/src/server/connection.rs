//! One connection, from its first request to its end.
//!
//! ```text
//! wait ──first bytes──▶ receive head ──▶ exchange: parse, ask the handler, drain the body, answer ──▶ wait
//!  │ idle, closed            │ too slow, malformed        │ malformed, over a limit                   (or close)
//!  ▼                         ▼                            ▼
//! end                        refusal: answer, linger, end
//! ```

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::cell::Cell;
use core::future::Future;
use core::net::IpAddr;
use core::pin::{Pin, pin};

use embedded_io_async::{Read, Write};

use super::access_log::Note;
use super::body::{Finish, RequestBody};
use super::input::Input;
use super::output::{Output, watched};
use super::relay::{Exchange, Relay, relay};
use super::transport::{Transport, TransportError};
use super::{End, Handler, Server, Unfinished};
use crate::semantics::{Answer, AnswerContext, Delimiter, Portion, Response};
use crate::wire::{HeadScanner, HeadSpan, Method, Persistence, Request, Status, Version};

/// What a connection holds. It is small while it waits: buffers come from the server's pool with the first bytes.
pub(super) struct Connection<'s, S, H> {
    server: &'s Server<H>,
    transport: Transport<'s, S>,
    input: Input<'s>,
    peer: Option<IpAddr>,
}

impl<'s, S: Read + Write, H: Handler> Connection<'s, S, H> {
    pub(super) fn new(server: &'s Server<H>, peer: Option<IpAddr>, stream: &'s mut S) -> Self {
        let transport = Transport::new(stream, &server.timers, &server.limits, &server.stats);
        Self {
            server,
            transport,
            input: Input::new(&server.pool),
            peer,
        }
    }

    /// Serves requests until the connection ends.
    pub(super) async fn run(&mut self) -> End {
        let mut remaining = self.server.limits.requests;
        let end = loop {
            remaining = remaining.saturating_sub(1);
            let may_go_on = if remaining > 0 {
                Persistence::KeepAlive
            } else {
                Persistence::Close
            };
            match self.serve_request(may_go_on).await {
                Ok(Persistence::KeepAlive) => {}
                Ok(Persistence::Close) => return End::Finished,
                Err(end) => break end,
            }
        };
        self.tell(end).await;
        end
    }

    /// Tells the client that there are too many connections.
    pub(super) async fn refuse(&mut self) -> End {
        self.tell(End::Refused).await;
        End::Refused
    }

    async fn serve_request(&mut self, may_go_on: Persistence) -> Result<Persistence, End> {
        if self.input.is_empty() {
            self.wait().await?;
        }
        let span = self.receive_head().await?;
        if H::RELAYS {
            // In a future of its own, of which nothing is in a connection of another handler.
            let relaying = boxed(self.relay(span, may_go_on)).ok_or(End::Exhausted)?;
            return relaying.await;
        }
        self.exchange(span, may_go_on).await
    }

    /// Waits for the first bytes of a request. They come into a few bytes of the connection's own, so that one that
    /// waits holds no block.
    async fn wait(&mut self) -> Result<(), End> {
        let mut first = [0u8; 32];
        let deadline = self.transport.now() + self.server.limits.idle_time;
        let count = match self.transport.read(&mut first, deadline).await {
            Ok(0) => return Err(End::ClosedByClient),
            Ok(count) => count,
            Err(TransportError::TimedOut) => return Err(End::Idle),
            Err(TransportError::Failed) => return Err(End::Stream),
        };
        let room = self.input.room().ok_or(End::Exhausted)?;
        room[..count].copy_from_slice(&first[..count]);
        self.input.fill(count);
        Ok(())
    }

    /// Reads until a whole head is there.
    async fn receive_head(&mut self) -> Result<HeadSpan, End> {
        let limits = self.server.limits.head_limits();
        let deadline = self.transport.now() + self.server.limits.header_time;
        let mut scanner = HeadScanner::new();
        loop {
            if let Some(span) = scanner
                .scan(self.input.unread(), &limits)
                .map_err(End::BadHead)?
            {
                return Ok(span);
            }
            let room = self.input.room().ok_or(End::Exhausted)?;
            match self.transport.read(room, deadline).await {
                Ok(0) => return Err(End::CutOff),
                Ok(count) => self.input.fill(count),
                Err(TransportError::TimedOut) => return Err(End::HeadTimeout),
                Err(TransportError::Failed) => return Err(End::Stream),
            }
        }
    }

    /// Answers the request whose head lies in `span`.
    async fn exchange(
        &mut self,
        span: HeadSpan,
        may_go_on: Persistence,
    ) -> Result<Persistence, End> {
        let server = self.server;
        let (head, rest) = self.input.split(span);
        let request = Request::parse(head, &server.limits.head_limits()).map_err(End::BadHead)?;
        let deadline = self.transport.now() + server.limits.body_time;
        let mut body = RequestBody::new(
            &request,
            &mut self.transport,
            rest,
            server.limits.body,
            deadline,
        )
        .map_err(End::BadHead)?;
        let response = dispatch(&server.handler, &request, &mut body).await;
        let finish = body.finish(&server.pool).await.map_err(End::BadBody)?;
        let taken = body.taken();

        let answer = Answer::decide(Some(&request), &response);
        let goes_on = finish == Finish::Read
            && answer.delimiter() != Delimiter::Close
            && may_go_on == Persistence::KeepAlive
            && request.persistence() == Persistence::KeepAlive;
        let persistence = if goes_on {
            Persistence::KeepAlive
        } else {
            Persistence::Close
        };
        let context = AnswerContext {
            version: request.version(),
            persistence,
            date: server.handler.time(),
        };
        let is_made = response.streamed.is_some() && answer.has_content();
        let note = note(server, self.peer, &request);
        let mut streamed = Ok(Streamed::Unfit);
        if H::STREAMS && is_made && answer.is_of(&response) {
            let (transport, of) = (&mut self.transport, (answer, &response));
            let streaming = stream(server, transport, &request, of, &context);
            streamed = match boxed(streaming) {
                Some(streaming) => streaming.await,
                None => Err(End::Exhausted),
            };
        }
        // The request is not needed any more: its block is free again while the client takes the answer.
        self.input.consume(span.end + taken);
        let sent = match streamed {
            Ok(Streamed::Unfit) => self.send(answer, &response, &context).await,
            Ok(Streamed::Sent) => Ok(()),
            Err(end) => Err(end),
        };
        self.log(note);
        sent?;
        if finish == Finish::Unsent {
            self.linger().await;
        }
        Ok(persistence)
    }

    /// Has a handler that relays answer the request whose head lies in `span`.
    async fn relay(&mut self, span: HeadSpan, may_go_on: Persistence) -> Result<Persistence, End> {
        let server = self.server;
        let (head, rest) = self.input.split(span);
        let request = Request::parse(head, &server.limits.head_limits()).map_err(End::BadHead)?;
        let deadline = self.transport.now() + server.limits.body_time;
        let body = RequestBody::new(
            &request,
            &mut self.transport,
            rest,
            server.limits.body,
            deadline,
        );
        let body = body.map_err(End::BadHead)?;
        let exchange = Exchange::new(server, &request, body, self.peer, may_go_on);
        let (relay, taken) = relay(server, &request, exchange).await?;
        let note = note(server, self.peer, &request);
        let (sent, finish) = match relay {
            Relay::Sent(sent, finish) => (sent, finish),
            Relay::Respond(response, finish) => {
                let answer = Answer::decide(Some(&request), &response);
                let persistence = match (finish, may_go_on) {
                    (Finish::Read, Persistence::KeepAlive) => request.persistence(),
                    _ => Persistence::Close,
                };
                let context = AnswerContext {
                    version: request.version(),
                    persistence,
                    date: server.handler.time(),
                };
                let sent = self.send(answer, &response, &context).await;
                (sent.map(|()| persistence), finish)
            }
        };
        self.input.consume(span.end + taken);
        self.log(note);
        let persistence = sent?;
        if finish == Finish::Unsent {
            self.linger().await;
        }
        Ok(persistence)
    }

    /// Sends an answer: its head and the beginning of its content in one piece, the rest from where it lies.
    async fn send(
        &mut self,
        answer: Answer,
        response: &Response<'_>,
        context: &AnswerContext,
    ) -> Result<(), End> {
        let mut content = answer.content(&response.body);
        let deadline = self.transport.now() + self.server.limits.answer_time(content.len());
        let mut block = self.server.pool.small().ok_or(End::Exhausted)?;
        let mut status = answer.status();
        let head = match answer.write_head(response, context, &mut block) {
            Ok(length) => length,
            // The handler's fault: its fields don't fit, or would break the message.
            Err(_) => {
                status = Status::INTERNAL_SERVER_ERROR;
                content = b"";
                let apology = Response::empty(status);
                // A head of a hundred bytes, date included: it fits.
                Answer::decide(None, &apology)
                    .write_head(&apology, context, &mut block)
                    .map_err(|_| End::Stream)?
            }
        };
        self.transport.begin_answer(status, head);
        let (first, rest) = content.split_at(content.len().min(block.len() - head));
        block[head..head + first.len()].copy_from_slice(first);
        let mut sent = self
            .transport
            .write_all(&block[..head + first.len()], deadline)
            .await;
        drop(block);
        if sent.is_ok() {
            sent = self.transport.write_all(rest, deadline).await;
        }
        if sent.is_ok() {
            sent = self.transport.flush(deadline).await;
        }
        sent.map_err(|error| match error {
            TransportError::TimedOut => End::WriteTimeout,
            TransportError::Failed => End::Stream,
        })
    }

    /// Tells the client why the connection closes, where that makes sense.
    async fn tell(&mut self, end: End) {
        let Some(status) = end.status() else { return };
        let mut response = Response::text(status);
        if status == Status::SERVICE_UNAVAILABLE {
            response = response.retry_after(self.server.limits.retry_after);
        }
        let mut answer = Answer::decide(None, &response);
        // RFC 9110 §9.3.2: no content after HEAD, also where the rest of the request was not understood.
        let mut begun = self.input.unread();
        while let Some(after_empty_line) = begun.strip_prefix(b"\r\n") {
            begun = after_empty_line;
        }
        if begun.starts_with(b"HEAD ") {
            answer = answer.without_content();
        }
        self.input.clear();
        let date = self.server.handler.time();
        let context = AnswerContext {
            version: Version::Http11,
            persistence: Persistence::Close,
            date,
        };
        let sent = self.send(answer, &response, &context).await;
        if self.server.handler.access_log().is_some() {
            self.log(Note::new(&self.server.pool, self.peer, date, None));
        }
        if sent.is_ok() {
            self.linger().await;
        }
    }

    /// Adds a line to the access log, if there is one, about what was sent of an answer.
    fn log(&mut self, note: Option<Note<'_>>) {
        let sent = self.transport.end_answer();
        if let (Some(note), Some(log), Some(sent)) = (note, self.server.handler.access_log(), sent)
        {
            log.push(&note, sent);
        }
    }

    /// Reads and drops what the client still sends, for a while. A stream that is closed with unread bytes may be
    /// reset (RFC 9112 §9.6), and the client would lose the answer.
    async fn linger(&mut self) {
        let limits = &self.server.limits;
        let deadline = self.transport.now() + limits.linger_time;
        let Some(mut dropped) = self.server.pool.small() else {
            return;
        };
        let mut allowance = limits.linger_bytes;
        while let Ok(count @ 1..) = self.transport.read(&mut dropped, deadline).await {
            allowance = allowance.saturating_sub(count);
            if allowance == 0 {
                return;
            }
        }
    }
}

/// What the access log will say of a request, if there is one.
fn note<'s, H: Handler>(
    server: &'s Server<H>,
    peer: Option<IpAddr>,
    request: &Request<'_>,
) -> Option<Note<'s>> {
    server.handler.access_log()?;
    Note::new(&server.pool, peer, server.handler.time(), Some(request))
}

/// Moves a future to the heap, so that a connection has no room for it as long as it is not needed. `None` where there is no memory for it.
fn boxed<F: Future>(future: F) -> Option<Pin<Box<F>>> {
    // A box cannot fail to be made, but a vector can. Nobody else takes that room in between: there is one thread.
    Vec::<F>::new().try_reserve_exact(1).ok()?;
    Some(Box::pin(future))
}

/// What has become of an answer whose content is made while it is sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Streamed {
    Sent,
    /// Nothing was sent: its fields don't fit, or would break the message.
    Unfit,
}

/// Sends an answer whose content is made meanwhile.
async fn stream<H: Handler, S: Read + Write>(
    server: &Server<H>,
    transport: &mut Transport<'_, S>,
    request: &Request<'_>,
    (answer, response): (Answer, &Response<'_>),
    context: &AnswerContext,
) -> Result<Streamed, End> {
    let limits = &server.limits;
    let mut block = server.pool.small().ok_or(End::Exhausted)?;
    let Ok(head) = answer.write_head(response, context, &mut block) else {
        return Ok(Streamed::Unfit);
    };
    transport.begin_answer(answer.status(), head);
    let deadline = transport.now() + limits.answer_time(head);
    let sent = transport.write_all(&block[..head], deadline).await;
    sent.map_err(|error| match error {
        TransportError::TimedOut => End::WriteTimeout,
        TransportError::Failed => End::Stream,
    })?;
    let progress = Cell::new(transport.now());
    let framing = (answer.delimiter(), answer.length().unwrap_or(0));
    let mut output = Output::new(transport, limits, block, framing, &progress);
    let making = pin!(async {
        let portion = Portion::new(&answer, response);
        server.handler.stream(request, portion, &mut output).await?;
        output.finish().await
    });
    let made = watched(making, &server.timers, limits, &progress).await;
    made.map(|()| Streamed::Sent)
        .map_err(|Unfinished| End::Unfinished)
}

/// Answers by itself what needs no handler, and asks the handler otherwise.
async fn dispatch<'h, H: Handler, S: Read + Write>(
    handler: &'h H,
    request: &Request<'_>,
    body: &mut RequestBody<'_, '_, S>,
) -> Response<'h> {
    let methods = handler.methods(request);
    if !methods.is_empty() {
        if request.method() == Method::Options {
            return Response::empty(Status::NO_CONTENT).allow(methods);
        }
        if !methods.contains(request.method()) {
            return Response::text(Status::METHOD_NOT_ALLOWED).allow(methods);
        }
    }
    handler.handle(request, body).await
}
