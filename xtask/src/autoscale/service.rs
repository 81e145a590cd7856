//! The domains of the service.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

use super::addresses::{
    AUTOSCALER, BALANCER, CONTROL_PORT, DOM0, LEDGER_PORT, QUEUE, TOOLSTACK_PORT, WEB, WORKERS,
    vif, words,
};
use super::run::Series;
use crate::build::{Changes, Workshop};
use crate::testbed::{Guest, Testbed};

/// Where the guests' images and configurations are in dom0.
const GUESTS: &str = "/guests";
/// What the toolstack's daemon wants to hear of the controller. The testbed's network has nobody else.
const TOKEN: &str = "0123456789abcdef0123456789abcdef";
/// How long the service may take to serve, on a slow machine with many at work.
const PATIENCE: Duration = Duration::from_secs(240);
const DAEMON_LOG: &str = "/var/log/morgana.log";
/// What the queue may hold: what its disk has room for.
const QUEUE_WORDS: &str = "jobs=2000 bytes=500000 payload=256 keys=2000 dead=200 backoff=500";
/// Makes an empty disk in dom0, and prints what stands in a configuration for it.
const DISK: &str = "mkdir -p /disks && truncate -s 16M /disks/queue && modprobe loop && device=$(losetup -f) && \
                    losetup $device /disks/queue && echo vdev=xvda,format=raw,access=rw,target=$device";
/// The daemon's own log, and that it is begun again whenever it ends, as a service manager would.
const DAEMON: &str = include_str!("daemon.sh");

/// How many machines of a kind there may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fleet {
    pub(crate) least: u32,
    pub(crate) most: u32,
}

/// How the service is to be.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) web: Fleet,
    pub(crate) workers: Fleet,
    /// Requests a second that a web machine is to bear.
    pub(crate) rate: u32,
    /// Seconds of low load before a machine goes.
    pub(crate) calm: u32,
    /// Machines that are built ahead.
    pub(crate) ahead: u32,
    /// Who hears of jobs that are done.
    pub(crate) ledger: Ledger,
}

/// Who hears of jobs that are done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ledger {
    /// The controller, for its page.
    Controller,
    /// A program in dom0.
    Dom0,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            web: Fleet { least: 1, most: 12 },
            workers: Fleet { least: 0, most: 4 },
            rate: 12,
            calm: 10,
            ahead: 3,
            ledger: Ledger::Controller,
        }
    }
}

/// The service, as it runs in a testbed.
#[derive(Debug)]
pub(crate) struct Service<'t> {
    testbed: &'t Testbed,
}

