//! What the daemon answers: allegations, until they were read here.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::{Cause, Machine, MachineId, State, Stats};

#[derive(Deserialize)]
struct Made {
    domain: u16,
}

#[derive(Deserialize)]
struct Figures {
    id: u16,
    name: String,
    state: String,
    vcpus: u32,
    memory_kib: u64,
    cpu_ns: u64,
}

fn wrong(error: &serde_json::Error) -> Cause {
    Cause::lost(&format!("the daemon says what is not understood: {error}"))
}

/// The number of a domain that was made.
pub(super) fn domain(answer: &Value) -> Result<MachineId, Cause> {
    let made = Made::deserialize(answer).map_err(|error| wrong(&error))?;
    Ok(MachineId::new(made.domain.to_string()))
}

/// Domains' figures.
pub(super) fn figures(answer: &Value) -> Result<Vec<Stats>, Cause> {
    let all = Vec::<Figures>::deserialize(answer).map_err(|error| wrong(&error))?;
    all.into_iter().map(stats).collect()
}

fn stats(figures: Figures) -> Result<Stats, Cause> {
    let state = match figures.state.as_str() {
        "running" | "blocked" | "runnable" => State::Running,
        "paused" => State::Paused,
        "dying" => State::Ending,
        "off" | "reboot" | "suspended" | "shut down" => State::Off,
        "crashed" => State::Crashed,
        other => return Err(Cause::lost(&format!("the daemon tells of a state {other}"))),
    };
    let machine = Machine {
        id: MachineId::new(figures.id.to_string()),
        name: figures.name,
        state,
    };
    Ok(Stats {
        memory_kib: Some(figures.memory_kib),
        processors: Some(figures.vcpus),
        cpu_time: Some(Duration::from_nanos(figures.cpu_ns)),
        ..Stats::none(machine)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn figures_are_read() {
        let answer = json!([{ "id": 7, "name": "web", "uuid": "", "state": "blocked", "vcpus": 1,
            "memory_kib": 16384, "most_memory_kib": 16384, "cpu_ns": 1_500_000_000_u64 }]);
        let all = figures(&answer).unwrap();
        let [web] = &all[..] else {
            panic!("one domain")
        };
        assert_eq!(web.machine.id.as_str(), "7");
        assert_eq!(web.machine.state, State::Running);
        assert_eq!(web.memory_kib, Some(16_384));
        assert_eq!(web.cpu_time, Some(Duration::from_millis(1_500)));
        assert_eq!(domain(&json!({ "domain": 7 })).unwrap().as_str(), "7");
    }

    #[test]
    fn what_makes_no_sense_is_told() {
        let figure = |state: &str| json!([{ "id": 1, "name": "a", "state": state, "vcpus": 1, "memory_kib": 4, "cpu_ns": 0 }]);
        assert!(figures(&figure("paused")).is_ok());
        for answer in [
            figure("\u{1b}"),
            json!(null),
            json!([{ "id": 70_000 }]),
            json!({}),
        ] {
            assert!(matches!(figures(&answer), Err(Cause::Lost(_))), "{answer}");
        }
        for answer in [
            json!(null),
            json!({ "domain": -1 }),
            json!({ "domain": "7" }),
        ] {
            assert!(matches!(domain(&answer), Err(Cause::Lost(_))), "{answer}");
        }
    }
}
