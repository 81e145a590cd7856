//! Does the jobs of a queue: the program. Its README has the words of the command line.

#![cfg_attr(target_os = "none", no_std, no_main)]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::boxed::Box;
use core::net::SocketAddr;
use core::time::Duration;

use morgana::net::{ListenOptions, TcpListener};
use morgana::{Domain, Platform, log};
use morgana_http::Origin;
use morgana_queue_client::{RemoteQueue, Settings};
use morgana_web::{ByStack, serve};
use worker::{Counter, Desk, work};

morgana::main!(
    run,
    help = "  queue=ADDRESS:PORT   the queue\n  \
            report=ADDRESS:PORT  who hears of each job that is done (nobody)\n  \
            port=N               the port for whoever looks after it (80)\n"
);

/// How long who hears of a job may take.
const REPORT_TIME: Duration = Duration::from_secs(3);

/// Whatever goes wrong at the start, for the log.
type StartError = Box<dyn core::error::Error>;

async fn run<P: Platform>(domain: Domain<P>) -> Result<(), StartError> {
    let line = domain.command_line();
    let port = line.parse("port", 80)?;
    let queue = line
        .value("queue")
        .ok_or("queue= is missing on the command line")?;
    let queue: SocketAddr = queue.parse()?;
    let report: Option<SocketAddr> = line.value("report").map(str::parse).transpose()?;
    let network = domain.network().await?;
    let (stack, timers) = (network.stack(), domain.timers());
    let connect = || ByStack(stack.clone());
    let jobs = RemoteQueue::new(connect(), queue, timers.clone(), Settings::default());
    let report = report.map(|address| {
        let origin = Origin::new(connect(), address, timers.clone(), REPORT_TIME);
        (origin, timers.clone())
    });
    let desk = Desk::default();
    let listener = TcpListener::bind(stack, port, ListenOptions::default())?;
    let server = Counter::server(desk.clone(), timers.clone());
    let serving = domain
        .tasks()
        .spawn(serve(domain.clone(), listener, server))?;
    log::info!("doing the jobs of {queue}");
    work(&jobs, &report, &desk, &timers).await;
    log::info!("no further job is to be taken");
    drop(serving);
    Ok(())
}
