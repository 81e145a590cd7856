//! Why a request was not done, as programs are told.

use std::fmt;

use morgana_builder::BuildError;
use morgana_hal::ToolstackError;
use morgana_http::Status;
use morgana_toolstack::{HostError, OutletError};
use serde_json::{Value, json};

/// Why, in one line, and of which kind it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Problem {
    pub(super) kind: Kind,
    pub(super) why: String,
}

/// What a program that asks can tell apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// The request makes no sense, or asks for what is never done.
    BadRequest,
    /// It says no token, or not the right one.
    Unauthorized,
    /// There is no such domain, or service.
    NoSuchDomain,
    /// A domain of this name is there, or is being made.
    NameInUse,
    /// There is not enough memory now; there may be later.
    OutOfMemory,
    /// The configuration, or what it names, is wrong, not there, or not to be had on this machine.
    Config,
    /// Anything else.
    Failed,
}

impl Kind {
    /// What it is called in answers.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::BadRequest => "bad-request",
            Self::Unauthorized => "unauthorized",
            Self::NoSuchDomain => "no-such-domain",
            Self::NameInUse => "name-in-use",
            Self::OutOfMemory => "out-of-memory",
            Self::Config => "config",
            Self::Failed => "failed",
        }
    }

    /// The status of an HTTP answer.
    pub(super) const fn status(self) -> Status {
        match self {
            Self::BadRequest => Status::BAD_REQUEST,
            Self::Unauthorized => Status::UNAUTHORIZED,
            Self::NoSuchDomain => Status::NOT_FOUND,
            Self::NameInUse => Status::CONFLICT,
            Self::OutOfMemory => Status::SERVICE_UNAVAILABLE,
            Self::Config => Status::UNPROCESSABLE_CONTENT,
            Self::Failed => Status::INTERNAL_SERVER_ERROR,
        }
    }
}

impl Problem {
    pub(super) fn bad_request(why: impl Into<String>) -> Self {
        Self::new(Kind::BadRequest, why)
    }

    /// A function for `map_err`: the configuration is at fault.
    pub(super) fn config(error: impl fmt::Display) -> Self {
        Self::new(Kind::Config, error.to_string())
    }

    /// A function for `map_err`: none of the others.
    pub(super) fn failed(error: impl fmt::Display) -> Self {
        Self::new(Kind::Failed, error.to_string())
    }

    pub(super) fn new(kind: Kind, why: impl Into<String>) -> Self {
        let why = why.into();
        Self { kind, why }
    }

    /// Says before it what it is about.
    pub(super) fn about(self, what: &str) -> Self {
        let why = format!("{what}: {}", self.why);
        Self { why, ..self }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl From<HostError> for Problem {
    fn from(error: HostError) -> Self {
        Self::new(kind(error), error.to_string())
    }
}

const fn kind(error: HostError) -> Kind {
    match error {
        HostError::NameInUse(_) => Kind::NameInUse,
        HostError::NoSuchDomain => Kind::NoSuchDomain,
        HostError::Dom0 | HostError::Build(BuildError::CommandLine) => Kind::BadRequest,
        HostError::Build(BuildError::Step(_, ToolstackError::OutOfMemory))
        | HostError::Xen(ToolstackError::OutOfMemory) => Kind::OutOfMemory,
        HostError::Build(BuildError::Layout(_))
        | HostError::Outlet(OutletError::NoBridge | OutletError::NotABlockDevice)
        | HostError::NoBackEndDomain => Kind::Config,
        _ => Kind::Failed,
    }
}

/// The answer to a request, as JSON.
pub(super) fn answer(done: &Result<Value, Problem>) -> String {
    let answer = match done {
        Ok(value) => json!({ "ok": value }),
        Err(problem) => json!({ "error": problem.why, "kind": problem.kind.name() }),
    };
    answer.to_string()
}

#[cfg(test)]
mod tests {
    use morgana_builder::Step;
    use morgana_hal::DomId;

    use super::*;

    #[test]
    fn each_kind_has_a_name_and_a_status() {
        let memory = BuildError::Step(Step::Populate, ToolstackError::OutOfMemory);
        for (error, name, status) in [
            (HostError::NameInUse(DomId::new(7)), "name-in-use", 409),
            (HostError::NoSuchDomain, "no-such-domain", 404),
            (HostError::Dom0, "bad-request", 400),
            (HostError::Build(memory), "out-of-memory", 503),
            (HostError::Outlet(OutletError::NoBridge), "config", 422),
            (HostError::StillDying, "failed", 500),
        ] {
            let problem = Problem::from(error);
            assert_eq!(problem.kind.name(), name);
            assert_eq!(problem.kind.status().code(), status);
        }
    }

    #[test]
    fn an_answer_is_one_line_of_json() {
        assert_eq!(
            answer(&Ok(json!({ "domain": 7 }))),
            r#"{"ok":{"domain":7}}"#
        );
        let problem = Problem::bad_request("no\nsense").about("why");
        assert_eq!(
            answer(&Err(problem)),
            r#"{"error":"why: no\nsense","kind":"bad-request"}"#
        );
    }
}
