//! What libvirt says, in our words.

use std::time::Duration;

use morgana_providers::{Cause, Machine, State, Stats};
use virt::domain::{DomainInfo, DomainState, DomainStateEnum};
use virt::enumutil::Enum;
use virt::error::{Error, ErrorDomain, ErrorNumber};

/// Why something was not done.
pub(super) fn cause(error: &Error) -> Cause {
    match error.code() {
        Enum::Known(ErrorNumber::NoDomain) => Cause::Unknown,
        Enum::Known(ErrorNumber::Rpc | ErrorNumber::NoConnect) => Cause::lost(error.message()),
        // The connection itself: what was asked for has not come to the driver, or its answer not back.
        _ if error.domain() == Enum::Known(ErrorDomain::Rpc) => Cause::lost(error.message()),
        // Its driver for Xen keeps the reason to itself.
        Enum::Known(ErrorNumber::InternalError)
            if error.domain() == Enum::Known(ErrorDomain::Libxl) =>
        {
            let log = "/var/log/libvirt/libxl/libxl-driver.log";
            Cause::refused(&format!("{} (why is in {log} there)", error.message()))
        }
        _ => Cause::refused(error.message()),
    }
}

/// What a domain does.
pub(super) fn state(state: DomainStateEnum) -> State {
    match state {
        Enum::Known(DomainState::Paused | DomainState::PMSuspended) => State::Paused,
        Enum::Known(DomainState::Shutdown) => State::Ending,
        Enum::Known(DomainState::Shutoff) => State::Off,
        Enum::Known(DomainState::Crashed) => State::Crashed,
        // libxl says NoState of a domain that is between two of Xen's own.
        Enum::Known(DomainState::NoState | DomainState::Running | DomainState::Blocked)
        | Enum::Unknown(_) => State::Running,
    }
}

/// A domain's figures.
pub(super) fn stats(machine: Machine, info: &DomainInfo) -> Stats {
    Stats {
        memory_kib: Some(info.memory),
        processors: Some(info.nr_virt_cpu),
        cpu_time: Some(Duration::from_nanos(info.cpu_time)),
        ..Stats::none(machine)
    }
}
