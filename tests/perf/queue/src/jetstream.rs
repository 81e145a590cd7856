//! NATS JetStream, as its own client uses it.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, ensure};
use async_nats::jetstream;
use async_nats::jetstream::consumer::{AckPolicy, pull};
use async_nats::jetstream::stream::{Config, RetentionPolicy, StorageType};
use futures_util::{StreamExt, TryStreamExt};
use tokio::runtime::Builder;

use crate::{PAYLOAD, Work, rate};

/// How long the server waits for an acknowledgement.
const LEASE: Duration = Duration::from_secs(600);

pub(crate) fn run(address: SocketAddr, work: Work) -> Result<(f64, f64)> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(measure(address, work))
}

async fn measure(address: SocketAddr, work: Work) -> Result<(f64, f64)> {
    let client = async_nats::connect(address.to_string()).await?;
    let context = jetstream::new(client);
    let stream = context
        .create_stream(Config {
            name: "jobs".to_owned(),
            subjects: vec!["jobs".to_owned()],
            retention: RetentionPolicy::WorkQueue,
            storage: StorageType::File,
            ..Config::default()
        })
        .await?;
    let began = Instant::now();
    let putting = futures_util::stream::iter(0..work.jobs).map(Ok);
    putting
        .try_for_each_concurrent(work.together, |_| async {
            let sent = context.publish("jobs", PAYLOAD.to_vec().into()).await?;
            sent.await?;
            anyhow::Ok(())
        })
        .await?;
    let enqueue = rate(work.jobs, began);
    let consumer = stream
        .create_consumer(pull::Config {
            durable_name: Some("workers".to_owned()),
            ack_policy: AckPolicy::Explicit,
            ack_wait: LEASE,
            ..pull::Config::default()
        })
        .await?;
    let began = Instant::now();
    let messages = consumer.messages().await?.take(work.jobs);
    let done = messages
        .map_err(|error| anyhow!("{error}"))
        .map(|message| async move {
            let message = message?;
            let acknowledged = message.double_ack().await;
            acknowledged.map_err(|error| anyhow!("{error}"))
        })
        .buffer_unordered(work.together)
        .try_fold(0, |done, ()| async move { Ok(done + 1) })
        .await?;
    ensure!(done == work.jobs, "{done} jobs came back");
    Ok((enqueue, rate(work.jobs, began)))
}
