//! Logs in a folder, looked through.

use std::fs;
use std::path::{Path, PathBuf};

use morgana_daemon::{LogFile, Rotation};

use super::arguments::Request;
use super::follow::Followed;
use super::{Printer, look};

/// 2026-11-26 09:30:00.
const NOW: u64 = 1_795_685_400;

/// A folder that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = format!("morgana-search-{name}-{}", std::process::id());
        let folder = std::env::temp_dir().join(folder);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.0.join(name), text).unwrap();
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn request(folder: &Path, words: &[&str]) -> super::Query {
    let folder = ["--log-dir".to_owned(), folder.display().to_string()];
    let words = words.iter().map(|&word| word.to_owned());
    match Request::parse(folder.into_iter().chain(words), NOW) {
        Ok(Request::Search(query)) => query,
        other => panic!("{other:?}"),
    }
}

/// What is printed, in lines.
fn found(folder: &Folder, words: &[&str]) -> Vec<String> {
    let query = request(&folder.0, words);
    let mut printer = Printer::new(&query, Vec::new());
    look(&mut printer).unwrap();
    lines(&printer.out)
}

fn lines(out: &[u8]) -> Vec<String> {
    let text = String::from_utf8(out.to_vec()).unwrap();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn lines_of_all_parts_and_domains_come_in_the_order_of_time() {
    let folder = Folder::new("order");
    // Part of a line is in each of two files.
    folder.write(
        "guest-web.log.2",
        "[2026-11-26 09:00:00] one\r\n[2026-11-26 09:10:00] tw",
    );
    folder.write("guest-web.log.1", "o\n[2026-11-26 09:20:00] three\n");
    folder.write("guest-web.log", "[2026-11-26 09:30:00] no end");
    folder.write("guest-db.log", "[2026-11-26 09:15:00] between\nbehind it\n");
    folder.write("hypervisor.log", "[2026-11-26 09:12:00] (XEN) hello\n");
    folder.write("guest-db.log.gz", "not one of them");
    let all = [
        "web: [2026-11-26 09:00:00] one",
        "web: [2026-11-26 09:10:00] two",
        "(Xen): [2026-11-26 09:12:00] (XEN) hello",
        "db: [2026-11-26 09:15:00] between",
        "db: behind it",
        "web: [2026-11-26 09:20:00] three",
        "web: [2026-11-26 09:30:00] no end",
    ];
    assert_eq!(found(&folder, &[]), all);
    assert_eq!(found(&folder, &["-s", "09:12", "-u", "09:20"]), all[2..5]);
    assert_eq!(found(&folder, &["--since=15m"]), all[3..]);
    assert_eq!(found(&folder, &["-i", "BETWEEN"]), all[3..4]);
    assert_eq!(found(&folder, &["BETWEEN"]), [""; 0]);
    let of_web = found(&folder, &["--domain", "web", "t"]);
    assert_eq!(
        of_web,
        ["[2026-11-26 09:10:00] two", "[2026-11-26 09:20:00] three"]
    );
    assert_eq!(found(&folder, &["--hv"]).len(), 1);
    assert_eq!(found(&folder, &["-d", "other"]), [""; 0]);
}

#[test]
fn times_that_were_noted_beside_a_log_count() {
    let folder = Folder::new("noted");
    let path = folder.0.join("guest-web.log");
    let rotation = Rotation {
        longest: 40,
        ..Rotation::default()
    };
    let mut log = LogFile::open_timed(&path, rotation).unwrap();
    // It was written now, whatever the guest says; and so was what lies in an older part.
    log.add(b"[1999-01-01 00:00:00] I forge the time\n")
        .unwrap();
    log.add(b"second\nthird\n").unwrap();
    let all = found(&folder, &["-s", "2026-01-01"]);
    assert_eq!(all.len(), 3, "{all:?}");
    assert!(
        all[0].starts_with("web: [20")
            && all[0].ends_with("] [1999-01-01 00:00:00] I forge the time")
    );
    assert!(all[2].ends_with("] third"));
    assert_eq!(found(&folder, &["-u", "2026-01-01"]), [""; 0]);
}

#[test]
fn lines_without_a_time_are_found_if_none_is_asked_for() {
    let folder = Folder::new("plain");
    folder.write(
        "guest-web.log",
        "booting\n[2026-11-26 09:00:00] later\nand\n",
    );
    assert_eq!(found(&folder, &["boot"]), ["web: booting"]);
    assert_eq!(found(&folder, &["-u", "10:00", "boot"]), [""; 0]);
    // A line goes with the one before it.
    assert_eq!(found(&folder, &["-s", "09:00", "and"]), ["web: and"]);
}

#[test]
fn what_could_move_a_cursor_is_replaced() {
    let folder = Folder::new("escapes");
    folder.write("guest-a\x1bb.log", "\x1b[2Jwiped\rover\x07\r\n");
    assert_eq!(found(&folder, &[]), ["a.b: .[2Jwiped.over."]);
}

#[test]
fn what_comes_is_followed_into_the_next_file_and_the_next_domain() {
    let folder = Folder::new("follow");
    let path = folder.0.join("guest-web.log");
    let rotation = Rotation {
        longest: 20,
        ..Rotation::default()
    };
    let mut log = LogFile::open(&path, rotation).unwrap();
    log.add(b"one\ntw").unwrap();
    let query = request(&folder.0, &["--follow"]);
    let mut printer = Printer::new(&query, Vec::new());
    let sources = look(&mut printer).unwrap();
    let mut followed = Followed::new(&query, sources);
    let mut expect = |expected: &[&str]| {
        followed.look(&mut printer).unwrap();
        assert_eq!(lines(&printer.out), expected);
        printer.out.clear();
    };
    expect(&["web: one"]);
    log.add(b"o\n").unwrap();
    expect(&["web: two"]);
    // The first one still goes to the old file.
    for line in ["old\n", "new and long enough\n", "newer\n"] {
        log.add(line.as_bytes()).unwrap();
    }
    expect(&["web: old", "web: new and long enough", "web: newer"]);
    folder.write("guest-db.log", "hello\n");
    expect(&["db: hello"]);
    // Somebody cuts a file.
    fs::write(&path, "cut\n").unwrap();
    expect(&["web: cut"]);
}
