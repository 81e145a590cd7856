//! The project's website over https, with certificates from a disk: the program.
//!
//! Arguments on the domain's command line: `certificates=DISK` (`xvdb` by default), `https=PORT` (443), `http=PORT` (80), `redirect=PORT` (that of https), `access-log=on` (off), and those of every app's network and log.

#![cfg_attr(target_os = "none", no_std, no_main)]
#![forbid(unsafe_code)]

extern crate alloc;

mod certificates;
mod redirect;

use alloc::boxed::Box;
use alloc::rc::Rc;
use core::time::Duration;

use morgana::hal::Clock;
use morgana::net::{ListenOptions, Stack, TcpListener};
use morgana::tar::Limits as Files;
use morgana::{Domain, Platform, Volume, VolumeError, log};
use morgana_exec::TimeOfDay;
use morgana_http::{Limits, Server};
use morgana_tls::Acceptor;
use morgana_web::{Kind, serve as serve_http};
use website::{Logging, MoreFigures, Options, Site, write_access_log};

use redirect::Redirect;

morgana::main!(serve);

/// Whatever goes wrong at the start, for the log.
type StartError = Box<dyn core::error::Error>;

/// The protocol that browsers ask for by ALPN.
const PROTOCOLS: &[&[u8]] = &[b"http/1.1"];

/// For two years browsers come by https only, if they have come once (RFC 6797).
const ALWAYS: &[(&str, &str)] = &[("Strict-Transport-Security", "max-age=63072000")];

/// Time for a client to take the last bytes.
const CLOSING: Duration = Duration::from_secs(5);

async fn serve<P: Platform>(domain: Domain<P>) -> Result<(), StartError> {
    let words = domain.command_line();
    let (http, https) = (words.parse("http", 80)?, words.parse("https", 443)?);
    // A forward in front of the domain may have another port for clients.
    let redirect_to = words.parse("redirect", https)?;
    let disk = words.value("certificates").unwrap_or("xvdb");
    let volume = domain.volume(disk).await?;
    let certificates = certificates::load(&volume.files()).await?;
    log::info!("{} certificates", certificates.count());
    let platform = domain.platform().clone();
    let now = move || platform.clock().wall();
    let limits = morgana_tls::Limits::default();
    let acceptor = Acceptor::new(now, domain.timers(), certificates, PROTOCOLS, limits)?;
    let acceptor = Rc::new(acceptor);
    let network = domain.network().await?;
    let stack = network.stack();
    let site = Site::server_with(
        domain.platform().clone(),
        stack.clone(),
        Some(network.device().clone()),
        domain.timers(),
        Limits::default(),
        Options {
            always: ALWAYS,
            access_log: words.parse("access-log", Logging::default())?,
            figures: Some(figures(&acceptor)),
        },
    );
    spawn(&domain, write_access_log(site.clone()));
    spawn(&domain, redirect(domain.clone(), stack, http, redirect_to)?);
    let listener = TcpListener::bind(stack, https, ListenOptions::default())?;
    spawn(
        &domain,
        secure(domain.clone(), listener, acceptor.clone(), site),
    );
    log::info!("serving on ports {https} and {http}");
    renew(&volume, &acceptor).await?;
    Ok(())
}

fn spawn<P: Platform>(domain: &Domain<P>, task: impl Future<Output = ()> + 'static) {
    if let Err(error) = domain.tasks().spawn(task) {
        // What the task has is dropped, which resets its connection: the client may try again.
        log::warn!("not served: {error}");
    }
}

/// Answers on the port for http.
fn redirect<P: Platform>(
    domain: Domain<P>,
    stack: &Stack,
    http: u16,
    https: u16,
) -> Result<impl Future<Output = ()> + 'static, StartError> {
    let listener = TcpListener::bind(stack, http, ListenOptions::default())?;
    let time = TimeOfDay::new(domain.platform().clone(), domain.timers());
    let redirect = Redirect::new(https, time);
    let server = Rc::new(Server::new(redirect, domain.timers(), Limits::default()));
    Ok(async move { match serve_http(domain, listener, server).await {} })
}

/// Writes what became of handshakes.
fn figures(acceptor: &Rc<Acceptor>) -> Rc<MoreFigures> {
    let acceptor = acceptor.clone();
    Rc::new(move |text| {
        let stats = acceptor.stats();
        text.labelled(
            Kind::Counter,
            "tls_handshakes_total",
            "Handshakes, by how they ended.",
            "end",
            [
                ("new", stats.handshakes - stats.resumed),
                ("resumed", stats.resumed),
                ("failed", stats.failed),
                ("timed_out", stats.timed_out),
                ("displaced", stats.displaced),
            ],
        )
    })
}

/// Answers on the port for https.
async fn secure<P: Platform>(
    domain: Domain<P>,
    listener: TcpListener,
    acceptor: Rc<Acceptor>,
    site: Rc<Server<Site<P>>>,
) {
    loop {
        let stream = listener.accept().await;
        let (acceptor, site, timers) = (acceptor.clone(), site.clone(), domain.timers());
        spawn(&domain, async move {
            let client = stream.remote_addr().map(|address| address.ip());
            match acceptor.accept(stream).await {
                Ok(mut stream) => {
                    let end = site.serve_from(client, &mut stream).await;
                    log::debug!("https: {end}");
                    // Whoever is still there hears that this is the end.
                    drop(timers.timeout(CLOSING, stream.close()).await);
                }
                Err(error) => log::debug!("https: {error}"),
            }
        });
    }
}

/// Shows new certificates whenever the operator has put some onto the disk.
async fn renew<P: Platform>(volume: &Volume<P>, acceptor: &Acceptor) -> Result<(), VolumeError> {
    loop {
        let files = match volume.changed(Files::default()).await {
            Ok(files) => files,
            Err(error @ VolumeError::Xenstore(_)) => return Err(error),
            Err(error) => {
                log::error!("{error}; the old certificates stay");
                continue;
            }
        };
        match certificates::load(&files).await {
            Ok(certificates) => {
                log::info!("{} new certificates", certificates.count());
                acceptor.replace(certificates);
            }
            Err(error) => log::error!("{error}; the old certificates stay"),
        }
    }
}
