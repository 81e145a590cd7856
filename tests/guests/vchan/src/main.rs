//! One end of a vchan that sends back what comes, until the other end goes; then it waits for the next.
//!
//! Arguments on the command line: `end=server` or `end=client`, `peer=` the other end's domain, `path=` where the vchan is in xenstore, `size=` the bytes
//! that each ring holds.

#![cfg_attr(target_os = "none", no_std, no_main)]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::boxed::Box;
use core::error::Error;
use core::future::poll_fn;

use morgana::hal::{ByteStream, DomId, StreamError};
use morgana::{Domain, Platform, log};
use morgana_vchan::{Sizes, Vchan, connect, listen};

morgana::main!(echo);

async fn echo<P: Platform>(domain: Domain<P>) -> Result<(), Box<dyn Error>> {
    let line = domain.command_line();
    let peer = DomId::new(line.parse("peer", 0)?);
    let path = line.value("path").unwrap_or("data/vchan");
    let size = line.parse("size", 65_536)?;
    let sizes = Sizes {
        to_server: size,
        to_client: size,
    };
    let (platform, client) = (domain.platform(), domain.xenstore()?);
    loop {
        let vchan = match line.value("end") {
            Some("client") => connect(platform, client, peer, path).await?,
            _ => listen(platform, client, peer, path, sizes).await?,
        };
        log::info!("ready");
        let (bytes, end) = send_back(&vchan).await;
        log::info!("{bytes} bytes sent back; {end}");
    }
}

/// Returns how many bytes there were, and why there are no more.
async fn send_back<P: Platform>(vchan: &Vchan<P>) -> (u64, StreamError) {
    let mut bytes = 0;
    let mut piece = [0; 4096];
    loop {
        let len = match poll_fn(|cx| vchan.poll_read(cx, &mut piece)).await {
            Ok(len) => len,
            Err(error) => return (bytes, error),
        };
        let mut rest = &piece[..len];
        while !rest.is_empty() {
            match poll_fn(|cx| vchan.poll_write(cx, rest)).await {
                Ok(len) => rest = &rest[len..],
                Err(error) => return (bytes, error),
            }
        }
        bytes += len as u64;
    }
}
