//! A guest that sends back what is posted to it, so that every byte goes through the network twice. It is a guest on Xen, and a process of dom0 as
//! a Linux program with `--xen`.

#![cfg_attr(target_os = "none", no_std, no_main)]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::boxed::Box;
use alloc::rc::Rc;
use core::time::Duration;

use morgana::net::{ListenOptions, TcpListener};
use morgana::{Domain, Platform, log};
use morgana_http::{
    BodyError, Handler, Limits, Method, Methods, Read, Request, Response, Server, Status,
    read_to_end,
};

morgana::main!(serve);

/// The longest body, in bytes.
const LONGEST: usize = 4 << 20;
/// How long one may take: the testbed is slow.
const PATIENCE: Duration = Duration::from_secs(120);

struct Echo;

impl Handler for Echo {
    fn methods(&self, _: &Request<'_>) -> Methods {
        Methods::READ_ONLY.with(Method::Post)
    }

    async fn handle<'h>(
        &'h self,
        _: &Request<'_>,
        body: &mut impl Read<Error = BodyError>,
    ) -> Response<'h> {
        match read_to_end(body, LONGEST).await {
            Ok(bytes) => Response::ok("application/octet-stream", bytes),
            Err(_) => Response::text(Status::BAD_REQUEST),
        }
    }
}

async fn serve<P: Platform>(domain: Domain<P>) -> Result<(), Box<dyn core::error::Error>> {
    let network = domain.network().await?;
    let listener = TcpListener::bind(network.stack(), 80, ListenOptions::default())?;
    let limits = Limits {
        body: LONGEST as u64,
        body_time: PATIENCE,
        write_time: PATIENCE,
        ..Limits::default()
    };
    let server = Rc::new(Server::new(Echo, domain.timers(), limits));
    log::info!("serving");
    loop {
        let mut stream = listener.accept().await;
        let server = Rc::clone(&server);
        let served = domain.tasks().spawn(async move {
            server.serve(&mut stream).await;
        });
        if let Err(error) = served {
            log::warn!("connection refused: {error}");
        }
    }
}
