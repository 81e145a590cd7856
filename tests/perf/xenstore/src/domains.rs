//! Programs that start and stop domains, many at once.

use std::thread;
use std::time::Instant;

use anyhow::{Result, anyhow};
use morgana_xenstore_peers::Daemon;
use morgana_xenstore_wire::{Commit, Errno, Request, TransactionId};

use crate::client::Client;
use crate::usage::cpu;

/// One request of a transaction.
enum Step {
    Make(String, &'static str),
    Write(String, &'static str),
    Read(String),
    Remove(String),
}

use Step::{Make, Read, Remove, Write};

/// Runs `sequences` starts and stops, `clients` of them at a time. Prints the seconds, the daemon's seconds of CPU time, and how many
/// transactions had to be tried again.
pub(crate) fn run(daemon: &Daemon, clients: usize, sequences: usize) -> Result<()> {
    // What a toolstack finds.
    let mut client = Client::new(daemon)?;
    for path in [
        "/local/domain/0/backend/vif",
        "/local/domain/0/backend/vbd",
        "/vm",
        "/libxl",
    ] {
        client.must(Request::Mkdir { path })?;
    }
    let (before, began) = (cpu(daemon)?, Instant::now());
    let aborts = thread::scope(|scope| {
        let threads: Vec<_> = (0..clients)
            .map(|number| {
                scope.spawn(move || -> Result<usize> {
                    let mut client = Client::new(daemon)?;
                    let mut aborts = 0;
                    for sequence in (number..sequences).step_by(clients) {
                        aborts += start(&mut client, 1 + sequence)?;
                        aborts += stop(&mut client, 1 + sequence)?;
                    }
                    Ok(aborts)
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().map_err(|_| anyhow!("a program panics"))?)
            .sum::<Result<usize>>()
    })?;
    println!("time {:e}", began.elapsed().as_secs_f64());
    println!("cpu {:e}", cpu(daemon)? - before);
    println!("aborts {aborts}");
    Ok(())
}

/// A transaction, tried until it succeeds; returns how often it failed.
fn transaction(client: &mut Client, steps: &[Step]) -> Result<usize> {
    let mut aborts = 0;
    loop {
        let id = client.start()?;
        let done = steps.iter().try_for_each(|step| perform(client, id, step));
        match done {
            Ok(()) if client.end(id, Commit::Yes)? => return Ok(aborts),
            Ok(()) => aborts += 1,
            Err(Failed::Again) => {
                client.end(id, Commit::No)?;
                aborts += 1;
            }
            Err(Failed::Other(error)) => return Err(error),
        }
    }
}

/// Why a request in a transaction failed.
enum Failed {
    Again,
    Other(anyhow::Error),
}

impl From<anyhow::Error> for Failed {
    fn from(error: anyhow::Error) -> Self {
        Self::Other(error)
    }
}

fn perform(client: &mut Client, id: TransactionId, step: &Step) -> Result<(), Failed> {
    let mut ask = |request: Request<'_>| -> Result<(), Failed> {
        match client.ask(id, request)? {
            Ok(_) | Err(Errno::NotFound) => Ok(()),
            Err(Errno::Again) => Err(Failed::Again),
            Err(error) => Err(anyhow!("{request:?}: {error}").into()),
        }
    };
    match step {
        Make(path, permissions) => {
            ask(Request::Mkdir { path })?;
            let permissions = permissions.as_bytes();
            ask(Request::SetPerms { path, permissions })
        }
        Write(path, value) => {
            let value = value.as_bytes();
            ask(Request::Write { path, value })
        }
        Read(path) => ask(Request::Read { path }),
        Remove(path) => ask(Request::Rm { path }),
    }
}

/// What libxl does for a domain with a network interface and a disk, and what their back ends and hotplug scripts do.
fn start(client: &mut Client, domain: usize) -> Result<usize> {
    let (home, vm, libxl) = folders(domain);
    let mut aborts = transaction(
        client,
        &[
            Remove(home.clone()),
            Make(home.clone(), "n0\0"),
            Remove(vm.clone()),
            Make(vm.clone(), "n0\0"),
            Remove(libxl.clone()),
            Make(libxl.clone(), "n0\0"),
            Write(
                format!("{home}/vm"),
                "/vm/7c2ad0f3-0000-4000-8000-000000000000",
            ),
            Write(format!("{home}/name"), "guest"),
            Make(format!("{home}/cpu"), "n0\0"),
            Make(format!("{home}/memory"), "n0\0"),
            Make(format!("{home}/device"), "n0\0"),
            Make(format!("{home}/control"), "n0\0"),
            Make(format!("{home}/control/shutdown"), "n0\0"),
            Make(format!("{home}/data"), "n0\0"),
            Make(format!("{home}/drivers"), "n0\0"),
            Make(format!("{home}/error"), "n0\0"),
            Write(format!("{vm}/uuid"), "7c2ad0f3-0000-4000-8000-000000000000"),
            Write(format!("{vm}/name"), "guest"),
            Write(format!("{libxl}/type"), "pv"),
        ],
    )?;
    aborts += transaction(
        client,
        &[
            Write(format!("{home}/memory/static-max"), "65536"),
            Write(format!("{home}/memory/target"), "65536"),
            Write(format!("{home}/memory/videoram"), "0"),
            Write(format!("{home}/domid"), "1"),
            Write(format!("{home}/store/port"), "1"),
            Write(format!("{home}/store/ring-ref"), "131072"),
            Write(format!("{home}/console/port"), "2"),
            Write(format!("{home}/console/ring-ref"), "131071"),
            Write(format!("{home}/console/type"), "xenconsoled"),
            Write(format!("{home}/console/limit"), "1048576"),
            Write(format!("{home}/cpu/0/availability"), "online"),
            Write(format!("{vm}/start_time"), "1700000000"),
        ],
    )?;
    for (class, keys) in DEVICES {
        aborts += device(client, domain, class, keys)?;
    }
    Ok(aborts)
}

/// Devices, and what their back ends read besides the usual keys.
const DEVICES: [(&str, [&str; 4]); 2] = [
    ("vif", ["mac", "bridge", "script", "handle"]),
    ("vbd", ["params", "script", "mode", "device-type"]),
];

fn folders(domain: usize) -> (String, String, String) {
    (
        format!("/local/domain/{domain}"),
        format!("/vm/7c2ad0f3-0000-4000-8000-{domain:012}"),
        format!("/libxl/{domain}"),
    )
}

fn ends(domain: usize, class: &str) -> [String; 3] {
    [
        format!("/local/domain/{domain}/device/{class}/0"),
        format!("/local/domain/0/backend/{class}/{domain}/0"),
        format!("/libxl/{domain}/device/{class}/0"),
    ]
}

fn device(client: &mut Client, domain: usize, class: &str, keys: [&str; 4]) -> Result<usize> {
    let [front, back, libxl] = ends(domain, class);
    let mut steps = vec![
        Read(format!("{libxl}/backend")),
        Make(front.clone(), "n0\0r0\0"),
        Make(back.clone(), "n0\0r0\0"),
        Write(format!("{front}/backend"), "/local/domain/0/backend"),
        Write(format!("{front}/backend-id"), "0"),
        Write(format!("{front}/state"), "1"),
        Write(format!("{back}/frontend"), "/local/domain/1/device"),
        Write(format!("{back}/frontend-id"), "1"),
        Write(format!("{back}/online"), "1"),
        Write(format!("{back}/state"), "1"),
        Write(format!("{libxl}/frontend"), "/local/domain/1/device"),
        Write(format!("{libxl}/backend"), "/local/domain/0/backend"),
    ];
    steps.extend(keys.map(|key| Write(format!("{back}/{key}"), "a value")));
    let aborts = transaction(client, &steps)?;
    // libxl waits for the back end, and the script tells of itself.
    let (state, token) = (format!("{back}/state"), "libxl");
    let depth = None;
    client.must(Request::Watch {
        path: &state,
        token,
        depth,
    })?;
    client.await_event(&state)?;
    let write = |client: &mut Client, path: &str, value: &str| {
        let value = value.as_bytes();
        client.must(Request::Write { path, value }).map(drop)
    };
    write(client, &format!("{back}/hotplug-status"), "connected")?;
    write(client, &state, "2")?;
    client.await_event(&state)?;
    client.must(Request::Read { path: &state })?;
    client.must(Request::Unwatch {
        path: &state,
        token,
    })?;
    write(client, &format!("{front}/state"), "4")?;
    Ok(aborts)
}

fn stop(client: &mut Client, domain: usize) -> Result<usize> {
    let (home, vm, libxl) = folders(domain);
    let mut aborts = transaction(
        client,
        &[Write(format!("{home}/control/shutdown"), "poweroff")],
    )?;
    for (class, _) in DEVICES {
        let [front, back, own] = ends(domain, class);
        aborts += transaction(
            client,
            &[
                Write(format!("{back}/online"), "0"),
                Write(format!("{back}/state"), "5"),
            ],
        )?;
        let above = format!("/local/domain/0/backend/{class}/{domain}");
        aborts += transaction(
            client,
            &[Remove(front), Remove(back), Remove(above), Remove(own)],
        )?;
    }
    for path in [&home, &vm, &libxl] {
        client.must(Request::Rm { path })?;
    }
    Ok(aborts)
}
