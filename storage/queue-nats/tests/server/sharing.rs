//! Programs that share a queue.

use std::time::Duration;

use morgana_queue::{JobQueue, NewJob, Outcome};
use morgana_queue_nats::NatsQueue;

use crate::support::{Server, job, run};

#[test]
fn two_programs_share_a_queue_and_no_job_is_done_by_both() {
    let Some(server) = Server::start() else {
        return;
    };
    let open = || run(NatsQueue::open(server.settings("shared"))).expect("a queue");
    let (one, two) = (open(), open());
    for number in 0..100_u8 {
        run(one.enqueue(job(&[number]))).expect("there is room");
    }
    let work = |queue: &NatsQueue| {
        let (mut done, mut idle) = (Vec::<u8>::new(), 0);
        // What the other one has put in comes a little later.
        while idle < 50 {
            match run(queue.lease(60_000)).expect("a server") {
                Some(lease) => {
                    done.extend(&lease.payload);
                    run(queue.acknowledge(lease.id, lease.token)).expect("it is held");
                    idle = 0;
                }
                None => {
                    idle += 1;
                    std::thread::sleep(Duration::from_millis(10));
                }
            }
        }
        done
    };
    let done = std::thread::scope(|scope| {
        let other = scope.spawn(|| work(&two));
        let own = work(&one);
        [own, other.join().expect("no panic")]
    });
    let mut all = done.concat();
    all.sort_unstable();
    assert_eq!(all, (0..100).collect::<Vec<u8>>());
}

#[test]
fn of_two_with_the_same_key_one_is_put_in() {
    let Some(server) = Server::start() else {
        return;
    };
    let open = || run(NatsQueue::open(server.settings("keys"))).expect("a queue");
    let (one, two) = (open(), open());
    for round in 0..20_u8 {
        let keyed = || NewJob {
            key: vec![round],
            ..job(&[round])
        };
        let (first, second) = std::thread::scope(|scope| {
            let other = scope.spawn(|| run(two.enqueue(keyed())));
            (run(one.enqueue(keyed())), other.join().expect("no panic"))
        });
        match (first, second) {
            (Ok(Outcome::New(id)), Ok(Outcome::Duplicate(same)))
            | (Ok(Outcome::Duplicate(same)), Ok(Outcome::New(id))) => assert_eq!(id, same),
            both => panic!("{both:?}"),
        }
        let lease = run(one.lease(1000)).expect("a server").expect("a job");
        assert_eq!(lease.payload, [round]);
        run(one.acknowledge(lease.id, lease.token)).expect("it is held");
        assert_eq!(run(one.lease(1000)), Ok(None));
    }
}
