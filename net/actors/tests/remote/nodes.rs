//! What two nodes do over a stream that works, breaks, or falls silent.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use morgana_actors::{
    Backoff, Begun, Child, ChildOptions, EncodeError, Ended, Intensity, LinkError, LookupError,
    Malformed, MessageType, Peer, Protocol, Reader, RequestError, Restart, Stop, Strategy,
    Supervisor, Wire, Writer, spawn,
};
use morgana_exec::{Duplex, duplex, join, yield_now};
use morgana_hal::StreamError;

use crate::support::{Clerk, MS, Message, Notes, Torn, node, run, server};

#[test]
fn messages_and_answers_cross_in_order_and_a_slow_actor_holds_up_no_other() {
    run(|tasks| async move {
        let (far, slow, notes) = server(&tasks, 1);
        let quick = spawn(&tasks, 1, Clerk(Rc::default())).unwrap();
        far.register("quick", &quick).unwrap();
        let (a, b) = duplex(100);
        tasks.spawn(far.attach(a).1).unwrap();
        let (link, running) = node(&tasks, 2, 1).attach(b);
        tasks.spawn(running).unwrap();
        let clerk = link.lookup::<Message>("clerk", 4).await.unwrap();
        let other = link.lookup::<Message>("quick", 4).await.unwrap();
        assert_eq!(link.peer().unwrap().node, 1);
        let timers = tasks.timers();
        for number in 0..500 {
            clerk.send(Message::Note(number)).await.unwrap();
        }
        let expected: Vec<u64> = (0..500).collect();
        assert_eq!(
            clerk.request(&timers, MS, Message::Seen).await,
            Ok(expected.clone())
        );
        assert_eq!(*notes.borrow(), expected);
        // The clerk sleeps, and more comes than it and all queues on the way hold.
        clerk.send(Message::Sleep(500)).await.unwrap();
        let mut sent = 0;
        for _ in 0..200 {
            sent += u32::from(clerk.try_send(Message::Note(7)).is_ok());
            yield_now().await;
        }
        assert!((20..40).contains(&sent), "{sent}");
        assert_eq!(slow.waiting(), 4);
        let answer = other.request(&timers, MS, Message::Seen).await;
        assert_eq!(answer, Ok(Vec::new()));
        let late = clerk.request(&timers, MS, Message::Seen).await;
        assert_eq!(late, Err(RequestError::Late));
        let forgotten = other.request(&timers, MS, Message::Forget).await;
        assert_eq!(forgotten, Err(RequestError::NoReply));
    });
}

#[test]
fn names_and_ends_are_told() {
    run(|tasks| async move {
        let (far, clerk, _) = server(&tasks, 1);
        let (a, b) = duplex(1000);
        tasks.spawn(far.attach(a).1).unwrap();
        let (link, running) = node(&tasks, 2, 1).attach(b);
        tasks.spawn(running).unwrap();
        let unknown = link.lookup::<Message>("nobody", 4).await;
        assert_eq!(unknown.unwrap_err(), LookupError::Unknown);
        let first = link.lookup::<Message>("clerk", 4).await.unwrap();
        let second = link.lookup::<Message>("clerk", 4).await.unwrap();
        // The end of an address is not the actor's.
        first.stop(Stop::Drain);
        assert_eq!(first.ended().await, Ended::Stopped);
        assert!(!clerk.is_closed());
        // What is too long is lost, and no more.
        second.send(Message::Long(vec![0; 20_000])).await.unwrap();
        let timers = tasks.timers();
        assert_eq!(
            second.request(&timers, MS, Message::Seen).await,
            Ok(Vec::new())
        );
        assert_eq!(link.lost(), 1);
        second.send(Message::Fail).await.unwrap();
        assert!(matches!(second.ended().await, Ended::Failed(_)));
        let gone = link.lookup::<Message>("clerk", 4).await;
        assert_eq!(gone.unwrap_err(), LookupError::Unknown);
    });
}

/// Its bytes would be those of a note to the clerk.
struct Other(u64);

/// A clerk's message of the next version.
struct Newer(Message);

macro_rules! as_inner {
    ($outer:ty, $inner:ty, $name:literal, $version:literal) => {
        impl Protocol for $outer {
            const TYPE: MessageType = MessageType::new($name, $version);
        }

        impl Wire for $outer {
            fn encode(self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
                self.0.encode(writer)
            }

            fn decode(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
                <$inner>::decode(reader).map(Self)
            }
        }
    };
}

as_inner!(Other, u64, "other", 1);
as_inner!(Newer, Message, "clerk", 2);

