//! The host's descriptors wake a domain.

use core::future::poll_fn;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use morgana_hal::Exit;

use super::domain;
use crate::{Direction, Hypervisor, Outcome};

#[test]
fn a_sleeping_domain_hears_a_socket_and_a_full_socket_makes_it_wait() {
    const BYTES: usize = 1 << 20;
    let hypervisor = Hypervisor::new();
    let (mut outside, inside) = UnixStream::pair().unwrap();
    inside.set_nonblocking(true).unwrap();
    let domain = domain(&hypervisor).spawn(move |_platform, _, reactor| async move {
        let source = reactor.register(inside).unwrap();
        assert_eq!(reactor.sources(), 1);
        let mut buffer = [0; 3];
        let read = poll_fn(|cx| {
            source.poll_io(Direction::Read, cx, |mut io: &UnixStream| {
                io.read(&mut buffer)
            })
        })
        .await;
        assert_eq!(&buffer[..read.unwrap()], b"go");
        let block = [7; 4096];
        let mut sent = 0;
        while sent < BYTES {
            sent += poll_fn(|cx| {
                source.poll_io(Direction::Write, cx, |mut io: &UnixStream| io.write(&block))
            })
            .await
            .unwrap();
        }
        drop(source);
        assert_eq!(reactor.sources(), 0);
        Exit::Poweroff
    });
    outside.write_all(b"go").unwrap();
    let mut received = Vec::new();
    outside.read_to_end(&mut received).unwrap();
    assert_eq!(received.len(), BYTES);
    assert!(received.iter().all(|&byte| byte == 7));
    assert_eq!(domain.unwrap().join(), Outcome::Exited(Exit::Poweroff));
}
