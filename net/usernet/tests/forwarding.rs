//! From the host's sockets to a guest's, and back.

mod common;

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpStream};

use common::machine;
use embedded_io_async::{Read as _, Write as _};
use morgana_exec::Handle;
use morgana_net_stack::{ListenOptions, Stack, TcpListener};
use morgana_usernet::{Config, Forward};

const STATIC: &str = "ip=10.0.2.15/24 ip6=off";
const HTTP: Forward = Forward::tcp(0, 80);

fn listen(stack: &Stack) -> TcpListener {
    TcpListener::bind(stack, 80, ListenOptions::default()).unwrap()
}

fn connect(port: u16) -> TcpStream {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap()
}

/// Sends back what it hears, until a client says "stop".
async fn echo(stack: Stack, tasks: Handle) {
    let listener = listen(&stack);
    let stop = std::rc::Rc::new(morgana_exec::Notify::new());
    loop {
        let mut stream = match morgana_exec::select(listener.accept(), stop.after(0)).await {
            morgana_exec::Either::First(stream) => stream,
            morgana_exec::Either::Second(_) => return,
        };
        let stop = stop.clone();
        let connection = async move {
            let mut buffer = [0; 2048];
            loop {
                match stream.read(&mut buffer).await {
                    Ok(0) | Err(_) => return,
                    Ok(_) if buffer.starts_with(b"stop") => {
                        stream.write_all(b"stopped").await.unwrap();
                        stream.acknowledged().await.unwrap();
                        return stop.notify();
                    }
                    Ok(len) => stream.write_all(&buffer[..len]).await.unwrap(),
                }
            }
        };
        tasks.spawn(connection).unwrap();
    }
}

fn stop(port: u16) {
    let mut client = connect(port);
    client.write_all(b"stop").unwrap();
    let mut answer = [0; 7];
    client.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"stopped");
}

#[test]
fn the_guest_gets_its_address_by_dhcp_and_answers() {
    let (port, guest) = machine(
        Config::default(),
        HTTP,
        "ip=dhcp ip6=off",
        |stack, tasks| async {
            let addresses = stack.configured().await;
            let own = addresses.ipv4.unwrap();
            assert_eq!((own.address, own.prefix), (Ipv4Addr::new(10, 0, 2, 15), 24));
            assert_eq!(addresses.ipv4_gateway, Some(Ipv4Addr::new(10, 0, 2, 2)));
            echo(stack, tasks).await;
        },
    );
    let mut client = connect(port);
    client.write_all(b"hello").unwrap();
    let mut answer = [0; 5];
    client.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"hello");
    drop(client);
    stop(port);
    guest.join();
}

#[test]
fn megabytes_pass_unchanged_while_the_other_direction_waits() {
    const BYTES: usize = 3 << 20;
    let (port, guest) = machine(Config::default(), HTTP, STATIC, echo);
    let mut client = connect(port);
    let mut writer = client.try_clone().unwrap();
    let sent: Vec<u8> = (0..BYTES).map(|at| ((at * 31) >> 7) as u8).collect();
    let copy = sent.clone();
    // Everything is written before anything is read: all buffers on the way fill up, and the writer has to wait.
    let writing = std::thread::spawn(move || {
        writer.write_all(&copy).unwrap();
        writer.shutdown(Shutdown::Write).unwrap();
    });
    let mut heard = Vec::new();
    client.read_to_end(&mut heard).unwrap();
    writing.join().unwrap();
    assert!(heard == sent, "{} bytes of {BYTES}", heard.len());
    stop(port);
    guest.join();
}

