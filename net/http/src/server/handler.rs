//! The seam between server and app.

use embedded_io_async::Read;

use super::BodyError;
use crate::semantics::{Response, UnixTime};
use crate::wire::{Methods, Request};

/// What an app does with requests.
pub trait Handler {
    /// The methods that the resource named by `request` allows. The server answers any other with 405, and OPTIONS
    /// always by itself, from this set. By default GET, HEAD and OPTIONS.
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

    /// The time of day for `Date`, if there is a clock to tell it.
    fn time(&self) -> Option<UnixTime> {
        None
    }
}
