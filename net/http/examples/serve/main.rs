//! Serves a folder over ordinary TCP sockets of the host, to try the server with real clients:
//!
//! ```text
//! cargo run --release -p morgana-http --example serve -- 127.0.0.1:8080 FOLDER
//! ```
//!
//! The files are read once, when it starts. `/metrics` shows the server's counters, `/echo` answers with what is posted.

mod sockets;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::TcpListener;
use std::path::Path;
use std::rc::Rc;
use std::time::SystemTime;
use std::{env, fs, io};

use morgana_exec::Executor;
use morgana_http::{
    BodyError, EntityTag, Handler, Limits, Method, Methods, Read, Request, Response, Server,
    Status, UnixTime, read_to_end,
};
use sockets::{HostClock, Reactor};

/// A file of the folder.
struct File {
    content_type: &'static str,
    etag: String,
    modified: UnixTime,
    bytes: Vec<u8>,
}

/// The files by their path, as requests name them.
struct Site {
    files: BTreeMap<String, File>,
    metrics: Rc<dyn Fn() -> Vec<u8>>,
}

impl Handler for Site {
    fn methods(&self, request: &Request<'_>) -> Methods {
        match request.path() {
            "/echo" => Methods::READ_ONLY.with(Method::Post).with(Method::Put),
            _ => Methods::READ_ONLY,
        }
    }

    async fn handle<'h>(
        &'h self,
        request: &Request<'_>,
        body: &mut impl Read<Error = BodyError>,
    ) -> Response<'h> {
        match request.path() {
            "/metrics" => Response::ok("text/plain; version=0.0.4", (self.metrics)()),
            "/echo" => match read_to_end(body, 64 * 1024).await {
                Ok(bytes) => Response::ok("application/octet-stream", bytes),
                Err(_) => Response::text(Status::BAD_REQUEST),
            },
            path => match self.files.get(path) {
                Some(file) => Response::ok(file.content_type, &file.bytes[..])
                    .etag(EntityTag::strong(&file.etag))
                    .last_modified(file.modified),
                None => Response::text(Status::NOT_FOUND),
            },
        }
    }

    fn time(&self) -> Option<UnixTime> {
        Some(unix_time(SystemTime::now()))
    }
}

fn unix_time(time: SystemTime) -> UnixTime {
    UnixTime(
        time.duration_since(SystemTime::UNIX_EPOCH)
            .map_or(0, |since| since.as_secs()),
    )
}

/// Reads the files below `folder` into `files`. The index page of a folder is the folder's.
fn load(folder: &Path, prefix: &str, files: &mut BTreeMap<String, File>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let metadata = entry.metadata()?;
        if metadata.is_dir() {
            load(&entry.path(), &format!("{prefix}{name}/"), files)?;
            continue;
        }
        let modified = unix_time(metadata.modified()?);
        let content_type = match name.rsplit('.').next() {
            Some("html") => "text/html; charset=utf-8",
            Some("css") => "text/css",
            Some("txt" | "md") => "text/plain; charset=utf-8",
            Some("png") => "image/png",
            _ => "application/octet-stream",
        };
        let etag = format!("{:x}-{:x}", modified.0, metadata.len());
        let path = format!("{prefix}{}", if name == "index.html" { "" } else { &name });
        files.insert(
            path,
            File {
                content_type,
                etag,
                modified,
                bytes: fs::read(entry.path())?,
            },
        );
    }
    Ok(())
}

/// The counters in Prometheus' text format.
fn metrics<H: Handler>(server: &Server<H>) -> Vec<u8> {
    let counts = server.stats().snapshot();
    let mut text = String::new();
    for (name, value) in [
        ("connections_open", counts.connections_open as u64),
        ("connections_total", counts.connections_total),
        ("connections_refused_total", counts.connections_refused),
        ("answers_2xx_total", counts.answers_2xx),
        ("answers_3xx_total", counts.answers_3xx),
        ("answers_4xx_total", counts.answers_4xx),
        ("answers_5xx_total", counts.answers_5xx),
        ("bytes_in_total", counts.bytes_in),
        ("bytes_out_total", counts.bytes_out),
        ("timeouts_total", counts.timeouts),
        ("bad_requests_total", counts.bad_requests),
    ] {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "http_{name} {value}");
    }
    text.into_bytes()
}

fn main() -> io::Result<()> {
    let usage = || io::Error::other("usage: serve ADDRESS:PORT FOLDER");
    let mut arguments = env::args().skip(1);
    let address = arguments.next().ok_or_else(usage)?;
    let folder = arguments.next().ok_or_else(usage)?;

    let mut files = BTreeMap::new();
    load(Path::new(&folder), "/", &mut files)?;
    let listener = TcpListener::bind(&address)?;
    println!(
        "serving {} files at http://{}/",
        files.len(),
        listener.local_addr()?
    );

    let clock = HostClock::default();
    let mut executor = Executor::new();
    let handle = executor.handle();
    let reactor = Reactor::default();
    let server = Rc::new_cyclic(|server: &std::rc::Weak<Server<Site>>| {
        let server = server.clone();
        let metrics = Rc::new(move || {
            server
                .upgrade()
                .map_or_else(Vec::new, |server| metrics(&server))
        });
        Server::new(Site { files, metrics }, handle.timers(), Limits::default())
    });
    let mut accepting = reactor.listen(listener)?;
    let serve = async move {
        loop {
            let mut stream = accepting.accept().await?;
            let server = server.clone();
            let connection = async move { server.serve(&mut stream).await };
            // With no task to serve it, the connection closes.
            drop(handle.spawn(connection));
        }
    };
    executor.block_on(serve, &mut reactor.idle(&clock), &clock)
}
