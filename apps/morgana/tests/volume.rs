//! A volume in a machine on Linux, whose files are replaced while the app runs.

use std::fs;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use morgana::tar::{Fault, Limits, OpenError};
use morgana::{Domain, Exit, Platform, VolumeError, run};
use morgana_emul::{CapturedConsole, Console, Outcome};
use morgana_linux_host::{Disk, Options};

/// Where this test's files are.
fn scratch() -> PathBuf {
    let path =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("volume-{}", std::process::id()));
    fs::create_dir_all(&path).unwrap();
    path
}

/// An archive with one file.
fn archive(scratch: &Path, contents: &str) -> Vec<u8> {
    fs::write(scratch.join("greeting"), contents).unwrap();
    let tar = Command::new("tar")
        .args(["-cf", "-", "-C"])
        .arg(scratch)
        .arg("greeting")
        .output();
    let tar = tar.expect("tar is there wherever Debian's packages can be unpacked");
    assert!(tar.status.success());
    tar.stdout
}

async fn greeting<P: Platform>(files: &morgana::Files<P>) -> Vec<u8> {
    let entry = files.find("greeting").unwrap();
    files.read(&entry, 100).await.unwrap()
}

async fn app<P: Platform>(domain: Domain<P>, image: PathBuf, broken: Vec<u8>, second: Vec<u8>) {
    let volume = domain.volume("xvdb").await.unwrap();
    assert_eq!(greeting(&volume.files()).await, b"first");
    let notice = async || {
        let client = domain.xenstore().unwrap();
        client.write("data/reload", "1").await.unwrap();
        volume.changed(Limits::default()).await
    };
    fs::write(&image, &broken).unwrap();
    let refused = notice().await.unwrap_err();
    let why = OpenError::Broken {
        at: 0,
        fault: Fault::NotTar,
    };
    assert_eq!(refused, VolumeError::Archive(why));
    fs::write(&image, &second).unwrap();
    // What was opened before knows where its file is, and that is where it was.
    let files = notice().await.unwrap();
    assert_eq!(greeting(&files).await, b"second");
    assert_eq!(greeting(&volume.files()).await, b"second");
}

#[test]
fn new_files_are_seen_and_broken_ones_refused() {
    let scratch = scratch();
    let [first, second] = ["first", "second"].map(|text| archive(&scratch, text));
    let broken = vec![b'x'; first.len()];
    let image = scratch.join("disk.tar");
    fs::write(&image, &first).unwrap();
    let (requests, _ask) = UnixStream::pair().unwrap();
    requests.set_nonblocking(true).unwrap();
    let disk: Disk = format!("xvdb={}", image.display()).parse().unwrap();
    let options = Options {
        name: "test".into(),
        forwards: Vec::new(),
        pcap: None,
        memory_mib: 32,
        disks: vec![disk],
        command_line: String::new(),
        console: Console::Captured(CapturedConsole::default()),
        requests,
    };
    let outcome = morgana_linux_host::run(
        options,
        |_| (),
        |platform, tasks, command_line| async move {
            let app = |domain| app(domain, image, broken, second);
            run(platform, tasks, &command_line, app).await
        },
    );
    assert_eq!(outcome.unwrap(), Outcome::Exited(Exit::Poweroff));
    fs::remove_dir_all(scratch).unwrap();
}
