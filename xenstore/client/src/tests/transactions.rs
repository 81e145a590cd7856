//! Transactions: commit, retry, abort, and futures that are dropped in between.

use super::*;
use std::vec;

use morgana_exec::{Either, select, yield_now};
use morgana_xenstore_wire::Commit;

use crate::{Config, Errno, Error, MAX_TRANSACTIONS};

const START: Request<'static> = Request::TransactionStart;
const COMMIT: Request<'static> = Request::TransactionEnd {
    commit: Commit::Yes,
};
const ABORT: Request<'static> = Request::TransactionEnd { commit: Commit::No };

async fn begin(server: &mut Server, id: u32) {
    let received = server.expect(START).await;
    assert_eq!(received.header.transaction, TransactionId::NONE);
    server
        .answer(&received, std::format!("{id}\0").as_bytes())
        .await;
}

#[test]
fn a_body_runs_again_after_a_conflict() {
    script(
        |client, _| async move {
            let mut runs = 0;
            let read = client
                .transaction(async |transaction| {
                    runs += 1;
                    transaction.read("a").await
                })
                .await;
            assert_eq!((read.unwrap(), runs), (vec![b'2'], 2));
        },
        async |server: &mut Server| {
            for id in 1..=2 {
                begin(server, id).await;
                let read = server.expect(Request::Read { path: "a" }).await;
                assert_eq!(read.header.transaction, TransactionId(id));
                server.answer(&read, &[b'0' + id as u8]).await;
                let end = server.expect(COMMIT).await;
                assert_eq!(end.header.transaction, TransactionId(id));
                if id == 1 {
                    server.refuse(&end, b"EAGAIN\0").await;
                } else {
                    server.answer(&end, b"OK\0").await;
                }
            }
        },
    );
}

#[test]
fn an_error_in_the_body_aborts() {
    script(
        |client, _| async move {
            let ended: Result<(), Error> = client
                .transaction(async |transaction| {
                    transaction.write("a", "1").await?;
                    transaction.read("b").await?;
                    Ok(())
                })
                .await;
            assert_eq!(ended, Err(Error::Refused(Errno::NotFound)));
        },
        async |server: &mut Server| {
            begin(server, 5).await;
            let write = server.receive().await;
            server.answer(&write, b"OK\0").await;
            let read = server.receive().await;
            server.refuse(&read, b"ENOENT\0").await;
            let end = server.expect(ABORT).await;
            assert_eq!(end.header.transaction, TransactionId(5));
            server.answer(&end, b"OK\0").await;
        },
    );
}

#[test]
fn attempts_are_bounded() {
    script(
        |client, _| async move {
            let ended = client.transaction(async |_| Ok::<_, Error>(())).await;
            assert_eq!(ended, Err(Error::Contended));
        },
        async |server: &mut Server| {
            for id in 1..=Config::default().transaction_attempts {
                begin(server, id).await;
                let end = server.expect(COMMIT).await;
                server.refuse(&end, b"EAGAIN\0").await;
            }
        },
    );
}

#[test]
fn a_commit_that_is_refused_for_another_reason_is_not_tried_again() {
    script(
        |client, _| async move {
            let ended = client.transaction(async |_| Ok::<_, Error>(())).await;
            assert_eq!(ended, Err(Error::Refused(Errno::NoSpace)));
        },
        async |server: &mut Server| {
            begin(server, 1).await;
            let end = server.expect(COMMIT).await;
            server.refuse(&end, b"ENOSPC\0").await;
        },
    );
}

#[test]
fn a_dropped_body_aborts() {
    script(
        |client, _| async move {
            let body = client.transaction(async |transaction| transaction.read("never").await);
            let wait = client.read("now");
            assert!(matches!(select(body, wait).await, Either::Second(Ok(_))));
            client.read("after").await.unwrap();
        },
        async |server: &mut Server| {
            // Both were begun at once: the other request comes second.
            let start = server.expect(START).await;
            let now = server.expect(Request::Read { path: "now" }).await;
            server.answer(&start, b"9\0").await;
            server.expect(Request::Read { path: "never" }).await;
            server.answer(&now, b"").await;
            let end = server.expect(ABORT).await;
            assert_eq!(end.header.transaction, TransactionId(9));
            let after = server.expect(Request::Read { path: "after" }).await;
            server.answer(&after, b"").await;
        },
    );
}

#[test]
fn a_transaction_that_begins_after_its_future_was_dropped_is_aborted() {
    script(
        |client, _| async move {
            let body = client.transaction(async |_| Ok::<_, Error>(()));
            let wait = client.read("now");
            assert!(matches!(select(body, wait).await, Either::Second(Ok(_))));
            client.read("after").await.unwrap();
        },
        async |server: &mut Server| {
            let start = server.expect(START).await;
            let now = server.expect(Request::Read { path: "now" }).await;
            server.answer(&now, b"").await;
            let after = server.expect(Request::Read { path: "after" }).await;
            server.answer(&start, b"4\0").await;
            let end = server.expect(ABORT).await;
            assert_eq!(end.header.transaction, TransactionId(4));
            server.answer(&end, b"OK\0").await;
            server.answer(&after, b"").await;
        },
    );
}

#[test]
fn open_transactions_are_bounded_and_further_ones_wait() {
    script(
        |client, handle| async move {
            let mut tasks = vec![];
            for _ in 0..MAX_TRANSACTIONS + 1 {
                let client = client.clone();
                let body = async move { client.transaction(async |_| Ok::<_, Error>(())).await };
                tasks.push(handle.spawn(body).unwrap());
            }
            for task in tasks {
                assert_eq!(task.await, Some(Ok(())));
            }
        },
        async |server: &mut Server| {
            let mut starts = vec![];
            for _ in 0..MAX_TRANSACTIONS {
                starts.push(server.expect(START).await);
            }
            let more = select(server.receive(), async {
                for _ in 0..100 {
                    yield_now().await;
                }
            });
            assert!(
                matches!(more.await, Either::Second(())),
                "one too many is open"
            );
            for (id, start) in (1u32..).zip(&starts) {
                server
                    .answer(start, std::format!("{id}\0").as_bytes())
                    .await;
            }
            let mut begun = MAX_TRANSACTIONS;
            let mut ended = 0;
            while ended < MAX_TRANSACTIONS + 1 {
                let received = server.receive().await;
                if received.request() == COMMIT {
                    ended += 1;
                    server.answer(&received, b"OK\0").await;
                } else {
                    begun += 1;
                    assert!(begun - ended <= MAX_TRANSACTIONS);
                    server.answer(&received, b"99\0").await;
                }
            }
        },
    );
}

#[test]
fn transaction_zero_or_none_is_a_breach() {
    for payload in [&b"0\0"[..], b"x\0", b"1", b""] {
        script(
            |client, _| async move {
                let ended = client.transaction(async |_| Ok::<_, Error>(())).await;
                let breach = crate::Breach::MalformedReply;
                assert_eq!(ended, Err(Error::Closed(crate::Closed::Protocol(breach))));
            },
            async move |server: &mut Server| {
                let start = server.expect(START).await;
                server.answer(&start, payload).await;
            },
        );
    }
}