#[test]
fn an_actor_of_other_messages_is_refused_by_its_type() {
    run(|tasks| async move {
        let (far, clerk, notes) = server(&tasks, 1);
        let (a, b) = duplex(1000);
        tasks.spawn(far.attach(a).1).unwrap();
        let (link, running) = node(&tasks, 2, 1).attach(b);
        tasks.spawn(running).unwrap();
        let other = link.lookup::<Other>("clerk", 4).await.unwrap_err();
        assert_eq!(other, LookupError::OtherType(Message::TYPE));
        assert_eq!(
            other.to_string(),
            "the peer's actor takes messages of clerk version 1"
        );
        let newer = link.lookup::<Newer>("clerk", 4).await.unwrap_err();
        assert_eq!(newer, LookupError::OtherType(Message::TYPE));
        let unknown = link.lookup::<Other>("nobody", 4).await.unwrap_err();
        assert_eq!(unknown, LookupError::Unknown);
        // The connection goes on, and a refusal costs no channel.
        for _ in 0..100 {
            assert!(link.lookup::<Other>("clerk", 4).await.is_err());
        }
        let found = link.lookup::<Message>("clerk", 4).await.unwrap();
        found.send(Message::Note(3)).await.unwrap();
        let seen = found.request(&tasks.timers(), MS, Message::Seen).await;
        assert_eq!((seen, notes.borrow().len()), (Ok(vec![3]), 1));
        // Of one that has ended only that is told.
        clerk.stop(Stop::Drop);
        clerk.ended().await;
        let gone = link.lookup::<Other>("clerk", 4).await.unwrap_err();
        assert_eq!(gone, LookupError::Unknown);
    });
}

#[test]
fn an_actor_that_starts_again_or_ends_is_no_end_of_its_node() {
    run(|tasks| async move {
        let notes = Notes::default();
        let (again, child) = {
            let notes = notes.clone();
            let options = ChildOptions {
                restart: Restart::Transient,
                ..ChildOptions::DEFAULT
            };
            Child::actor(options, move || Clerk(notes.clone()))
        };
        let one = Intensity {
            restarts: 1,
            within: 1_000 * MS,
        };
        let _supervision = Supervisor::new(Strategy::OneForOne, one, Backoff::NONE, 1)
            .with(child)
            .start(&tasks)
            .unwrap();
        let far = node(&tasks, 1, 1);
        far.register("clerk", &again).unwrap();
        let (a, b) = duplex(1000);
        tasks.spawn(far.attach(a).1).unwrap();
        let (link, running) = node(&tasks, 2, 1).attach(b);
        tasks.spawn(running).unwrap();
        let clerk = link.lookup::<Message>("clerk", 4).await.unwrap();
        let timers = tasks.timers();
        // A late answer is not that of the next request.
        clerk.send(Message::Sleep(50)).await.unwrap();
        let late = clerk.request(&timers, 10 * MS, Message::Seen).await;
        assert_eq!(late, Err(RequestError::Late));
        clerk.send(Message::Note(1)).await.unwrap();
        let next = clerk.request(&timers, 100 * MS, Message::Seen).await;
        assert_eq!(next, Ok(vec![1]));
        // What waits outlives the restart, and the address does.
        clerk.send(Message::Fail).await.unwrap();
        let kept = clerk.request(&timers, 100 * MS, Message::Seen).await;
        assert_eq!(kept, Ok(vec![1]));
        // One restart more than there may be: what waits has no answer.
        clerk.send(Message::Fail).await.unwrap();
        let dropped = clerk.request(&timers, 100 * MS, Message::Seen).await;
        assert_eq!(dropped, Err(RequestError::NoReply));
        assert!(matches!(clerk.ended().await, Ended::Failed(_)));
        let after = clerk.request(&timers, 100 * MS, Message::Seen).await;
        assert_eq!(after, Err(RequestError::Ended));
        assert_eq!(link.ended(), None);
    });
}

