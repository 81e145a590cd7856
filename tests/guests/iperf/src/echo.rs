//! Sends back what comes, one connection after the other.

use embedded_io_async::{Read, Write};
use morgana::net::TcpListener;

pub(crate) async fn run(listener: TcpListener) {
    let mut buffer = [0; 256];
    loop {
        let mut stream = listener.accept().await;
        while let Ok(len @ 1..) = stream.read(&mut buffer).await {
            if stream.write_all(&buffer[..len]).await.is_err() {
                break;
            }
        }
    }
}
