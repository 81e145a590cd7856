//! Archives made by tar, and what is served of them.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::fs;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::Command;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, SystemTime};

use embedded_io_async::{ErrorType, Read, Write};
use fileserver::{Files, LIMITS};
use morgana_block::{BlockDevice, RamDisk};
use morgana_emul::{DomainConfig, Hypervisor, Outcome};
use morgana_exec::Executor;
use morgana_hal::{Exit, Platform};
use morgana_http::Server;
use morgana_tar::Archive;

fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a disk in memory waits for nothing"),
    }
}

/// How the content of a file begins that has not been changed for long.
const OLD: &str = "old";

/// An archive of files with these names and contents.
fn archive(name: &str, files: &[(&str, &str)]) -> Archive<RamDisk> {
    let folder: PathBuf =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("files-{name}-{}", std::process::id()));
    for (path, text) in files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        if text.starts_with(OLD) {
            let file = fs::File::options().write(true).open(path).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000))
                .unwrap();
        }
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

/// A client that has sent all that it says, and takes all that it gets.
struct Client {
    says: VecDeque<u8>,
    gets: Vec<u8>,
    /// What happens once the client has got something.
    meanwhile: Option<Box<dyn FnOnce()>>,
}

impl ErrorType for Client {
    type Error = Infallible;
}

impl Read for Client {
    async fn read(&mut self, room: &mut [u8]) -> Result<usize, Infallible> {
        Ok(std::io::Read::read(&mut self.says, room).unwrap())
    }
}

impl Write for Client {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        self.gets.extend_from_slice(bytes);
        if let Some(happens) = self.meanwhile.take() {
            happens();
        }
        Ok(bytes.len())
    }

    async fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

/// An answer, cut into its parts.
#[derive(Debug)]
struct Answer {
    head: String,
    content: Vec<u8>,
}

impl Answer {
    fn status(&self) -> &str {
        &self.head["HTTP/1.1 ".len()..][..3]
    }

    fn field(&self, name: &str) -> Option<&str> {
        let start = format!("{name}: ");
        self.head.lines().find_map(|line| line.strip_prefix(&start))
    }
}

/// What is answered to a request for `path` with these lines.
fn get<P: Platform>(files: &Files<P, RamDisk>, path: &str, lines: &str) -> Answer {
    get_while(files, path, lines, || ())
}

/// The same while something happens once the answer has begun.
fn get_while<P: Platform>(
    files: &Files<P, RamDisk>,
    path: &str,
    lines: &str,
    happens: impl FnOnce() + 'static,
) -> Answer {
    let executor = Executor::new();
    let timers = executor.handle().timers();
    let server = Server::new(files.clone(), timers, morgana_http::Limits::default());
    let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\n{lines}\r\n");
    let mut client = Client {
        says: request.into_bytes().into(),
        gets: Vec::new(),
        meanwhile: Some(Box::new(happens)),
    };
    now(server.serve(&mut client));
    let gets = client.gets;
    let at = gets
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .unwrap();
    Answer {
        head: String::from_utf8(gets[..at].to_vec()).unwrap(),
        content: gets[at + 4..].to_vec(),
    }
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
                ("empty", ""),
                ("c d/index.html", "spaced"),
            ],
        );
        let files = Files::new(platform, Rc::new(archive));
        for (path, kind, text) in [
            ("/", "text/html; charset=utf-8", "front"),
            ("/index.html", "text/html; charset=utf-8", "front"),
            ("/a/", "text/html; charset=utf-8", "of a"),
            ("/a/b.css", "text/css; charset=utf-8", "b"),
            ("/empty", "application/octet-stream", ""),
            ("/../index.html", "text/html; charset=utf-8", "front"),
            ("//", "text/html; charset=utf-8", "front"),
        ] {
            let answer = get(&files, path, "");
            assert_eq!(
                (answer.status(), answer.field("Content-Type")),
                ("200", Some(kind)),
                "{path}"
            );
            assert_eq!(answer.content, text.as_bytes(), "{path}");
            assert!(answer.field("Content-Security-Policy").is_some(), "{path}");
            assert_eq!(answer.field("Vary"), None, "{path}");
        }
        for path in ["/b/", "/a/b.css/", "/a/b", "/b"] {
            assert_eq!(get(&files, path, "").status(), "404", "{path}");
        }
        for (path, location) in [("/a", "/a/"), ("//a?x=1", "/a/?x=1"), ("/c%20d", "/c%20d/")] {
            let answer = get(&files, path, "");
            assert_eq!(
                (answer.status(), answer.field("Location")),
                ("308", Some(location)),
                "{path}"
            );
        }
    });
}

#[test]
fn what_is_missing_has_a_page_and_new_files_take_over() {
    in_a_domain(|platform| {
        let files = Files::new(platform, Rc::new(archive("old", &[("404.html", "gone")])));
        let answer = get(&files, "/x", "");
        assert_eq!(
            (answer.status(), &answer.content[..]),
            ("404", &b"gone"[..])
        );
        files.replace(Rc::new(archive("new", &[("x", "here")])));
        let answer = get(&files, "/x", "");
        assert_eq!(
            (answer.status(), &answer.content[..]),
            ("200", &b"here"[..])
        );
    });
}

/// Bytes of which any part tells where it is from.
fn large() -> String {
    (0..500_000)
        .map(|number| format!("{number:06}\n"))
        .collect()
}