#[test]
fn one_direction_ends_and_the_other_goes_on() {
    let (port, guest) = machine(Config::default(), HTTP, STATIC, |stack, _| async move {
        let listener = listen(&stack);
        // The client ends first; the answer comes only after its end was seen.
        let mut stream = listener.accept().await;
        let mut heard = Vec::new();
        let mut buffer = [0; 64];
        loop {
            match stream.read(&mut buffer).await.unwrap() {
                0 => break,
                len => heard.extend_from_slice(&buffer[..len]),
            }
        }
        assert_eq!(heard, b"all that I have to say");
        stream.write_all(b"and the answer").await.unwrap();
        drop(stream);
        // The guest ends first.
        let mut stream = listener.accept().await;
        stream.write_all(b"greeting").await.unwrap();
        stream.shutdown();
        let len = stream.read(&mut buffer).await.unwrap();
        assert_eq!(&buffer[..len], b"after the end");
        assert_eq!(stream.read(&mut buffer).await, Ok(0));
    });
    let mut client = connect(port);
    client.write_all(b"all that I have to say").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    let mut heard = Vec::new();
    client.read_to_end(&mut heard).unwrap();
    assert_eq!(heard, b"and the answer");

    let mut client = connect(port);
    heard.clear();
    client.read_to_end(&mut heard).unwrap();
    assert_eq!(heard, b"greeting");
    client.write_all(b"after the end").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    guest.join();
}

#[test]
fn resets_are_passed_on_both_ways() {
    let (port, guest) = machine(Config::default(), HTTP, STATIC, |stack, _| async move {
        let listener = listen(&stack);
        listener.accept().await.abort();
        let mut stream = listener.accept().await;
        stream.write_all(b"x").await.unwrap();
        let mut buffer = [0; 8];
        let broken = stream.read(&mut buffer).await;
        assert_eq!(broken, Err(morgana_net_stack::TcpError::Reset));
        drop(listener);
        // Nobody listens now: refused. The gateway of the machine stays until this one has seen it.
        let last = TcpListener::bind(&stack, 81, ListenOptions::default()).unwrap();
        let _ = morgana_exec::select(last.accept(), stack_idle(&stack)).await;
    });
    let mut buffer = [0; 8];
    let mut client = connect(port);
    let reset = client.read(&mut buffer).unwrap_err();
    assert_eq!(reset.kind(), ErrorKind::ConnectionReset);

    let mut client = connect(port);
    client.read_exact(&mut buffer[..1]).unwrap();
    rustix::net::sockopt::set_socket_linger(&client, Some(core::time::Duration::ZERO)).unwrap();
    drop(client);

    let mut client = connect(port);
    let refused = client.read(&mut buffer).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionReset);
    guest.join();
}

/// Ready once the guest has refused a connection.
async fn stack_idle(stack: &Stack) {
    while stack.stats().tcp_strays == 0 {
        morgana_exec::yield_now().await;
    }
    // The refusal itself is still to be sent.
    for _ in 0..100 {
        morgana_exec::yield_now().await;
    }
}

#[test]
fn beyond_the_limit_connections_wait() {
    let config = Config {
        connections: 2,
        ..Config::default()
    };
    let (port, guest) = machine(config, HTTP, STATIC, echo);
    let mut clients: Vec<TcpStream> = (0..3).map(|_| connect(port)).collect();
    for (number, client) in clients.iter_mut().enumerate() {
        client.write_all(&[number as u8; 3]).unwrap();
    }
    let mut answer = [0; 3];
    for client in &mut clients[..2] {
        client.read_exact(&mut answer).unwrap();
    }
    clients[2].set_nonblocking(true).unwrap();
    let early = clients[2].read(&mut answer).unwrap_err();
    assert_eq!(early.kind(), ErrorKind::WouldBlock);
    clients[2].set_nonblocking(false).unwrap();
    clients.remove(0);
    clients[1].read_exact(&mut answer).unwrap();
    assert_eq!(answer, [2; 3]);
    drop(clients);
    stop(port);
    guest.join();
}

#[test]
fn hundreds_at_a_time_and_each_hears_its_own() {
    const CLIENTS: usize = 400;
    let (port, guest) = machine(Config::default(), HTTP, STATIC, echo);
    let mut clients: Vec<TcpStream> = (0..CLIENTS).map(|_| connect(port)).collect();
    for round in 0..3 {
        for (number, client) in clients.iter_mut().enumerate() {
            write!(client, "{number:04} {round:04}").unwrap();
        }
        for (number, client) in clients.iter_mut().enumerate() {
            let mut answer = [0; 9];
            client.read_exact(&mut answer).unwrap();
            assert_eq!(answer, format!("{number:04} {round:04}").as_bytes());
        }
    }
    drop(clients);
    stop(port);
    guest.join();
}
