//! The seam between server and app.

use embedded_io_async::{Read, Write};

use super::{AccessLog, BodyError, Exchange, OutputError, Relayed, Unfinished};
use crate::semantics::{Portion, Response, UnixTime};
use crate::wire::{Methods, Request};

/// What an app does with requests.
pub trait Handler {
    /// The methods that the resource named by `request` allows. The server answers any other with 405, and OPTIONS
    /// always by itself, from this set. By default GET, HEAD and OPTIONS. Where there is no method, there is no resource: the
    /// handler is asked all the same, to say so. A [`Router`](crate::Router) has such sets.
    fn methods(&self, _request: &Request<'_>) -> Methods {
        Methods::READ_ONLY
    }

    /// Answers a request of an allowed method. What the response borrows is the handler's own, so that pages go from
    /// the image to the stream without a copy.
    ///
    /// HEAD is answered as GET is; the server leaves out the content. The body is there to read, or to leave: what is
    /// left of it the server reads and drops. Once reading it has failed, the server answers with that failure,
    /// whatever the handler returns.
    async fn handle<'h>(
        &'h self,
        request: &Request<'_>,
        body: &mut impl Read<Error = BodyError>,
    ) -> Response<'h>;

    /// Whether it streams responses. Of one that does not, what it takes is not in the program.
    const STREAMS: bool = false;

    /// Makes the content of a response that is [streamed](Response::streamed), of a handler that [does so](Self::STREAMS), and writes it to `content` piece by piece. A write waits until the client has taken what came before;
    /// small pieces are gathered, and a flush sends them at once. Of a response [in parts](Response::in_parts) only `portion` is to be written. Not asked for HEAD, nor if the client has the content already.
    ///
    /// # Errors
    ///
    /// [`Unfinished`], whether the content can't be made to its end or not be sent: the connection is closed in the midst of it, by which the client
    /// sees that there should be more.
    async fn stream(
        &self,
        _request: &Request<'_>,
        _portion: Portion<'_>,
        _content: &mut impl Write<Error = OutputError>,
    ) -> Result<(), Unfinished> {
        Err(Unfinished)
    }

    /// Whether it relays: answers that it has from elsewhere it passes on, head and all. It is asked by [`relay`](Self::relay) then, and by nothing else. Of a handler that does not, nothing of that is in
    /// the program.
    const RELAYS: bool = false;

    /// Answers a request of any method by passing on an answer from elsewhere, of a handler that [does so](Self::RELAYS), or with a response of its own.
    async fn relay<'h, S: Read + Write>(
        &'h self,
        _request: &Request<'_>,
        _exchange: &mut Exchange<'_, '_, S>,
    ) -> Relayed<'h> {
        Relayed::Answered
    }

    /// Where to log requests, if they are logged.
    fn access_log(&self) -> Option<&AccessLog> {
        None
    }

    /// The time of day for `Date`, if there is a clock to tell it.
    fn time(&self) -> Option<UnixTime> {
        None
    }
}
