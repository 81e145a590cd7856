//! Archives made by tar, and what is served of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::Command;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use fileserver::{Files, LIMITS};
use morgana_block::{BlockDevice, RamDisk};
use morgana_emul::{DomainConfig, Hypervisor, Outcome};
use morgana_hal::{Exit, Platform};
use morgana_tar::Archive;

fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a disk in memory waits for nothing"),
    }
}

/// An archive of files with these names and contents.
fn archive(name: &str, files: &[(&str, &str)]) -> Archive<RamDisk> {
    let folder: PathBuf =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("files-{name}-{}", std::process::id()));
    for (path, text) in files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let packed = Command::new("tar")
        .args(["-cf", "-", "-C"])
        .arg(&folder)
        .arg(".")
        .output()
        .expect("tar is there wherever Debian's packages can be unpacked");
    fs::remove_dir_all(&folder).unwrap();
    assert!(packed.status.success());
    let disk = RamDisk::new(512, (packed.stdout.len() / 512) as u64).unwrap();
    now(disk.write(0, &packed.stdout)).unwrap();
    now(Archive::open(disk, LIMITS)).unwrap()
}

/// Runs `test` in a domain.
fn in_a_domain<F, T>(test: F)
where
    F: FnOnce(morgana_emul::EmulPlatform) -> T + Send + 'static,
{
    let machine = Hypervisor::new();
    let domain = machine.create(DomainConfig::default()).unwrap();
    let outcome = domain.run(|platform, _tasks, _reactor| async move {
        test(platform);
        Exit::Poweroff
    });
    assert_eq!(outcome, Outcome::Exited(Exit::Poweroff));
}

fn said<P: Platform>(files: &Files<P, RamDisk>, path: &str) -> String {
    format!("{:?}", now(files.answer(path)))
}

#[test]
fn files_and_folders() {
    in_a_domain(|platform| {
        let archive = archive(
            "some",
            &[
                ("index.html", "front"),
                ("a/index.html", "of a"),
                ("a/b.css", "b"),
            ],
        );
        let files = Files::new(platform, Rc::new(archive));
        for (path, kind, text) in [
            ("/", "text/html", "front"),
            ("/index.html", "text/html", "front"),
            ("/a/", "text/html", "of a"),
            ("/a/b.css", "text/css", "b"),
        ] {
            let answer = said(&files, path);
            let bytes = format!("{:?}", text.as_bytes());
            assert!(
                answer.contains("200") && answer.contains(kind) && answer.contains(&bytes),
                "{path}: {answer}"
            );
        }
        for path in ["/a", "/b/", "/a/b.css/", "//", "/../index.html", "/a/b"] {
            let answer = said(&files, path);
            assert!(answer.contains("404") || path == "//", "{path}: {answer}");
        }
    });
}

#[test]
fn what_is_missing_has_a_page_and_new_files_take_over() {
    in_a_domain(|platform| {
        let files = Files::new(platform, Rc::new(archive("old", &[("404.html", "gone")])));
        let gone = format!("{:?}", "gone".as_bytes());
        let answer = said(&files, "/x");
        assert!(answer.contains("404") && answer.contains(&gone), "{answer}");
        files.replace(Rc::new(archive("new", &[("x", "here")])));
        let answer = said(&files, "/x");
        assert!(
            answer.contains("200") && answer.contains("octet-stream"),
            "{answer}"
        );
    });
}

#[test]
fn a_file_that_is_too_large_is_refused() {
    in_a_domain(|platform| {
        let large = "x".repeat(3 * 1024 * 1024);
        let files = Files::new(platform, Rc::new(archive("large", &[("large", &large)])));
        assert!(said(&files, "/large").contains("503"));
    });
}
