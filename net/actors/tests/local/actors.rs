//! Mailboxes, requests, timers, ends.

use morgana_actors::{Ended, Failure, RequestError, SendError, Stop, TrySendError, link, spawn};
use morgana_exec::join;

use crate::support::{Clerk, MS, Message, run};

#[test]
fn messages_come_in_order_and_a_full_mailbox_hands_back() {
    let log = run(|tasks, log| async move {
        let address = spawn(&tasks, 2, Clerk::new("a", &log)).unwrap();
        address.try_send(Message::Note(1)).unwrap();
        address.try_send(Message::Note(2)).unwrap();
        assert!(matches!(
            address.try_send(Message::Note(3)),
            Err(TrySendError::Full(Message::Note(3)))
        ));
        for number in 4..40 {
            address.send(Message::Note(number)).await.unwrap();
        }
        let weak = address.downgrade();
        drop(address);
        assert_eq!(weak.ended().await, Ended::Finished);
        assert!(weak.upgrade().is_none());
    });
    let notes: Vec<_> = log.iter().filter(|line| line.contains("notes")).collect();
    assert_eq!(notes.len(), 38);
    assert_eq!(notes[1], "a notes 2");
    assert_eq!(notes[37], "a notes 39");
    assert_eq!(log.last().unwrap(), "a finished");
}

#[test]
fn a_request_is_answered_or_ends_with_the_reason() {
    run(|tasks, log| async move {
        let timers = tasks.timers();
        let address = spawn(&tasks, 4, Clerk::new("a", &log)).unwrap();
        address.send(Message::Note(5)).await.unwrap();
        assert_eq!(address.request(&timers, MS, Message::Sum).await, Ok(5));
        assert_eq!(
            address.request(&timers, MS, Message::Forget).await,
            Err(RequestError::NoReply)
        );
        address.send(Message::Sleep(50)).await.unwrap();
        assert_eq!(
            address.request(&timers, 10 * MS, Message::Sum).await,
            Err(RequestError::Late)
        );
        // The late answer goes nowhere, and the next request gets its own.
        assert_eq!(
            address.request(&timers, 100 * MS, Message::Sum).await,
            Ok(5)
        );
        // In the mailbox of an actor that ends, and after its end.
        let (first, _) = join(address.request(&timers, MS, Message::Sum), async {
            address.stop(Stop::Drop);
        })
        .await;
        assert_eq!(first, Err(RequestError::NoReply));
        assert_eq!(
            address.request(&timers, MS, Message::Sum).await,
            Err(RequestError::Ended)
        );
    });
}

#[test]
fn a_stop_drains_or_drops() {
    for (stop, notes) in [(Stop::Drain, 3), (Stop::Drop, 0)] {
        let log = run(move |tasks, log| async move {
            let address = spawn(&tasks, 4, Clerk::new("a", &log)).unwrap();
            for number in 0..3 {
                address.try_send(Message::Note(number)).unwrap();
            }
            address.stop(stop);
            assert_eq!(address.ended().await, Ended::Stopped);
            assert!(matches!(
                address.send(Message::Fail).await,
                Err(SendError(Message::Fail))
            ));
        });
        assert_eq!(
            log.iter().filter(|line| line.contains("notes")).count(),
            notes
        );
    }
}

#[test]
fn a_failure_is_told_to_those_that_watch_and_ends_those_that_are_linked() {
    let log = run(|tasks, log| async move {
        let first = spawn(&tasks, 4, Clerk::new("a", &log)).unwrap();
        let second = spawn(&tasks, 4, Clerk::new("b", &log)).unwrap();
        let watcher = spawn(&tasks, 4, Watcher(Clerk::new("w", &log), first.clone())).unwrap();
        link(&tasks, &first, &second).unwrap();
        watcher.send(Message::Note(1)).await.unwrap();
        first.send(Message::Fail).await.unwrap();
        assert_eq!(first.ended().await, Ended::Failed(Failure("asked to")));
        assert_eq!(second.ended().await, Ended::Stopped);
        tasks.timers().sleep(MS).await;
    });
    assert!(
        log.contains(&"w hears: failed: asked to".to_string()),
        "{log:?}"
    );
}

/// Watches another actor from its start.
struct Watcher(Clerk, morgana_actors::Address<Message>);

impl morgana_actors::Actor for Watcher {
    type Message = Message;

    async fn started(&mut self, context: &morgana_actors::Context<Message>) -> Result<(), Failure> {
        let watch = context
            .watch(&self.1, Message::Down)
            .map_err(|_| Failure("no task"))?;
        // As long as the program runs.
        std::mem::forget(watch);
        Ok(())
    }

    async fn handle(
        &mut self,
        message: Message,
        context: &morgana_actors::Context<Message>,
    ) -> Result<morgana_actors::Flow, Failure> {
        self.0.handle(message, context).await
    }
}

struct Ticker(
    Clerk,
    Option<morgana_actors::Timer>,
    Option<morgana_actors::Timer>,
);

impl morgana_actors::Actor for Ticker {
    type Message = Message;

    async fn started(&mut self, context: &morgana_actors::Context<Message>) -> Result<(), Failure> {
        self.1 = context.every(10 * MS, || Message::Note(1)).ok();
        self.2 = context.send_after(25 * MS, Message::Note(100)).ok();
        Ok(())
    }

    async fn handle(
        &mut self,
        message: Message,
        context: &morgana_actors::Context<Message>,
    ) -> Result<morgana_actors::Flow, Failure> {
        if matches!(message, Message::Note(100)) {
            self.1 = None;
        }
        self.0.handle(message, context).await
    }
}

#[test]
fn timers_send_and_a_dropped_one_does_not() {
    let log = run(|tasks, log| async move {
        let ticker = Ticker(Clerk::new("t", &log), None, None);
        let address = spawn(&tasks, 4, ticker).unwrap();
        tasks.timers().sleep(200 * MS).await;
        address.stop(Stop::Drain);
        address.ended().await;
    });
    assert_eq!(log, ["t notes 1", "t notes 1", "t notes 100"]);
}
