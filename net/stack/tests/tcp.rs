//! TCP between two stacks.

mod common;

use common::*;
use morgana_exec::join;
use morgana_net_stack::{ConnectOptions, ListenOptions, TcpListener, TcpStream};

#[test]
fn an_echo_over_ipv4_and_ipv6() {
    for ip in [RIGHT, RIGHT6] {
        run(Setup::default(), |world| async move {
            let listener = TcpListener::bind(&world.right, 7, ListenOptions::default()).unwrap();
            let server = async {
                let mut stream = listener.accept().await;
                let heard = read_to_end(&mut stream).await;
                write_all(&mut stream, &heard).await;
            };
            let client = async {
                let options = ConnectOptions::default();
                let mut stream = TcpStream::connect(&world.left, addr(ip, 7), options)
                    .await
                    .unwrap();
                write_all(&mut stream, b"hello").await;
                stream.shutdown();
                assert_eq!(read_to_end(&mut stream).await, b"hello");
            };
            join(server, client).await;
            assert_eq!(world.right.stats().tcp_accepted, 1);
        });
    }
}
