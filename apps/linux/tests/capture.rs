//! A capture of an app's network interface, as those who will read it see it.

mod readers;

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::mpsc;

use embedded_io_async::{Read as _, Write as _};
use morgana_emul::{Console, EmulPlatform, Outcome};
use morgana_exec::Handle;
use morgana_hal::{Exit, Platform};
use morgana_linux_host::{Forward, Options, run};
use morgana_net_stack::{AddressConfig, ListenOptions, Stack, StackConfig, TcpListener};
use morgana_netfront::{Config, Netfront};
use morgana_xenstore_client::Client;
use readers::Readers;

/// Enough that packets of all lengths are on the way, large ones that are cut later among them.
const BYTES: usize = 300_000;

/// An app that sends one client's bytes back.
async fn echo(platform: EmulPlatform, tasks: Handle, _: String) -> Exit {
    let client = Client::start(platform.xenstore().unwrap(), &tasks).unwrap();
    let front = Netfront::connect(&platform, &client, &tasks, 0, Config::default());
    let config = StackConfig {
        addresses: AddressConfig::parse("ip=10.0.2.15/24").unwrap(),
        ..StackConfig::default()
    };
    let (stack, runner) = Stack::new(front.await.unwrap(), config, &tasks.timers());
    let listener = TcpListener::bind(&stack, 80, ListenOptions::default()).unwrap();
    tasks
        .spawn(async move { match runner.run().await {} })
        .unwrap();
    let mut stream = listener.accept().await;
    let mut buffer = [0; 4096];
    while let Ok(len @ 1..) = stream.read(&mut buffer).await {
        stream.write_all(&buffer[..len]).await.unwrap();
    }
    stream.acknowledged().await.unwrap();
    Exit::Poweroff
}

/// A name of this test's own.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("morgana-{name}-{}", std::process::id())))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Runs the app with one client, and records it.
fn record(file: &Path) {
    let (requests, _nobody_asks) = UnixStream::pair().unwrap();
    requests.set_nonblocking(true).unwrap();
    let options = Options {
        name: "test".into(),
        forwards: vec![Forward::tcp(0, 80)],
        pcap: Some(file.into()),
        memory_mib: 32,
        disks: Vec::new(),
        command_line: "ip=10.0.2.15/24".into(),
        console: Console::Stdout,
        requests,
    };
    let (tell, told) = mpsc::channel();
    let client = std::thread::spawn(move || {
        let port: u16 = told.recv().unwrap();
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        let mut writer = stream.try_clone().unwrap();
        let sent: Vec<u8> = (0..BYTES).map(|at| (at >> 4) as u8).collect();
        let copy = sent.clone();
        let writing = std::thread::spawn(move || {
            writer.write_all(&copy).unwrap();
            writer.shutdown(std::net::Shutdown::Write).unwrap();
        });
        let mut heard = Vec::new();
        stream.read_to_end(&mut heard).unwrap();
        writing.join().unwrap();
        assert!(heard == sent);
    });
    let announce = |bound: &[Forward]| tell.send(bound[0].host).unwrap();
    let outcome = run(options, announce, echo).unwrap();
    assert!(matches!(outcome, Outcome::Exited(Exit::Poweroff)));
    client.join().unwrap();
}

/// The blocks of a capture: their types, and their lengths, which stand at both ends.
fn blocks(mut bytes: &[u8]) -> Vec<(u32, usize)> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
        let len = word(4) as usize;
        assert_eq!(word(len - 4) as usize, len);
        found.push((word(0), len));
        bytes = &bytes[len..];
    }
    found
}

#[test]
fn both_directions_are_recorded_and_readers_agree() {
    let file = Scratch::new("capture");
    record(&file.0);
    let blocks = blocks(&std::fs::read(&file.0).unwrap());
    // Packet blocks; the payload went both ways.
    let packets = || blocks.iter().filter(|(kind, _)| *kind == 6);
    assert!(packets().map(|(_, len)| len).sum::<usize>() > 2 * BYTES);
    assert_eq!(blocks.len(), packets().count() + 2);
    if let Some(readers) = Readers::from_environment() {
        assert_eq!(readers.agree(&file.0), packets().count());
        let way = [
            "-T",
            "fields",
            "-e",
            "frame.packet_flags_direction",
            "-Y",
            "tcp.dstport == 80",
            "-r",
        ];
        // Towards the app is inbound.
        let ways = readers.run("tshark", &way, &file.0);
        assert!(
            ways.lines().count() > 3 && ways.lines().all(|way| way.ends_with('1')),
            "{ways}"
        );
    }
}
