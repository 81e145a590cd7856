//! Serves the files of a disk over HTTP: the program.
//!
//! Arguments on the domain's command line: `disk=NAME` (`xvda` by default), `port=N` (80), and those of every app's network and log.

#![cfg_attr(target_os = "none", no_std, no_main)]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::boxed::Box;
use alloc::rc::Rc;

use fileserver::{Files, LIMITS};
use morgana::blkfront::Blkfront;
use morgana::net::{ListenOptions, TcpListener};
use morgana::{Domain, Platform, Volume, VolumeError, log};
use morgana_http::{Limits, Server};
use morgana_web::serve as serve_http;

morgana::main!(serve);

/// Whatever goes wrong at the start, for the log.
type StartError = Box<dyn core::error::Error>;

async fn serve<P: Platform>(domain: Domain<P>) -> Result<(), StartError> {
    let words = domain.command_line();
    let port = words.parse("port", 80)?;
    let disk = words.value("disk").unwrap_or("xvda");
    let volume = domain.volume_with(disk, LIMITS).await?;
    log::info!(
        "{disk}: {} files and folders",
        volume.files().entries().count()
    );
    let files = Files::new(domain.platform().clone(), volume.files());
    let server = Rc::new(Server::new(
        files.clone(),
        domain.timers(),
        Limits::default(),
    ));
    let network = domain.network().await?;
    let listener = TcpListener::bind(network.stack(), port, ListenOptions::default())?;
    log::info!("serving on port {port}");
    domain
        .tasks()
        .spawn(serve_http(domain.clone(), listener, server))?;
    renew(&volume, &files).await?;
    Ok(())
}

/// Serves new files whenever the operator has put some onto the disk.
async fn renew<P: Platform>(
    volume: &Volume<P>,
    served: &Files<P, Rc<Blkfront<P>>>,
) -> Result<(), VolumeError> {
    loop {
        match volume.changed(LIMITS).await {
            Ok(files) => {
                log::info!("{} files and folders", files.entries().count());
                served.replace(files);
            }
            Err(error @ VolumeError::Xenstore(_)) => return Err(error),
            Err(error) => log::error!("{error}; the old files stay"),
        }
    }
}