impl<'t> Service<'t> {
    /// Builds everything, and starts it.
    pub(crate) fn start(
        workshop: &Workshop<'_>,
        testbed: &'t Testbed,
        plan: &Plan,
    ) -> Result<Service<'t>> {
        let service = Service { testbed };
        service.install(workshop, plan)?;
        let program = workshop.program_of("morgana-cli", "morgana")?;
        service.start_daemon(&program, plan)?;
        Ok(service)
    }

    /// Where it runs.
    pub(crate) fn testbed(&self) -> &'t Testbed {
        self.testbed
    }

    /// What the controller tells, from a sample's number on.
    pub(crate) fn series(&self, from: u64) -> Result<Series> {
        let url = format!("http://{AUTOSCALER}/series?from={from}");
        let told = self.testbed.sh(&format!(
            "curl -sf --retry 20 --retry-all-errors --retry-delay 1 --max-time 10 '{url}'"
        ))?;
        serde_json::from_str(&told).with_context(|| format!("the controller says {told}"))
    }

    /// Waits until so many web machines serve.
    pub(crate) fn wait_for(&self, machines: u32) -> Result<()> {
        let script = format!(
            "tries=0; until [ \"$(curl -sf --max-time 5 http://{BALANCER}:{CONTROL_PORT}/backends | grep -o '\"healthy\"' | wc -l)\" -ge {machines} ]; do \
             tries=$((tries+1)); [ $tries -lt 400 ] || exit 1; sleep 0.2; done"
        );
        self.testbed
            .sh_within(&script, PATIENCE)
            .map(drop)
            .with_context(|| {
                let log = self
                    .testbed
                    .sh(&format!("tail -n 20 {DAEMON_LOG}; xl list"));
                format!(
                    "there are no {machines} machines: {}",
                    log.unwrap_or_default()
                )
            })
    }

    fn install(&self, workshop: &Workshop<'_>, plan: &Plan) -> Result<()> {
        let control = format!(
            "{} control={CONTROL_PORT} connect-time=2000 check-time=2000",
            words(BALANCER)
        );
        let fixed = |name: &str, address, extra: String| {
            let changes = Changes {
                name: Some(name.to_owned()),
                vifs: Some(vec![vif(address)]),
                extra,
                ..Changes::default()
            };
            self.guest(workshop, name, &changes)
        };
        fixed("balancer", BALANCER, control)?;
        fixed("autoscaler", AUTOSCALER, controller_words(plan))?;
        let queue = Changes {
            vifs: Some(vec![vif(QUEUE)]),
            disks: Some(vec![self.testbed.sh(DISK)?.trim().to_owned()]),
            extra: format!("{} {QUEUE_WORDS}", words(QUEUE)),
            ..Changes::default()
        };
        self.guest(workshop, "queue", &queue)?;
        let made = |extra| Changes {
            extra,
            ..Changes::default()
        };
        let web = format!("side=32 iterations=128 queue={QUEUE}:80");
        self.guest(workshop, "fractal", &made(web))?;
        let ledger = match plan.ledger {
            Ledger::Controller => format!("{AUTOSCALER}:80"),
            Ledger::Dom0 => format!("{DOM0}:{LEDGER_PORT}"),
        };
        let worker = format!("queue={QUEUE}:80 report={ledger}");
        self.guest(workshop, "worker", &made(worker))
    }

    fn guest(&self, workshop: &Workshop<'_>, app: &str, changes: &Changes) -> Result<()> {
        let image = workshop.image(app)?;
        Guest::install_as(self.testbed, workshop.workspace(), &image, changes)
            .map(drop)
            .with_context(|| format!("cannot install {app}"))
    }

    /// Starts the toolstack's daemon, which starts the others.
    fn start_daemon(&self, program: &Path, plan: &Plan) -> Result<()> {
        self.testbed.put(program, "/bin/morgana")?;
        self.testbed
            .put_bytes(TOKEN.as_bytes(), "/etc/morgana.token", 0o600)?;
        self.testbed
            .put_bytes(DAEMON.as_bytes(), "/daemon.sh", 0o755)?;
        let arguments = format!(
            "--listen {DOM0}:{TOOLSTACK_PORT} --token-file /etc/morgana.token --guests {GUESTS} \
             --keep {}:{GUESTS}/fractal.cfg --keep 1:{GUESTS}/worker.cfg \
             --run {GUESTS}/balancer.cfg --run {GUESTS}/queue.cfg --run {GUESTS}/autoscaler.cfg",
            plan.ahead
        );
        let script =
            format!("chmod 755 /bin/morgana && cd {GUESTS} && /daemon.sh {DAEMON_LOG} {arguments}");
        self.testbed.sh(&script).map(drop)
    }
}

/// The controller's command line.
fn controller_words(plan: &Plan) -> String {
    let run = |(first, count): (std::net::Ipv4Addr, u32)| format!("{first}+{count}/24");
    format!(
        "{} balancer={BALANCER}:{CONTROL_PORT} toolstack={DOM0}:{TOOLSTACK_PORT} token={TOKEN} \
         web=fractal.cfg web-addresses={} web-least={} web-most={} web-rate={} calm={} \
         queue={QUEUE}:80 worker=worker.cfg worker-addresses={} worker-least={} worker-most={}",
        words(AUTOSCALER),
        run(WEB),
        plan.web.least,
        plan.web.most,
        plan.rate,
        plan.calm,
        run(WORKERS),
        plan.workers.least,
        plan.workers.most,
    )
}
