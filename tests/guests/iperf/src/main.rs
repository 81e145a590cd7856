//! A guest that serves iperf3 (port 5201) and echoes bytes (port 7, RFC 862), to be measured.
//!
//! The server's half of iperf3's protocol is that of version 3.12: one TCP stream, in either direction. What iperf3 sends is trusted: it is our own
//! tester.

#![cfg_attr(target_os = "none", no_std, no_main)]
#![forbid(unsafe_code)]

extern crate alloc;

mod echo;
mod parameters;
mod session;

use alloc::boxed::Box;

use morgana::net::{Buffers, ListenOptions, TcpListener, TcpOptions};
use morgana::{Domain, Platform, log};

morgana::main!(serve);

/// iperf3's own port.
const IPERF: u16 = 5201;
/// RFC 862.
const ECHO: u16 = 7;

type Error = Box<dyn core::error::Error>;

async fn serve<P: Platform>(domain: Domain<P>) -> Result<(), Error> {
    let network = domain.network().await?;
    let options = ListenOptions {
        tcp: TcpOptions {
            buffers: Some(Buffers::BULK),
            ..TcpOptions::default()
        },
        ..ListenOptions::default()
    };
    let iperf = TcpListener::bind(network.stack(), IPERF, options)?;
    let echo = TcpListener::bind(network.stack(), ECHO, options)?;
    domain
        .tasks()
        .spawn(echo::run(echo, network.stack().clone()))?;
    log::info!("serving");
    loop {
        match session::run(&iperf).await {
            Ok(bytes) => log::info!("{bytes} bytes: {:?}", network.stack().stats()),
            Err(error) => log::warn!("a test failed: {error}"),
        }
        log::debug!("device: {:?}", network.device().stats());
    }
}
