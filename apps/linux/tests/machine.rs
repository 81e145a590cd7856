//! A whole machine: an app with the network front end, reached by a client of the host.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::mpsc;

use embedded_io_async::{Read as _, Write as _};
use morgana_emul::{CapturedConsole, Console, EmulPlatform, Outcome};
use morgana_exec::Handle;
use morgana_hal::{DomId, Exit, Platform};
use morgana_linux_host::{Forward, MachineError, Options, run};
use morgana_net_stack::{AddressConfig, ListenOptions, Stack, StackConfig, TcpListener};
use morgana_netfront::{Config, Netfront};
use morgana_xenstore_client::{Client, Error};

fn options(command_line: &str) -> (Options, UnixStream) {
    let (requests, ask) = UnixStream::pair().unwrap();
    requests.set_nonblocking(true).unwrap();
    let options = Options {
        name: "test".into(),
        forwards: vec![Forward::tcp(0, 80)],
        pcap: None,
        memory_mib: 32,
        disks: Vec::new(),
        command_line: command_line.into(),
        console: Console::Captured(CapturedConsole::default()),
        requests,
    };
    (options, ask)
}

/// An app that echoes, connection after connection, until the toolstack wants it to end.
async fn echo(platform: EmulPlatform, tasks: Handle, command_line: String) -> Exit {
    let client = Client::start(platform.xenstore().unwrap(), &tasks).unwrap();
    let front = Netfront::connect(&platform, &client, &tasks, 0, Config::default());
    let config = StackConfig {
        addresses: AddressConfig::parse(&command_line).unwrap(),
        ..StackConfig::default()
    };
    let (stack, runner) = Stack::new(front.await.unwrap(), config, &tasks.timers());
    // Before the first frame is looked at: a connection to a port that nobody listens on yet is refused.
    let listener = TcpListener::bind(&stack, 80, ListenOptions::default()).unwrap();
    let running = async move { match runner.run().await {} };
    tasks.spawn(running).unwrap();
    let serving = {
        let tasks = tasks.clone();
        async move {
            loop {
                let mut stream = listener.accept().await;
                let connection = async move {
                    let mut buffer = [0; 4096];
                    while let Ok(len @ 1..) = stream.read(&mut buffer).await {
                        stream.write_all(&buffer[..len]).await.unwrap();
                    }
                };
                tasks.spawn(connection).unwrap();
            }
        }
    };
    tasks.spawn(serving).unwrap();
    let watch = client.watch("control/shutdown").await.unwrap();
    while client.read("control/shutdown").await.unwrap() != b"poweroff" {
        watch.next().await.unwrap();
    }
    client.write("control/shutdown", "").await.unwrap();
    Exit::Poweroff
}

/// Asks the machine to end when the clients are through, or have failed.
struct Ask(UnixStream);

impl Drop for Ask {
    fn drop(&mut self) {
        self.0.write_all(b"!").unwrap();
    }
}

fn serve_and_stop(command_line: &str) {
    let (options, ask) = options(command_line);
    let (tell, told) = mpsc::channel();
    let clients = std::thread::spawn(move || {
        let _ask = Ask(ask);
        let port: u16 = told.recv().unwrap();
        let connect = || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        let mut clients: Vec<TcpStream> = (0..50).map(|_| connect()).collect();
        for (number, client) in clients.iter_mut().enumerate() {
            client.write_all(&[number as u8; 5000]).unwrap();
            client.shutdown(Shutdown::Write).unwrap();
        }
        for (number, client) in clients.iter_mut().enumerate() {
            let mut heard = Vec::new();
            client.read_to_end(&mut heard).unwrap();
            assert_eq!(heard, [number as u8; 5000]);
        }
    });
    let announce = move |forwards: &[Forward]| tell.send(forwards[0].host).unwrap();
    let outcome = run(options, announce, echo).unwrap();
    assert_eq!(outcome, Outcome::Exited(Exit::Poweroff));
    clients.join().unwrap();
}

#[test]
fn an_app_with_dhcp_serves_the_host_until_it_is_asked_to_end() {
    serve_and_stop("ip6=off");
}

#[test]
fn an_app_with_an_address_of_its_own_is_found() {
    serve_and_stop("ip=10.0.2.77/24 gw=10.0.2.2 ip6=off");
}

#[test]
fn an_app_finds_what_a_toolstack_writes() {
    let (options, _ask) = options("one two=3");
    let outcome = run(
        options,
        |_| {},
        |platform, tasks, command_line| async move {
            assert_eq!(platform.id(), DomId::new(1));
            assert_eq!(command_line, "one two=3");
            let client = Client::start(platform.xenstore().unwrap(), &tasks).unwrap();
            for (key, expected) in [
                ("name", "test"),
                ("domid", "1"),
                ("memory/target", "32768"),
                ("control/shutdown", ""),
                ("device/vif/0/backend", "/local/domain/0/backend/vif/1/0"),
                ("device/vif/0/backend-id", "0"),
                ("/local/domain/0/backend/vif/1/0/frontend-id", "1"),
            ] {
                assert_eq!(client.read_text(key).await.unwrap(), expected, "{key}");
            }
            let refused = client.write("name", "other").await.unwrap_err();
            assert!(matches!(refused, Error::Refused(_)), "{refused}");
            client.write("data/mine", "1").await.unwrap();
            Exit::Reboot
        },
    );
    assert_eq!(outcome.unwrap(), Outcome::Exited(Exit::Reboot));
}

#[test]
fn an_app_that_ends_at_once_is_no_error() {
    for _ in 0..20 {
        let (options, _ask) = options("");
        let outcome = run(options, |_| {}, |_, _, _| async { Exit::Crash });
        assert_eq!(outcome.unwrap(), Outcome::Exited(Exit::Crash));
    }
}

#[test]
fn a_port_that_is_taken_is_said_so() {
    let taken = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let host = taken.local_addr().unwrap().port();
    let (mut options, _ask) = options("");
    options.forwards = vec![Forward::tcp(host, 80)];
    let refused = run(
        options,
        |_| panic!("no port leads anywhere"),
        |_, _, _| async { Exit::Poweroff },
    );
    let error = refused.unwrap_err();
    assert!(matches!(
        error,
        MachineError::Listen(Forward { guest: 80, .. }, _)
    ));
    assert!(
        error
            .to_string()
            .starts_with(&format!("port {host} of 127.0.0.1: "))
    );
}
