//! What is to be done so that a fleet is as it should be: from what is there to steps, without any I/O.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::time::Duration;

use morgana_hal::Instant;

/// A machine, as the toolstack sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Machine {
    /// Its number in the fleet.
    pub number: u32,
    /// How it is.
    pub life: Life,
}

/// How a machine is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// It runs, or could.
    Alive,
    /// It has powered off or crashed, and is still there.
    Over,
    /// It is being taken down.
    Dying,
}

/// A machine, as the load balancer sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its number in the fleet.
    pub number: u32,
    /// How it is.
    pub health: Health,
    /// For how long.
    pub since: Duration,
}

/// How a member is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// It gets requests.
    Healthy,
    /// It has not answered yet, or does not any more.
    Unhealthy,
    /// It gets no new requests.
    Draining,
}

/// What is there.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// The machines of the fleet.
    pub machines: Vec<Machine>,
    /// What the balancer knows of them; `None` for a fleet without one.
    pub members: Option<Vec<Member>>,
}

/// A step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Make this machine.
    Create(u32),
    /// Tell the balancer of it.
    Join(u32),
    /// Let it finish what it has begun, and begin nothing.
    Drain(u32),
    /// Have the balancer forget it.
    Forget(u32),
    /// End it, and remove what is left of it.
    End(u32),
}

impl Step {
    /// The machine that it is about.
    pub const fn number(self) -> u32 {
        match self {
            Self::Create(number)
            | Self::Join(number)
            | Self::Drain(number)
            | Self::Forget(number)
            | Self::End(number) => number,
        }
    }
}

/// What is being done about a machine: until that is over nothing else is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hand {
    /// It is being made.
    Making,
    /// The balancer, or it itself, is being told something.
    Telling,
    /// It is being ended.
    Ending,
}

/// The machines about which something is being done.
pub type InHand = BTreeMap<u32, Hand>;

/// What the plan goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Machines that are being made at a time.
    pub burst: usize,
    /// How long one may take until it is healthy, or be unhealthy, before another takes its place.
    pub patience: Duration,
    /// How long one may take to drain.
    pub drain_time: Duration,
}

impl Rules {
    /// Four at once, 20 s to be healthy, 40 s to drain.
    pub const DEFAULT: Self = Self {
        burst: 4,
        patience: Duration::from_secs(20),
        drain_time: Duration::from_secs(40),
    };
}

/// Machines that were asked to drain, since when.
pub type Leaving = BTreeMap<u32, Instant>;

/// What a fleet remembers from plan to plan.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// Machines that were asked to drain, since when.
    pub leaving: Leaving,
    /// Machines about which something is being done.
    pub in_hand: InHand,
    /// The number from which on a free one is sought. They are taken in turn, so that one is not used again while the network may still know where its last machine was.
    pub next: u32,
}

