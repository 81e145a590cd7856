//! The project's website, served from the image: the program.
//!
//! Arguments on the domain's command line: `port=N` (80 by default), `access-log=on` (off), and those of every app's network and log.

#![cfg_attr(target_os = "none", no_std, no_main)]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::boxed::Box;
use alloc::rc::Rc;

use morgana::net::{ListenOptions, TcpListener};
use morgana::{Domain, Platform, log};
use morgana_http::Limits;
use morgana_web::serve as serve_http;
use website::{Logging, Options, Site, write_access_log};

morgana::main!(
    serve,
    help = "  port=N             the port that it serves (80)\n  access-log=on|off  a line of the log for each request, in the Combined Log Format (off)\n"
);

/// Whatever goes wrong at the start, for the log.
type StartError = Box<dyn core::error::Error>;

async fn serve<P: Platform>(domain: Domain<P>) -> Result<(), StartError> {
    let port = domain.command_line().parse("port", 80)?;
    let network = domain.network().await?;
    let stack = network.stack();
    let listener = TcpListener::bind(stack, port, ListenOptions::default())?;
    let options = Options {
        access_log: domain
            .command_line()
            .parse("access-log", Logging::default())?,
        ..Options::default()
    };
    let server = Site::server_with(
        domain.platform().clone(),
        stack.clone(),
        Some(network.device().clone()),
        domain.timers(),
        Limits::default(),
        options,
    );
    domain.tasks().spawn(write_access_log(Rc::clone(&server)))?;
    log::info!("serving on port {port}");
    match serve_http(domain, listener, server).await {}
}
