//! A domain records itself on a disk, and is killed at any time: what is on the disk is a whole capture.

#[path = "../../linux/tests/readers/mod.rs"]
mod readers;

use std::fs;
use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use morgana::net::{ListenOptions, TcpListener};
use morgana::{Domain, Exit, NetworkError, Platform, run};
use morgana_emul::{CapturedConsole, Console, Outcome};
use morgana_linux_host::{Forward, Options};
use readers::Readers;

/// Not a multiple of a cell, so that something is left behind the last one.
const DISK_BYTES: u64 = 40 * 32 * 1024 + 512 * 5;
/// By this variable a process that the test starts learns which disk it has.
const IMAGE: &str = "MORGANA_TEST_IMAGE";

/// Sends back what it hears, for ever.
async fn echo<P: Platform>(domain: Domain<P>) -> Result<(), NetworkError> {
    let network = domain.network().await?;
    let listener = TcpListener::bind(network.stack(), 80, ListenOptions::default()).unwrap();
    loop {
        let stream = listener.accept().await;
        let connection = async move {
            let mut buffer = [0; 4096];
            loop {
                let heard = core::future::poll_fn(|cx| stream.poll_read(cx, &mut buffer)).await;
                let Ok(len @ 1..) = heard else { return };
                let mut sent = 0;
                while sent < len {
                    let written =
                        core::future::poll_fn(|cx| stream.poll_write(cx, &buffer[sent..len]));
                    let Ok(count) = written.await else { return };
                    sent += count;
                }
            }
        };
        domain.tasks().spawn(connection).unwrap();
    }
}

fn machine(image: &Path, words: &str, announce: impl FnOnce(&[Forward])) -> Outcome<Exit> {
    let (requests, _ask) = UnixStream::pair().unwrap();
    requests.set_nonblocking(true).unwrap();
    let options = Options {
        name: "test".into(),
        forwards: vec![Forward::tcp(0, 80)],
        pcap: None,
        memory_mib: 32,
        disks: vec![format!("xvdc={}", image.display()).parse().unwrap()],
        command_line: format!("ip=10.0.2.15/24 ip6=off {words}"),
        console: Console::Captured(CapturedConsole::default()),
        requests,
    };
    let app = |platform, tasks, command_line: String| async move {
        run(platform, tasks, &command_line, echo).await
    };
    morgana_linux_host::run(options, announce, app).unwrap()
}

/// What a process does that the test has started; without its variable it is no test at all.
#[test]
fn a_process_of_its_own() {
    if let Some(image) = std::env::var_os(IMAGE) {
        machine(Path::new(&image), "pcap=xvdc", |bound| {
            println!("\nport {}", bound[0].host);
        });
    }
}

/// A process that records, and ends with this.
struct Recorder(Child, u16);

impl Recorder {
    fn start(image: &Path) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "a_process_of_its_own", "--nocapture"])
            .env(IMAGE, image)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = lines
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("port ")?.parse().ok());
        Self(child, port.unwrap())
    }

    /// Has `bytes` bytes echoed.
    fn echo(&self, bytes: usize) {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.1)).unwrap();
        let (sent, mut heard) = (vec![7; 1000], vec![0; 1000]);
        for _ in 0..bytes / 1000 {
            stream.write_all(&sent).unwrap();
            stream.read_exact(&mut heard).unwrap();
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// How many packets are in a capture, whose blocks must reach from its beginning to its end.
fn packets(image: &Path) -> usize {
    let bytes = fs::read(image).unwrap();
    assert_eq!(bytes.len() as u64, DISK_BYTES);
    let (mut at, mut found) = (0, 0);
    while at < bytes.len() {
        let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
        let len = word(at + 4) as usize;
        assert!(len >= 12 && word(at + len - 4) as usize == len, "at {at}");
        found += usize::from(word(at) == 6);
        at += len;
    }
    found
}

fn scratch(name: &str) -> PathBuf {
    let path =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
    let file = fs::File::create(&path).unwrap();
    file.set_len(DISK_BYTES).unwrap();
    path
}

#[test]
fn a_domain_that_is_killed_leaves_a_whole_capture() {
    let image = scratch("capture");
    let readers = Readers::from_environment();
    // The last one has more than fits.
    for bytes in [2_000, 30_000, 77_000, 200_000, 1_500_000] {
        let recorder = Recorder::start(&image);
        recorder.echo(bytes);
        drop(recorder);
        let found = packets(&image);
        // What was passed in the last moments is not there yet, and no more than fits ever is.
        if bytes >= 200_000 {
            assert!(found > 50, "{found} packets after {bytes} bytes");
        }
        if let Some(readers) = &readers {
            assert_eq!(readers.agree(&image), found);
        }
    }
    fs::remove_file(image).unwrap();
}

#[test]
fn what_cannot_be_recorded_is_said() {
    let image = scratch("none");
    assert_eq!(
        machine(&image, "pcap=nonsense", |_| ()),
        Outcome::Exited(Exit::Crash)
    );
    fs::remove_file(image).unwrap();
}