/// The steps by which a fleet of `count` possible machines comes to have `wanted`.
pub fn plan(
    view: &View,
    wanted: usize,
    count: u32,
    memory: &mut Memory,
    rules: &Rules,
    now: Instant,
) -> Vec<Step> {
    let Memory {
        leaving,
        in_hand,
        next,
    } = memory;
    let mut steps = Vec::new();
    let member = |number: u32| {
        let members = view.members.as_deref().unwrap_or_default();
        members.iter().find(|member| member.number == number)
    };
    let is_there = |number: u32| view.machines.iter().any(|machine| machine.number == number);
    leaving.retain(|number, _| is_there(*number));
    for member in view.members.iter().flatten() {
        if !is_there(member.number) && !in_hand.contains_key(&member.number) {
            steps.push(Step::Forget(member.number));
        }
    }
    let is_made = |hand: &&Hand| **hand == Hand::Making;
    let making = in_hand.values().filter(is_made).count();
    let mut serving: Vec<u32> = Vec::new();
    for machine in &view.machines {
        let (number, member) = (machine.number, member(machine.number));
        match in_hand.get(&number) {
            // It counts as one that is being made.
            Some(Hand::Making | Hand::Ending) => continue,
            Some(Hand::Telling) => {
                if machine.life == Life::Alive && !leaving.contains_key(&number) {
                    serving.push(number);
                }
                continue;
            }
            None => {}
        }
        match machine.life {
            Life::Dying => continue,
            Life::Over => {
                if member.is_some() {
                    steps.push(Step::Forget(number));
                }
                steps.push(Step::End(number));
                continue;
            }
            Life::Alive => {}
        }
        if member.is_some_and(|member| member.health == Health::Draining) {
            leaving.entry(number).or_insert(now);
        }
        if let Some(since) = leaving.get(&number) {
            // One without a balancer ends by itself when it has drained.
            let has_drained = view.members.is_some() && member.is_none();
            let is_late = now.since(*since) >= rules.drain_time;
            if is_late && member.is_some() {
                steps.push(Step::Forget(number));
            }
            if has_drained || is_late {
                steps.push(Step::End(number));
            }
            continue;
        }
        match member {
            None if view.members.is_some() => steps.push(Step::Join(number)),
            Some(member)
                if member.health == Health::Unhealthy && member.since >= rules.patience =>
            {
                steps.push(Step::Forget(number));
                steps.push(Step::End(number));
                continue;
            }
            _ => {}
        }
        serving.push(number);
    }
    match wanted.checked_sub(serving.len() + making) {
        Some(missing) => {
            let is_free = |number: &u32| {
                !is_there(*number) && member(*number).is_none() && !in_hand.contains_key(number)
            };
            let start = *next;
            let in_turn = (0..count).map(|offset| (start + offset) % count);
            let burst = rules.burst.saturating_sub(making);
            for number in in_turn.filter(is_free).take(missing.min(burst)) {
                steps.push(Step::Create(number));
                *next = (number + 1) % count;
            }
        }
        None => {
            // Those that get no requests yet go first, then those with the highest numbers.
            let is_idle = |number: &u32| {
                member(*number).is_some_and(|member| member.health != Health::Healthy)
            };
            serving.sort_by_key(|number| (!is_idle(number), core::cmp::Reverse(*number)));
            let too_many = serving.len() - wanted.min(serving.len());
            let candidates = serving
                .iter()
                .filter(|number| !in_hand.contains_key(number));
            for &number in candidates.take(too_many) {
                leaving.insert(number, now);
                steps.push(Step::Drain(number));
            }
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    const RULES: Rules = Rules::DEFAULT;

    fn at(seconds: u64) -> Instant {
        Instant::from_nanos(seconds * 1_000_000_000)
    }

    fn alive(numbers: &[u32]) -> Vec<Machine> {
        let machine = |&number| Machine {
            number,
            life: Life::Alive,
        };
        numbers.iter().map(machine).collect()
    }

    fn members(members: &[(u32, Health, u64)]) -> Option<Vec<Member>> {
        let member = |&(number, health, seconds)| Member {
            number,
            health,
            since: Duration::from_secs(seconds),
        };
        Some(members.iter().map(member).collect())
    }

    fn steps(view: &View, wanted: usize, memory: &mut Memory) -> Vec<Step> {
        plan(view, wanted, 10, memory, &RULES, at(100))
    }

    #[test]
    fn what_is_missing_is_made_under_free_numbers_and_not_all_at_once() {
        let view = View {
            machines: alive(&[1]),
            members: members(&[(1, Health::Healthy, 5), (2, Health::Healthy, 5)]),
        };
        let made = steps(&view, 9, &mut Memory::default());
        // The balancer still knows number 2: it is free again when it has been forgotten.
        let expected = [
            Step::Forget(2),
            Step::Create(0),
            Step::Create(3),
            Step::Create(4),
            Step::Create(5),
        ];
        assert_eq!(made, expected);
        let few = plan(&view, 9, 2, &mut Memory::default(), &RULES, at(0));
        assert_eq!(few, [Step::Forget(2), Step::Create(0)]);
    }

    #[test]
    fn one_that_is_made_joins() {
        let view = View {
            machines: alive(&[0, 1]),
            members: members(&[(0, Health::Healthy, 1)]),
        };
        assert_eq!(steps(&view, 2, &mut Memory::default()), [Step::Join(1)]);
        let without = View {
            machines: alive(&[0, 1]),
            members: None,
        };
        assert_eq!(steps(&without, 2, &mut Memory::default()), []);
    }

    #[test]
    fn one_too_many_drains_then_ends() {
        let mut memory = Memory::default();
        let health = [
            (0, Health::Healthy, 9),
            (1, Health::Unhealthy, 1),
            (2, Health::Healthy, 9),
        ];
        let mut view = View {
            machines: alive(&[0, 1, 2]),
            members: members(&health),
        };
        assert_eq!(
            steps(&view, 1, &mut memory),
            [Step::Drain(1), Step::Drain(2)]
        );
        view.members = members(&[(0, Health::Healthy, 9), (2, Health::Draining, 1)]);
        // The first is gone from the balancer, and the second has requests still.
        assert_eq!(steps(&view, 1, &mut memory), [Step::End(1)]);
        let late = plan(&view, 1, 10, &mut memory, &RULES, at(140));
        assert_eq!(late, [Step::End(1), Step::Forget(2), Step::End(2)]);
        view.machines = alive(&[0]);
        view.members = members(&[(0, Health::Healthy, 9)]);
        assert_eq!(steps(&view, 1, &mut memory), []);
        assert!(memory.leaving.is_empty());
    }

    #[test]
    fn whoever_begins_anew_finds_those_that_drain() {
        let view = View {
            machines: alive(&[0, 1]),
            members: members(&[(0, Health::Draining, 1), (1, Health::Healthy, 9)]),
        };
        let mut memory = Memory::default();
        assert_eq!(steps(&view, 1, &mut memory), []);
        assert!(memory.leaving.contains_key(&0));
    }

    #[test]
    fn what_is_over_is_removed_and_replaced() {
        let view = View {
            machines: vec![
                Machine {
                    number: 0,
                    life: Life::Over,
                },
                Machine {
                    number: 1,
                    life: Life::Dying,
                },
            ],
            members: members(&[(0, Health::Healthy, 9)]),
        };
        let made = steps(&view, 1, &mut Memory::default());
        // Number 1 is in use as long as anything is left of it.
        assert_eq!(made, [Step::Forget(0), Step::End(0), Step::Create(2)]);
    }

    #[test]
    fn one_that_is_never_healthy_is_replaced() {
        let view = |seconds| View {
            machines: alive(&[0]),
            members: members(&[(0, Health::Unhealthy, seconds)]),
        };
        assert_eq!(steps(&view(19), 1, &mut Memory::default()), []);
        let replaced = [Step::Forget(0), Step::End(0), Step::Create(1)];
        assert_eq!(steps(&view(20), 1, &mut Memory::default()), replaced);
    }

    #[test]
    fn a_fleet_without_a_balancer_ends_by_itself_or_by_force() {
        let mut memory = Memory::default();
        let view = View {
            machines: alive(&[0, 1]),
            members: None,
        };
        assert_eq!(steps(&view, 1, &mut memory), [Step::Drain(1)]);
        assert_eq!(steps(&view, 1, &mut memory), []);
        let late = plan(&view, 1, 10, &mut memory, &RULES, at(140));
        assert_eq!(late, [Step::End(1)]);
    }

    #[test]
    fn what_is_in_hand_is_let_alone_and_counts() {
        let view = View {
            machines: alive(&[0, 1, 2]),
            members: members(&[
                (0, Health::Healthy, 9),
                (2, Health::Healthy, 9),
                (3, Health::Healthy, 0),
            ]),
        };
        let mut memory = Memory {
            in_hand: InHand::from([
                (1, Hand::Ending),
                (2, Hand::Telling),
                (3, Hand::Making),
                (4, Hand::Making),
            ]),
            ..Memory::default()
        };

        let mut made = |wanted| plan(&view, wanted, 10, &mut memory, &RULES, at(100));
        // Numbers 0 and 2 serve, 3 and 4 will.
        assert_eq!(made(4), []);
        assert_eq!(made(9), [Step::Create(5), Step::Create(6)]);
        assert_eq!(made(1), [Step::Drain(0)]);
    }

    #[test]
    fn numbers_are_taken_in_turn() {
        let mut memory = Memory::default();
        let view = View {
            machines: Vec::new(),
            members: members(&[]),
        };
        let mut taken = || steps(&view, 3, &mut memory);
        assert_eq!(taken(), [0, 1, 2].map(Step::Create));
        assert_eq!(taken(), [3, 4, 5].map(Step::Create));
        assert_eq!(taken(), [6, 7, 8].map(Step::Create));
        assert_eq!(taken(), [9, 0, 1].map(Step::Create));
    }
}
