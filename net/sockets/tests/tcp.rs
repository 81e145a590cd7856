//! Connections over the host's loopback interface.

use std::io::{ErrorKind, Result};
use std::time::Duration;

use embedded_io_async::{Read, Write};
use morgana_sockets::{Host, Listener, Stream, run};

fn listen(host: &Host) -> Result<Listener> {
    Listener::bind(host, "127.0.0.1:0".parse().expect("an address"))
}

#[test]
fn more_than_the_kernel_buffers_goes_both_ways() {
    const LENGTH: usize = 8 << 20;
    let echoed = run(|host| async move {
        let listener = listen(&host)?;
        let address = listener.local_addr()?;
        let echo = host.tasks().spawn(async move {
            let (mut stream, _) = listener.accept().await?;
            let mut block = vec![0; 10_000];
            loop {
                match stream.read(&mut block).await? {
                    0 => return Result::Ok(()),
                    count => stream.write_all(&block[..count]).await?,
                }
            }
        });
        let mut stream = Stream::connect(&host, address).await?;
        let mut block = vec![7; 100_000];
        let (mut sent, mut received) = (0, 0);
        while received < LENGTH {
            if sent < LENGTH {
                sent += stream.write(&block[..(LENGTH - sent).min(100_000)]).await?;
                if sent == LENGTH {
                    stream.shutdown()?;
                }
            }
            // As much as was sent comes back, so that neither end waits for ever.
            let count = stream.read(&mut block).await?;
            assert!(count > 0 && block[..count].iter().all(|&byte| byte == 7));
            received += count;
        }
        assert_eq!(stream.read(&mut block).await?, 0);
        echo.expect("a task").await.expect("not aborted")?;
        Result::Ok(received)
    });
    assert_eq!(echoed.expect("a loop").expect("no error"), LENGTH);
}

#[test]
fn a_refusal_is_told_and_silence_can_be_left() {
    let (refused, silent) = run(|host| async move {
        let listener = listen(&host).expect("a port");
        let address = listener.local_addr().expect("an address");
        let mut stream = Stream::connect(&host, address).await.expect("a listener");
        let mut byte = [0; 1];
        let silence = stream.read(&mut byte);
        let silent = host
            .timers()
            .timeout(Duration::from_millis(20), silence)
            .await
            .is_err();
        drop(listener);
        let refused = Stream::connect(&host, address).await;
        (refused.map(|_| ()).map_err(|error| error.kind()), silent)
    })
    .expect("a loop");
    assert_eq!(refused, Err(ErrorKind::ConnectionRefused));
    assert!(silent);
}
