//! A client that does a little of everything, against a server that sends any bytes: everyone who waits gets an answer or an error, and
//! nothing is left over.

use std::future::poll_fn;
use std::rc::Rc;

use morgana_exec::{Duplex, Executor, ManualClock, duplex, join, select};
use morgana_hal::ByteStream;
use morgana_xenstore_client::{Client, Error};

/// The server sends `input`, and then nothing more. Ids in it that are to fit count from 1.
pub(crate) fn check(input: &[u8]) {
    let clock = ManualClock::default();
    let mut executor = Executor::new();
    let handle = executor.handle();
    let (ours, theirs) = duplex(64);
    let client = Client::start(ours, &handle).expect("the first task finds room");
    let theirs = Rc::new(theirs);
    let server = (theirs.clone(), input.to_vec());
    let sending = async move { send(&server.0, &server.1).await };
    let reading = async move { swallow(&theirs).await };
    let serving = async move { join(sending, reading).await };
    handle.spawn(serving).expect("the second task finds room");
    let work = async move {
        join(join(nodes(&client), transaction(&client)), watch(&client)).await;
    };
    // An answer that never comes ends in a time-out, to which the clock jumps.
    executor.block_on(Box::pin(work), &mut clock.idle(), &clock);
    // The client is gone. Its task ends as soon as it runs again, and the server's with it.
    for _ in 0..1000 {
        executor.turn(executor.handle().timers().now());
    }
    assert_eq!(handle.tasks(), 0, "a task was left over");
}

async fn send(stream: &Duplex, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        match poll_fn(|cx| stream.poll_write(cx, bytes)).await {
            Ok(len) => bytes = &bytes[len..],
            Err(_) => return,
        }
    }
}

async fn swallow(stream: &Duplex) {
    let mut buffer = [0; 64];
    while poll_fn(|cx| stream.poll_read(cx, &mut buffer))
        .await
        .is_ok()
    {}
}

async fn nodes(client: &Client) {
    let _ = client.read("a").await;
    let _ = client.read_number::<u32>("a").await;
    if let Ok(names) = client.children("a").await {
        assert!(names.iter().all(|name| !name.is_empty()));
    }
    let _ = client.permissions("a").await;
    let _ = select(client.read("b"), client.write("c", "d")).await;
}

async fn transaction(client: &Client) {
    let _ = client
        .transaction(async |nodes| {
            nodes.read("a").await?;
            nodes.write("a", "1").await?;
            Ok::<_, Error>(())
        })
        .await;
}

async fn watch(client: &Client) {
    let Ok(watch) = client.watch("a").await else {
        return;
    };
    // As many as come before the server has answered something else.
    let _ = select(
        async { while watch.next().await.is_ok() {} },
        client.read("b"),
    )
    .await;
}