/// At every point at which a connection can break: what arrived is a beginning of what was sent, and every request ends.
#[test]
fn a_connection_that_breaks_loses_only_the_end_and_is_told() {
    let began = Rc::new(Cell::new(0));
    for seed in 0..400 {
        let began = began.clone();
        run(move |tasks| async move {
            let (far, _clerk, notes) = server(&tasks, 1);
            let (a, b) = duplex(1 + seed % 50);
            let torn = |stream, left| Torn {
                stream,
                left: Cell::new(left),
                piece: 1 + seed % 7,
            };
            // Either end may be the one that breaks.
            let (left, right) = if seed % 2 == 0 {
                (seed * 3, 100_000)
            } else {
                (100_000, seed * 2)
            };
            tasks.spawn(far.attach(torn(a, left)).1).unwrap();
            let (link, running) = node(&tasks, 2, 1).attach(torn(b, right));
            tasks.spawn(running).unwrap();
            let clerk = match link.lookup::<Message>("clerk", 4).await {
                Ok(clerk) => clerk,
                Err(error) => {
                    assert_eq!(error, LookupError::PeerGone);
                    assert!(link.ended().is_some());
                    return;
                }
            };
            began.set(began.get() + 1);
            let timers = tasks.timers();
            let mut sent = 0u64;
            while clerk.send(Message::Note(sent)).await.is_ok() && sent < 100 {
                sent += 1;
                let seen = clerk.request(&timers, 1000 * MS, Message::Seen).await;
                match seen {
                    Ok(seen) => assert_eq!(seen, (0..sent).collect::<Vec<_>>()),
                    Err(error) => {
                        assert_eq!(error, RequestError::PeerGone, "seed {seed}");
                        assert_eq!(clerk.ended().await, Ended::PeerGone);
                    }
                }
            }
            let seen = notes.borrow().clone();
            assert_eq!(
                seen,
                (0..seen.len() as u64).collect::<Vec<_>>(),
                "seed {seed}"
            );
            assert!(seen.len() as u64 <= sent + 1);
        });
    }
    assert!(began.get() > 300, "{began:?} connections got so far");
}

#[test]
fn a_peer_is_connected_again_and_its_new_incarnation_has_new_addresses() {
    run(|tasks| async move {
        let incarnations = Rc::new(Cell::new(0));
        let alive = Rc::new(RefCell::new(None));
        let dial = {
            let (tasks, incarnations, alive) = (tasks.clone(), incarnations.clone(), alive.clone());
            move || {
                let (tasks, incarnations, alive) =
                    (tasks.clone(), incarnations.clone(), alive.clone());
                async move {
                    let attempt = incarnations.get() + 1;
                    incarnations.set(attempt);
                    if attempt % 2 == 0 {
                        return Err(());
                    }
                    let (far, clerk, _) = server(&tasks, attempt);
                    let (a, b) = duplex(100);
                    let task = tasks.spawn(far.attach(a).1).unwrap();
                    *alive.borrow_mut() = Some((task, clerk, far));
                    Ok::<Duplex, ()>(b)
                }
            }
        };
        let backoff = Backoff {
            first: 10 * MS,
            most: 100 * MS,
        };
        let peer = Peer::start(&tasks, &node(&tasks, 2, 1), dial, backoff, 5).unwrap();
        let timers = tasks.timers();
        for incarnation in [1, 3, 5] {
            let link = peer.link().await;
            let clerk = link.lookup::<Message>("clerk", 4).await.unwrap();
            assert_eq!(link.peer().unwrap().incarnation, incarnation);
            clerk.send(Message::Note(incarnation)).await.unwrap();
            let seen = clerk.request(&timers, MS, Message::Seen).await;
            assert_eq!(seen, Ok(vec![incarnation]));
            let asleep = clerk.send(Message::Sleep(1_000));
            asleep.await.unwrap();
            // The node dies while it has a request.
            let (answer, ()) = join(clerk.request(&timers, 500 * MS, Message::Seen), async {
                timers.sleep(MS).await;
                let (task, ..) = alive.borrow_mut().take().unwrap();
                task.abort();
            })
            .await;
            assert_eq!(answer, Err(RequestError::PeerGone));
            assert_eq!(clerk.ended().await, Ended::PeerGone);
            assert!(clerk.send(Message::Note(0)).await.is_err());
            timers.sleep(MS).await;
        }
    });
}

#[test]
fn a_peer_that_falls_silent_is_gone_and_one_that_has_nothing_to_say_is_not() {
    run(|tasks| async move {
        let (far, _clerk, _) = server(&tasks, 1);
        let (a, b) = duplex(1000);
        tasks.spawn(far.attach(a).1).unwrap();
        let (link, running) = node(&tasks, 2, 1).attach(b);
        tasks.spawn(running).unwrap();
        let timers = tasks.timers();
        timers.sleep(60_000 * MS).await;
        assert_eq!(link.ended(), None);
        // One that is to come may come late.
        let (a, b) = duplex(1000);
        let (begun, link) = join(Begun::wait(a), async {
            timers.sleep(60_000 * MS).await;
            let (link, running) = node(&tasks, 3, 1).attach(b);
            tasks.spawn(running).unwrap();
            link
        })
        .await;
        tasks.spawn(far.attach(begun.unwrap()).1).unwrap();
        assert!(link.lookup::<Message>("clerk", 4).await.is_ok());
        let (a, b) = duplex(1000);
        drop(b);
        assert_eq!(Begun::wait(a).await.err(), Some(StreamError::Closed));
        let (_kept, b) = duplex(1000);
        let (_link, running) = node(&tasks, 2, 1).attach(b);
        let before = timers.now();
        assert_eq!(running.await, LinkError::Silent);
        assert_eq!(timers.now() - before, 10_000 * MS);
    });
}
