//! Answers: JSON, and errors as JSON.

use alloc::format;
use alloc::string::String;
use core::fmt;

use morgana_http::{BodyError, Response, Status};
use morgana_queue::QueueError;

use crate::parameters::BadParameter;

/// The media type of JSON.
pub(crate) const JSON: &str = "application/json";

pub(crate) const NO_STORE: &[(&str, &str)] = &[("Cache-Control", "no-store")];

/// What a 503's `Retry-After` says, in seconds.
const RETRY_AFTER: u32 = 1;

/// An answer in JSON.
pub(crate) fn json(status: Status, text: String) -> Response<'static> {
    told(status, JSON, text)
}

/// An answer that no cache may keep.
pub(crate) fn told(status: Status, media: &'static str, text: String) -> Response<'static> {
    let response = Response::empty(status).content(media, text.into_bytes());
    response.fields(NO_STORE)
}

/// An answer, or why there is none.
pub(crate) type Answered = Result<Response<'static>, Refusal>;

/// Why something is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The queue refuses it, or its disk has failed.
    Queue(QueueError),
    /// A parameter makes no sense.
    Parameter(BadParameter),
    /// The request's body cannot be read, or is longer than a payload may be.
    Body(BodyError),
    /// No job has this number.
    NoJob,
    /// The path leads nowhere.
    NoResource,
    /// As many as may wait for a job do.
    TooManyWait,
}

impl Refusal {
    /// What the client is told. A 503 without `Retry-After` is one of which nobody knows whether it was done.
    pub(crate) fn response(self) -> Response<'static> {
        match self {
            Self::Queue(error @ QueueError::Full) => busy(error),
            Self::Queue(error) => problem(status(error), error),
            Self::Parameter(error) => problem(Status::BAD_REQUEST, error),
            Self::Body(BodyError::TooLarge) => Self::Queue(QueueError::TooLarge).response(),
            // The server tells the client by itself.
            Self::Body(error) => problem(Status::BAD_REQUEST, error),
            Self::NoJob => problem(Status::NOT_FOUND, "no such job"),
            Self::NoResource => problem(Status::NOT_FOUND, "no such resource"),
            Self::TooManyWait => busy("too many wait for a job"),
        }
    }
}

impl From<QueueError> for Refusal {
    fn from(error: QueueError) -> Self {
        Self::Queue(error)
    }
}

impl From<BadParameter> for Refusal {
    fn from(error: BadParameter) -> Self {
        Self::Parameter(error)
    }
}

const fn status(error: QueueError) -> Status {
    match error {
        QueueError::TooLarge => Status::CONTENT_TOO_LARGE,
        QueueError::NoLease => Status::CONFLICT,
        QueueError::NoDeadLetter => Status::NOT_FOUND,
        _ => Status::SERVICE_UNAVAILABLE,
    }
}

/// An error. Its text is the program's own, of which nothing needs to be escaped.
fn problem(status: Status, why: impl fmt::Display) -> Response<'static> {
    json(status, format!("{{\"error\":\"{why}\"}}"))
}

/// Nothing was done, and may be asked for again soon.
fn busy(why: impl fmt::Display) -> Response<'static> {
    problem(Status::SERVICE_UNAVAILABLE, why).retry_after(RETRY_AFTER)
}