#[test]
fn a_file_of_any_size_is_sent_whole_or_in_parts() {
    in_a_domain(|platform| {
        let large = large();
        let files = Files::new(
            platform,
            Rc::new(archive("large", &[("large.txt", &large)])),
        );
        let answer = get(&files, "/large.txt", "");
        assert_eq!(
            (answer.status(), answer.field("Content-Length")),
            ("200", Some("3500000"))
        );
        assert!(answer.content == large.as_bytes());
        let bytes = large.as_bytes();
        for (range, expected) in [
            ("0-0", &bytes[..1]),
            ("-1", &bytes[bytes.len() - 1..]),
            ("511-513", &bytes[511..514]),
            ("32767-65536", &bytes[32_767..65_537]),
            ("1000001-1200000", &bytes[1_000_001..1_200_001]),
            ("3400000-", &bytes[3_400_000..]),
        ] {
            let answer = get(&files, "/large.txt", &format!("Range: bytes={range}\r\n"));
            assert_eq!(answer.status(), "206", "{range}");
            assert!(answer.content == expected, "{range}");
        }
        let answer = get(&files, "/large.txt", "Range: bytes=3500000-\r\n");
        assert_eq!(
            (answer.status(), answer.field("Content-Range")),
            ("416", Some("bytes */3500000"))
        );
    });
}

#[test]
fn no_answer_is_of_two_archives() {
    in_a_domain(|platform| {
        let files = Files::new(platform, Rc::new(archive("first", &[("x", "old file")])));
        for (next, content) in [("new file", ""), ("old file", "old file")] {
            let next = Rc::new(archive("second", &[("x", next)]));
            let replaced = files.clone();
            let answer = get_while(&files, "/x", "", move || replaced.replace(next));
            assert_eq!(answer.field("Content-Length"), Some("8"));
            assert_eq!(answer.content, content.as_bytes());
            files.replace(Rc::new(archive("first", &[("x", "old file")])));
        }
    });
}

#[test]
fn conditions_are_answered_by_tag_and_by_time() {
    in_a_domain(|platform| {
        let files = Files::new(
            platform,
            Rc::new(archive("tags", &[("a", "1"), ("b", "22")])),
        );
        let fresh = get(&files, "/a", "");
        let (tag, time) = (
            fresh.field("ETag").unwrap(),
            fresh.field("Last-Modified").unwrap(),
        );
        assert_ne!(Some(tag), get(&files, "/b", "").field("ETag"));
        for (lines, status) in [
            (format!("If-None-Match: {tag}\r\n"), "304"),
            ("If-None-Match: \"x\"\r\n".into(), "200"),
            (format!("If-Modified-Since: {time}\r\n"), "304"),
            (format!("If-Match: {tag}\r\n"), "200"),
            ("If-Match: \"x\"\r\n".into(), "412"),
            (format!("Range: bytes=0-0\r\nIf-Range: {tag}\r\n"), "206"),
            ("Range: bytes=0-0\r\nIf-Range: \"x\"\r\n".into(), "200"),
        ] {
            assert_eq!(get(&files, "/a", &lines).status(), status, "{lines}");
        }
    });
}

#[test]
fn the_form_that_the_client_wants_most_is_sent() {
    in_a_domain(|platform| {
        // The contents are not what their names say, so that a test can tell them apart.
        let prepared = archive(
            "forms",
            &[
                ("x.html", "as it is"),
                ("x.html.br", "brotli"),
                ("x.html.gz", "gzip"),
                ("y.css", "y"),
                ("y.css.gz", "gzip of y"),
                ("404.html", "gone"),
                ("404.html.gz", "gzip of gone"),
                ("z.js", "changed since"),
                ("z.js.br", "old brotli"),
            ],
        );
        let files = Files::new(platform.clone(), Rc::new(prepared));
        let mut tags = Vec::new();
        for (path, accepts, coding, content) in [
            ("/x.html", "gzip, br", Some("br"), "brotli"),
            ("/x.html", "gzip", Some("gzip"), "gzip"),
            ("/x.html", "zstd", None, "as it is"),
            ("/y.css", "gzip, br", Some("gzip"), "gzip of y"),
            ("/gone", "gzip", Some("gzip"), "gzip of gone"),
        ] {
            let answer = get(&files, path, &format!("Accept-Encoding: {accepts}\r\n"));
            assert_eq!(answer.field("Content-Encoding"), coding, "{path} {accepts}");
            assert_eq!(answer.field("Vary"), Some("Accept-Encoding"), "{path}");
            assert_eq!(answer.content, content.as_bytes(), "{path} {accepts}");
            let plain = get(&files, path, "");
            assert_eq!(
                plain.field("Content-Type"),
                answer.field("Content-Type"),
                "{path}"
            );
            assert_eq!(plain.field("Content-Encoding"), None, "{path}");
            tags.push(answer.field("ETag").unwrap().to_owned());
        }
        tags.sort();
        tags.dedup();
        assert_eq!(tags.len(), 5, "each form has a tag of its own");
        let outdated = get(&files, "/z.js", "Accept-Encoding: br\r\n");
        assert_eq!(outdated.content, b"changed since");
        assert_eq!(outdated.field("Vary"), None);
        let refused = get(&files, "/y.css", "Accept-Encoding: identity;q=0, br\r\n");
        assert_eq!(refused.status(), "406");
        // A range is one of the form's bytes.
        let part = get(
            &files,
            "/x.html",
            "Accept-Encoding: br\r\nRange: bytes=1-2\r\n",
        );
        assert_eq!((part.status(), &part.content[..]), ("206", &b"ro"[..]));
    });
}
