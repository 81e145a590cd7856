//! What EC2 says, in our words.

use std::error::Error;

use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ec2::types::{Instance, InstanceStateName};
use morgana_providers::{Cause, Machine, MachineId, State, Stats};

use super::PATIENCE;

/// The states of instances that are not terminated: those that are stay for an hour, with nothing left of them.
pub(super) const THERE: [&str; 5] = ["pending", "running", "shutting-down", "stopping", "stopped"];

/// Why something was not done.
pub(super) fn cause<E, R>(error: &SdkError<E, R>) -> Cause
where
    E: ProvideErrorMetadata + Error + 'static,
    R: std::fmt::Debug + 'static,
{
    match error {
        SdkError::ConstructionFailure(_) => Cause::wrong(&chain(error)),
        SdkError::TimeoutError(_) => Cause::Late(PATIENCE),
        SdkError::DispatchFailure(failure) if failure.is_timeout() => Cause::Late(PATIENCE),
        SdkError::DispatchFailure(failure) if failure.is_io() => Cause::lost(&format!(
            "{} (is the network up, and the endpoint right?)",
            chain(error)
        )),
        SdkError::ServiceError(said) => service(said.err()),
        _ => Cause::lost(&chain(error)),
    }
}

fn service(said: &impl ProvideErrorMetadata) -> Cause {
    let code = said.code().unwrap_or_default();
    match code {
        "InvalidInstanceID.NotFound" | "InvalidInstanceID.Malformed" => Cause::Unknown,
        "" => Cause::lost("an error without a code"),
        _ => {
            let text = said.message().unwrap_or_default();
            Cause::refused(&format!("{text}: {code}{}", advice(code)))
        }
    }
}

/// What to do next, where EC2 does not say it itself.
fn advice(code: &str) -> &'static str {
    match code {
        "InvalidAMIID.NotFound" | "InvalidAMIID.Malformed" => {
            " (an image is called by the id of an AMI of the same region)"
        }
        "AuthFailure" | "InvalidClientTokenId" | "SignatureDoesNotMatch" => {
            " (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are those of a user of EC2)"
        }
        "UnauthorizedOperation" => {
            " (the user must be allowed to run, describe, stop and terminate instances, and to tag new ones)"
        }
        _ => "",
    }
}

/// An error with its sources: what it says itself is only where it happened.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        text.push_str(": ");
        text.push_str(&source.to_string());
        next = source.source();
    }
    text
}

/// The value of the tag `Name`.
pub(super) fn name(instance: &Instance) -> &str {
    let tag = instance.tags().iter().find(|tag| tag.key() == Some("Name"));
    tag.and_then(|tag| tag.value()).unwrap_or_default()
}

pub(super) fn machine(instance: &Instance) -> Result<Machine, Cause> {
    let Some(id) = instance.instance_id() else {
        return Err(Cause::lost("an instance without an id"));
    };
    let state = instance.state().and_then(|state| state.name());
    let state = match state {
        Some(InstanceStateName::Pending) => State::Starting,
        Some(InstanceStateName::Running) => State::Running,
        Some(InstanceStateName::ShuttingDown | InstanceStateName::Stopping) => State::Ending,
        Some(InstanceStateName::Stopped | InstanceStateName::Terminated) => State::Off,
        _ => return Err(Cause::lost("an instance in a state that is not known")),
    };
    Ok(Machine {
        id: MachineId::new(id),
        name: name(instance).to_owned(),
        state,
    })
}

pub(super) fn stats(instance: &Instance) -> Result<Stats, Cause> {
    let kind = instance
        .instance_type()
        .map(|kind| kind.as_str().to_owned());
    let address = instance
        .public_ip_address()
        .or(instance.private_ip_address());
    Ok(Stats {
        kind,
        address: address.map(str::to_owned),
        ..Stats::none(machine(instance)?)
    })
}
