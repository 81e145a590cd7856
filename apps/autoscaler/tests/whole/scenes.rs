//! What happens.

use crate::toolstack::Mood;
use crate::world::run;

#[test]
fn machines_come_with_the_load_and_go_with_it_and_no_request_fails() {
    run(|world| async move {
        world
            .until("one machine", |world| world.toolstack.names().len() == 1)
            .await;
        world.sleep(1.0).await;
        assert_eq!(world.load(20, 5).await, (100, 0));
        assert_eq!(world.toolstack.names().len(), 1);
        assert_eq!(world.load(290, 4).await, (1_160, 0));
        assert_eq!(world.toolstack.names().len(), 6);
        // It falls while there is still load: machines drain, and lose nothing.
        assert_eq!(world.load(60, 16).await, (960, 0));
        let (_, last) = world.told().await;
        let web = &last["fleets"]["web"];
        assert!(web["wanted"].as_u64() < Some(6), "{last}");
        world
            .until("one machine again", |world| {
                world.toolstack.names().len() == 1
            })
            .await;
    });
}

#[test]
fn what_dies_is_replaced() {
    run(|world| async move {
        world
            .until("one machine", |world| world.toolstack.names().len() == 1)
            .await;
        world.sleep(1.0).await;
        let load = async { world.load(120, 12).await };
        let deaths = async {
            world
                .until("three machines", |world| world.toolstack.names().len() >= 3)
                .await;
            world.sleep(2.0).await;
            let names = world.toolstack.names();
            world.toolstack.kill(&names[0]);
            world.toolstack.crash(&names[1]);
            world.sleep(2.0).await;
            let left = world.toolstack.names();
            assert!(
                left.len() >= 3 && !left.contains(&names[0]) && !left.contains(&names[1]),
                "{left:?}"
            );
        };
        let ((well, badly), ()) = morgana_exec::join(load, deaths).await;
        // What was under way at one that died is asked of another one.
        assert_eq!((well, badly), (1_440, 0));
    });
}

#[test]
fn a_new_balancer_learns_of_all_machines_and_a_new_controller_ends_none() {
    run(|world| async move {
        world.load(240, 6).await;
        let before = world.toolstack.names();
        assert!(before.len() >= 5, "{before:?}");
        world.begin_controller();
        world.sleep(2.0).await;
        assert_eq!(world.toolstack.names(), before);
        world.begin_balancer();
        world.sleep(2.0).await;
        assert_eq!(world.load(200, 5).await, (1_000, 0));
        assert_eq!(world.toolstack.names().len(), before.len());
    });
}

#[test]
fn a_host_without_room_is_not_asked_again_and_again() {
    run(|world| async move {
        world
            .until("one machine", |world| world.toolstack.names().len() == 1)
            .await;
        world.sleep(1.0).await;
        world.toolstack.is(Mood::Full);
        let asked = world.toolstack.asked();
        // One machine bears it, slowly or not.
        assert_eq!(world.load(200, 20).await.1, 0);
        let (told, last) = world.told().await;
        assert_eq!(last["fleets"]["web"]["serving"], 1);
        assert!(
            told["trouble"]["web"]
                .as_str()
                .is_some_and(|why| why.contains("no memory")),
            "{}",
            told["trouble"]
        );
        assert!(
            world.toolstack.asked() - asked <= 24,
            "{}",
            world.toolstack.asked() - asked
        );
        world.toolstack.is(Mood::Well);
        world.load(200, 12).await;
        assert!(world.toolstack.names().len() >= 4);
    });
}

#[test]
fn a_toolstack_that_lies_or_is_silent_costs_nothing_but_itself() {
    run(|world| async move {
        world.load(120, 6).await;
        let before = world.toolstack.names();
        for mood in [Mood::Mad, Mood::Silent] {
            world.toolstack.is(mood);
            assert_eq!(world.load(120, 8).await, (960, 0));
            assert_eq!(world.toolstack.names(), before);
            let (told, _) = world.told().await;
            let why = told["trouble"]["web"].as_str().map(str::to_owned);
            assert!(
                mood == Mood::Silent || why.is_some_and(|why| why.contains("without sense")),
                "{told}"
            );
        }
        world.toolstack.is(Mood::Well);
        world
            .until("fewer machines", |world| world.toolstack.names().len() == 1)
            .await;
    });
}
