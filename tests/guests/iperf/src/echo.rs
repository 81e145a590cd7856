//! Sends back what comes, one connection after the other, and says how many large frames that took.

use alloc::vec;

use embedded_io_async::{Read, Write};
use morgana::log;
use morgana::net::{Stack, TcpListener};

pub(crate) async fn run(listener: TcpListener, stack: Stack) {
    let mut buffer = vec![0; 65_536];
    for number in 0u32.. {
        let mut stream = listener.accept().await;
        let before = stack.stats();
        while let Ok(len @ 1..) = stream.read(&mut buffer).await {
            if stream.write_all(&buffer[..len]).await.is_err() {
                break;
            }
        }
        let now = stack.stats();
        log::info!(
            "echo {number}: large frames received {} sent {}",
            now.large_received - before.large_received,
            now.large_sent - before.large_sent
        );
    }
}
