//! From a bare platform to a running application, and to its end.

use core::future::{Future, pending};
use core::time::Duration;

use morgana_exec::{Either, Handle, Timers, select};
use morgana_hal::{Exit, Platform};
use morgana_xenstore_client::{Client, Config};

use crate::logging::{self, Log};
use crate::{CommandLine, Domain, Outcome, power};

/// Runs an application in the domain `platform` until it returns, or the toolstack wants the domain to end. In the latter case
/// the application's future is dropped where it is.
pub async fn run<P, A, F>(platform: P, tasks: Handle, command_line: &str, app: A) -> Exit
where
    P: Platform,
    A: FnOnce(Domain<P>) -> F,
    F: Future,
    F::Output: Outcome,
{
    let started = Started::new(&platform, &tasks, command_line);
    let wish = wish(started.xenstore.clone(), tasks.timers());
    let (log, timers) = (started.log.clone(), tasks.timers());
    let exit = started.run(platform, tasks, app, wish).await;
    log.end(&timers).await;
    exit
}

/// Runs an application that does not have the domain for itself, as a process of a Linux domain, until it returns or `wish` is ready. Then the
/// application's future is dropped, and its devices have some time to close in order: their tasks run on until they end.
pub async fn run_until<P, A, F>(
    platform: P,
    tasks: Handle,
    command_line: &str,
    app: A,
    wish: impl Future<Output = Exit>,
) -> Exit
where
    P: Platform,
    A: FnOnce(Domain<P>) -> F,
    F: Future,
    F::Output: Outcome,
{
    let started = Started::new(&platform, &tasks, command_line);
    let log = started.log.clone();
    // Kept so that xenstore's own tasks stay, however the app uses its connection.
    let _xenstore = started.xenstore.clone();
    let own = tasks.tasks();
    let wish = async {
        let exit = wish.await;
        log::info!("asked to end");
        exit
    };
    let exit = started.run(platform, tasks.clone(), app, wish).await;
    settle(&tasks, own).await;
    log.end(&tasks.timers()).await;
    exit
}

/// What an application finds running.
struct Started {
    command_line: CommandLine,
    log: Log,
    xenstore: Option<Client>,
}

impl Started {
    fn new<P: Platform>(platform: &P, tasks: &Handle, command_line: &str) -> Self {
        let command_line = CommandLine::new(command_line);
        let log = logging::start(platform, tasks, &command_line);
        let config = config(&command_line);
        let client = platform
            .xenstore()
            .map(|stream| Client::with_config(stream, tasks, config));
        let xenstore = match client {
            Some(Ok(client)) => Some(client),
            Some(Err(error)) => {
                log::error!("no connection to xenstored: {error}");
                None
            }
            None => None,
        };
        if let Some(client) = &xenstore {
            log.connect(platform, client, tasks);
        }
        Self {
            command_line,
            log,
            xenstore,
        }
    }

    async fn run<P, A, F>(
        self,
        platform: P,
        tasks: Handle,
        app: A,
        wish: impl Future<Output = Exit>,
    ) -> Exit
    where
        P: Platform,
        A: FnOnce(Domain<P>) -> F,
        F: Future,
        F::Output: Outcome,
    {
        let domain = Domain::new(platform, tasks, self.command_line, self.xenstore);
        match select(app(domain), wish).await {
            Either::First(outcome) => outcome.exit(),
            Either::Second(exit) => exit,
        }
    }
}

/// How xenstore is to be used. xenstored gives a domain more watches than the client does by default; an app that serves many others needs them.
fn config(command_line: &CommandLine) -> Config {
    let config = Config::default();
    let watches = command_line.parse("watches", config.watches);
    let complain = |error: &_| log::error!("{error}");
    Config {
        watches: watches.inspect_err(complain).unwrap_or(config.watches),
        ..config
    }
}

/// How long an application's tasks may run on after its end. A device waits up to 5 s for its other end, twice.
const SETTLE_TIMEOUT: Duration = Duration::from_secs(12);
/// How often to look whether they have ended.
const SETTLE_PAUSE: Duration = Duration::from_millis(5);

/// Waits until no more than the `own` tasks are left that were there before the application.
async fn settle(tasks: &Handle, own: usize) {
    let timers = tasks.timers();
    let settled = async {
        while tasks.tasks() > own {
            timers.sleep(SETTLE_PAUSE).await;
        }
    };
    if timers.timeout(SETTLE_TIMEOUT, settled).await.is_err() {
        log::debug!("{} tasks have not ended", tasks.tasks() - own);
    }
}

/// What the toolstack wants; never ready if it cannot tell.
async fn wish(xenstore: Option<Client>, timers: Timers) -> Exit {
    let Some(client) = xenstore else {
        return pending().await;
    };
    match power::requested(&client, &timers).await {
        Ok(exit) => {
            log::info!("the toolstack asks for {exit:?}");
            exit
        }
        Err(error) => {
            log::error!("the toolstack can no longer shut this domain down: {error}");
            pending().await
        }
    }
}
