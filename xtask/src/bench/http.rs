//! A page of 612 bytes by HTTP from dom0, with wrk: requests a second and the guest's CPU time for each, over few and many connections that are kept
//! alive, among thousands of idle ones, and over a new connection each; and by https. The peer is nginx in a Linux PV domain, with the same page and the
//! same certificate.

mod wrk;

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};

use super::serving::{self, Idle};
use super::{Record, Report};
use crate::build::Image;
use crate::run::{ADDRESS, ADDRESS_WORDS};
use crate::testbed::{Guest, Node, Server, Servers, Testbed, Xenstored};
use crate::workspace::Workspace;

use wrk::Run;

const BENCH: &str = "http";
const APP: &str = "guest-page";
const PEER: &str = "nginx";
const PAGE: &[u8] = include_bytes!("../../../tests/guests/page/src/page.html");
/// nginx's https.
const HTTPS: &[u8] = include_bytes!("http/https.conf");
const CHAIN: &[u8] = include_bytes!("../../../net/tls/tests/certs/p256.cert.pem");
const KEY: &[u8] = include_bytes!("../../../net/tls/tests/certs/p256.key.pem");
/// How many times each side runs.
const RUNS: usize = 3;
/// How long wrk runs for a case, in seconds, and before the first.
const SECONDS: u32 = 6;
const WARM_UP_SECONDS: u32 = 2;
/// Connections that are open and silent in some cases.
const IDLE: usize = 5000;
const PORT: u16 = 80;

/// A case.
#[derive(Clone, Copy)]
struct Case {
    rate: &'static str,
    cpu: &'static str,
    scheme: &'static str,
    connections: u32,
    life: Life,
    idle: usize,
}

/// How long a connection lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    /// As long as the run.
    KeptAlive,
    /// For one request.
    OneRequest,
}

const fn kept(rate: &'static str, cpu: &'static str, connections: u32) -> Case {
    Case {
        rate,
        cpu,
        scheme: "http",
        connections,
        life: Life::KeptAlive,
        idle: 0,
    }
}

/// The cases over TCP alone.
const PLAIN: [Case; 5] = [
    kept("rps-1", "cpu-1", 1),
    kept("rps-30", "cpu-30", 30),
    kept("rps-300", "cpu-300", 300),
    Case {
        life: Life::OneRequest,
        ..kept("conn-30", "cpu-conn-30", 30)
    },
    Case {
        idle: IDLE,
        ..kept("rps-30-idle-5000", "cpu-30-idle-5000", 30)
    },
];

/// The cases over TLS.
const SECURE: [Case; 2] = [
    Case {
        scheme: "https",
        ..kept("https-rps-30", "cpu-https-rps-30", 30)
    },
    Case {
        scheme: "https",
        life: Life::OneRequest,
        ..kept("https-new-30", "cpu-https-new-30", 30)
    },
];

/// By name of a case, what each run has found out.
type Figures = BTreeMap<&'static str, Vec<f64>>;

/// Runs all cases.
pub(super) fn run(workspace: &Workspace, report: &mut Report<'_>) -> Result<()> {
    let images = Image::build(workspace, &[workspace.app(APP)?])?;
    let image = images.first().context("nothing was built")?;
    let testbed = Testbed::start(Xenstored::C)?;
    serving::prepare(&testbed, &["wrk"])?;
    let ours = Guest::install(&testbed, workspace, image, ADDRESS_WORDS)?;
    let file = |content| Node::File(0o644, content);
    let servers = Servers::install(
        &testbed,
        &[
            ("www/index.html", file(PAGE)),
            ("etc/servers/https.conf", file(HTTPS)),
            ("etc/servers/chain.pem", file(CHAIN)),
            ("etc/servers/key.pem", file(KEY)),
        ],
    )?;
    let theirs = servers.guest(Server::Nginx, "")?;
    for cases in [&PLAIN[..], &SECURE] {
        compare(&testbed, [&ours, &theirs], cases, report)?;
    }
    Ok(())
}

/// Measures ours and theirs in turn.
fn compare(
    testbed: &Testbed,
    guests: [&Guest; 2],
    cases: &[Case],
    report: &mut Report<'_>,
) -> Result<()> {
    let mut figures = [Figures::new(), Figures::new()];
    for _ in 0..RUNS {
        for (guest, figures) in guests.into_iter().zip(&mut figures) {
            let measured = serving::with_guest(testbed, guest, || measure(testbed, guest, cases))?;
            for (case, figure) in measured {
                figures.entry(case).or_default().push(figure);
            }
        }
    }
    for case in cases {
        let of = |name| figures.each_ref().map(|side| side[name].as_slice());
        let [ours, theirs] = of(case.rate);
        let rate = Record::rates(BENCH, case.rate, "1/s", ours, PEER, theirs);
        report(&rate.context("nothing was measured")?)?;
        let [ours, theirs] = of(case.cpu);
        let cpu = Record::times(BENCH, case.cpu, ours, PEER, theirs);
        report(&cpu.context("nothing was measured")?)?;
    }
    Ok(())
}

/// Some cases once, of a guest that has just started.
fn measure(testbed: &Testbed, guest: &Guest, cases: &[Case]) -> Result<Vec<(&'static str, f64)>> {
    serving::wait(testbed, PORT)?;
    let scheme = cases.first().context("there is no case")?.scheme;
    let page = testbed.sh(&format!("curl -ksS --max-time 30 {scheme}://{ADDRESS}/"))?;
    ensure!(page.as_bytes() == PAGE, "another page is served:\n{page}");
    let warm_up = format!("wrk -t 1 -c 30 -d {WARM_UP_SECONDS}s {scheme}://{ADDRESS}/");
    serving::run(testbed, guest, None, &warm_up)?;
    let mut figures = Vec::new();
    for case in cases {
        let idle = (case.idle > 0).then_some(Idle {
            count: case.idle,
            port: PORT,
        });
        let told = serving::run(testbed, guest, idle, &command(case))?;
        let run = Run::parse(&told.text).with_context(|| format!("in {}", case.rate))?;
        let (rate, cpu) = (run.requests / run.seconds, told.cpu / run.requests);
        let name = guest.name();
        eprintln!(
            "{} {name}: {rate:.1} /s, {:.4} ms each",
            case.rate,
            cpu * 1e3
        );
        figures.extend([(case.rate, rate), (case.cpu, cpu)]);
    }
    Ok(figures)
}

fn command(case: &Case) -> String {
    let close = match case.life {
        Life::KeptAlive => "",
        Life::OneRequest => " -H 'Connection: close'",
    };
    let Case {
        connections,
        scheme,
        ..
    } = case;
    format!("wrk -t 1 -c {connections} -d {SECONDS}s --timeout 30s{close} {scheme}://{ADDRESS}/")
}
