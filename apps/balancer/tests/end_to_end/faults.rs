//! Back ends that die, vanish, are drained, come and go, under load.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use balancer::Settings;
use morgana_balance::{Config, State};
use morgana_http::{Ask, Method};

use crate::world::{Mood, World, ask, run, try_ask};

/// Clients that ask one request after the other; answers the count of those that were answered well. Every fourth one opens a connection for each.
fn load(world: &World, clients: u32, requests: u32) -> Rc<Cell<u32>> {
    let well = Rc::new(Cell::new(0));
    for number in 0..clients {
        let (world, well) = (world.clone(), well.clone());
        drop(world.clone().spawn(async move {
            let mut client = world.connect();
            for request in 0..requests {
                let target = format!("/page?{}", (number * 7 + request * 13) % 40);
                let got = ask(&mut client, &Ask::get("site", &target), &[]).await;
                assert_eq!(got.code, 200, "{}", got.text());
                well.set(well.get() + 1);
                if number % 4 == 0 {
                    client = world.connect();
                }
            }
        }));
    }
    well
}

async fn until(world: &World, what: impl Fn() -> bool) {
    for _ in 0..60_000 {
        if what() {
            return;
        }
        world.sleep(1).await;
    }
    panic!("it never came to that");
}

fn state(world: &World, name: &str) -> Option<State> {
    world
        .shared
        .policy()
        .find(name)
        .map(|backend| backend.state())
}

#[test]
fn no_request_fails_when_one_is_killed_and_one_is_drained() {
    run(&["a", "b", "c"], Settings::default(), |world| async move {
        let well = load(&world, 24, 200);
        until(&world, || well.get() > 800).await;
        world.kill("a");
        until(&world, || state(&world, "a") == Some(State::Unhealthy)).await;
        until(&world, || well.get() > 1600).await;
        let drained = world.control(Method::Post, "/backends/b/drain", "").await;
        assert!(matches!(drained.code, 202 | 204), "{}", drained.text());
        until(&world, || state(&world, "b").is_none()).await;
        let b_has_seen = world.app("b").seen.borrow().len();
        // A new one takes over, and the dead one comes back.
        let address = world.start("d");
        let put = format!("{{\"address\":\"{address}\"}}");
        assert_eq!(
            world.control(Method::Put, "/backends/d", &put).await.code,
            201
        );
        until(&world, || well.get() > 3000).await;
        world.app("a").mood.set(Mood::Well);
        until(&world, || state(&world, "a") == Some(State::Healthy)).await;
        until(&world, || well.get() == 24 * 200).await;
        assert_eq!(world.app("b").seen.borrow().len(), b_has_seen);
        assert!(world.app("d").seen.borrow().len() > 500);
        let mut policy = world.shared.policy();
        let totals = policy.totals_mut();
        assert_eq!((totals.answered, totals.in_flight), (24 * 200, 0));
        assert!(
            totals.retries > 0,
            "somebody had a request at the one that was killed"
        );
        assert_eq!(
            (totals.bad_gateway, totals.timeouts, totals.refused),
            (0, 0, 0)
        );
        assert!(
            policy
                .backends()
                .iter()
                .all(|backend| backend.in_flight() == 0)
        );
    });
}

#[test]
fn no_request_fails_when_one_vanishes() {
    run(&["a", "b", "c"], Settings::default(), |world| async move {
        let well = load(&world, 24, 100);
        until(&world, || well.get() > 800).await;
        world.app("b").mood.set(Mood::Vanished);
        let gone_at = world.shared.policy().totals().answered;
        until(&world, || state(&world, "b") == Some(State::Unhealthy)).await;
        until(&world, || well.get() == 24 * 100).await;
        let policy = world.shared.policy();
        let stats = policy.find("b").expect("there").stats();
        assert!(stats.abandoned > 0 && gone_at < 24 * 100);
        // From its end to the next answer: checks find it within 2.5 s, and nothing waits for longer.
        assert!(policy.totals().latency.max() < Duration::from_secs(3));
    });
}

#[test]
fn what_might_be_done_twice_is_answered_502() {
    run(&["a", "b"], Settings::default(), |world| async move {
        let asking = world.clone();
        let task = world.spawn(async move {
            let got = asking.post("/echo?500", b"once").await;
            assert_eq!(got.code, 502);
        });
        world.sleep(100).await;
        let busy = if world.app("a").posts.get() == 1 {
            "a"
        } else {
            "b"
        };
        world.kill(busy);
        task.await.expect("it ends");
        let posts = world.app("a").posts.get() + world.app("b").posts.get();
        assert_eq!(posts, 1);
        // A request of which nothing was sent yet is another matter: that the other one is dead is found by connecting.
        for _ in 0..4 {
            assert_eq!(world.post("/echo", b"again").await.code, 200);
        }
    });
}

#[test]
fn an_answer_that_breaks_off_is_cut_off() {
    run(&["a"], Settings::default(), |world| async move {
        let asking = world.clone();
        let task = world.spawn(async move {
            let mut client = asking.connect();
            let got = try_ask(&mut client, &Ask::get("site", "/long?1"), &[]).await;
            assert!(got.is_err());
        });
        world.sleep(100).await;
        world.kill("a");
        task.await.expect("it ends");
        assert_eq!(world.shared.policy().totals().bad_gateway, 1);
    });
}

#[test]
fn more_than_can_wait_is_refused_politely() {
    let settings = Settings {
        policy: Config {
            per_backend: 2,
            waiting: 3,
            ..Config::DEFAULT
        },
        ..Settings::default()
    };
    run(&["a"], settings, |world| async move {
        let ends = Rc::new(Cell::new([0; 2]));
        for _ in 0..8 {
            let (asking, ends) = (world.clone(), ends.clone());
            drop(world.spawn(async move {
                let got = asking.get("/page?100").await;
                let mut counts = ends.get();
                match got.code {
                    200 => counts[0] += 1,
                    503 => {
                        assert_eq!(got.field("retry-after"), Some("1"));
                        counts[1] += 1;
                    }
                    other => panic!("{other}"),
                }
                ends.set(counts);
            }));
        }
        world.sleep(1000).await;
        assert_eq!(ends.get(), [5, 3]);
        // Nobody there at all: the same, after the time to wait.
        world.kill("a");
        until(&world, || state(&world, "a") == Some(State::Unhealthy)).await;
        assert_eq!(world.get("/page").await.code, 503);
        assert_eq!(world.shared.policy().waiting(), 0);
    });
}

#[test]
fn a_back_end_that_takes_too_long_is_told() {
    let settings = Settings {
        answer_time: Duration::from_secs(3),
        ..Settings::default()
    };
    run(&["a"], settings, |world| async move {
        assert_eq!(world.get("/page?10000").await.code, 504);
        assert_eq!(world.shared.policy().totals().timeouts, 1);
    });
}
