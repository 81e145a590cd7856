//! What a connection that waits takes of the heap.

mod support;

use std::alloc::System;

use cap::Cap;
use embedded_io_async::{Read, Write};
use morgana_tls::Limits;
use support::*;

#[global_allocator]
static HEAP: Cap<System> = Cap::new(System, usize::MAX);

/// Streams that wait at once.
const STREAMS: usize = 50;
/// Bytes of each; docs/tls.md says this.
const MOST: usize = 5 * 1024;

#[test]
fn a_stream_that_waits_holds_little() {
    let each = run(|tasks| async move {
        let acceptor = std::rc::Rc::new(acceptor(&tasks, Limits::default()));
        let connector = connector(&tasks);
        let mut idle = Vec::new();
        let mut before = 0;
        // What is made once is made by the first.
        for index in 0..=STREAMS {
            let (client, server) = pair(usize::MAX);
            let accept = acceptor.clone();
            let (tell, told) = morgana_exec::channel(1);
            let serving = async move {
                let mut stream = accept.accept(server).await.unwrap();
                let mut heard = [0; 5];
                stream.read_exact(&mut heard).await.unwrap();
                stream.write_all(&[7; 10_000]).await.unwrap();
                // What was noted of it is not the stream's.
                stream.io().written.take();
                tell.send(stream).await.ok();
            };
            tasks.spawn(serving).unwrap();
            let mut stream = connector.connect("example.test", client).await.unwrap();
            stream.write_all(b"hello").await.unwrap();
            stream.read_exact(&mut [0; 10_000]).await.unwrap();
            drop(stream);
            idle.push(told.receive().await.unwrap());
            if index == 0 {
                before = HEAP.allocated();
            }
        }
        (HEAP.allocated() - before) / STREAMS
    });
    // Among it is the stream in memory, of which one lane was full once.
    let each = each.saturating_sub(4096);
    println!("{each} bytes");
    assert!(each < MOST, "{each} bytes");
}
