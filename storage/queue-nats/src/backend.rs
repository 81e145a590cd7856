//! The stream: publishing what a subject's last message is to be, if nobody else was faster.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_nats::header::{HeaderMap, NATS_EXPECTED_LAST_SUBJECT_SEQUENCE};
use async_nats::jetstream::context::PublishErrorKind;
use async_nats::jetstream::stream::{
    Config, DeleteMessageErrorKind, DiscardPolicy, LastRawMessageErrorKind, StorageType, Stream,
};
use async_nats::jetstream::{self, Context};
use async_nats::{Client, ConnectOptions};
use morgana_queue::{MAX_KEY, MAX_PAYLOAD, QueueError};

use crate::mirror::Mirror;
use crate::{OpenError, Settings};

/// Bytes of a message beside its payload and key, headers and the server's own included.
const OVERHEAD: usize = 512;

/// A stream, and what is known of it. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Backend {
    pub(crate) settings: Arc<Settings>,
    pub(crate) client: Client,
    context: Context,
    pub(crate) stream: Stream,
    mirror: Arc<Mutex<Mirror>>,
}

/// Messages beyond the limits, which programs that put jobs in at once may come to.
const SLACK: usize = 64;

/// Whether a message was published.
pub(crate) enum Published {
    /// With this sequence.
    Yes(u64),
    /// Somebody else was faster.
    Raced,
}

impl Backend {
    pub(crate) async fn open(settings: Settings) -> Result<Self, OpenError> {
        let named = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        if settings.stream.is_empty() || !settings.stream.bytes().all(named) {
            return Err(OpenError::Name);
        }
        if settings.limits.payload > MAX_PAYLOAD || settings.limits.key > MAX_KEY {
            return Err(OpenError::Limits);
        }
        let servers: Vec<&str> = settings.servers.split(',').collect();
        let options = ConnectOptions::new().connection_timeout(settings.connect_time);
        let connected = within(settings.connect_time, options.connect(servers)).await;
        let client = connected?.map_err(|_| OpenError::Unreachable)?;
        let mut context = jetstream::new(client.clone());
        context.set_timeout(settings.answer_time);
        let made = context.get_or_create_stream(config(&settings));
        let stream = within(settings.answer_time, made).await?;
        let stream = stream.map_err(|_| OpenError::Refused)?;
        let wanted = [format!("{}.>", settings.stream)];
        let found = &stream.cached_info().config;
        if found.subjects != wanted || found.max_messages_per_subject != 1 {
            return Err(OpenError::Foreign);
        }
        Ok(Self {
            settings: Arc::new(settings),
            client,
            context,
            stream,
            mirror: Arc::default(),
        })
    }

    /// What is known. Nobody waits with it.
    pub(crate) fn mirror(&self) -> MutexGuard<'_, Mirror> {
        self.mirror.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The whole subject of a job or key.
    pub(crate) fn subject(&self, kind: &str, name: &str) -> String {
        format!("{}.{kind}.{name}", self.settings.stream)
    }

    /// Publishes what is to be the last message of a subject, if its last one now is `after`; 0 is none.
    pub(crate) async fn publish(
        &self,
        subject: String,
        after: u64,
        message: Vec<u8>,
    ) -> Result<Published, QueueError> {
        let mut headers = HeaderMap::new();
        headers.insert(
            NATS_EXPECTED_LAST_SUBJECT_SEQUENCE,
            after.to_string().as_str(),
        );
        let sent = self
            .context
            .publish_with_headers(subject, headers, message.into());
        let sent = sent.await.map_err(|error| failure(error.kind()))?;
        match sent.await {
            Ok(acknowledged) => Ok(Published::Yes(acknowledged.sequence)),
            Err(error) => match error.kind() {
                PublishErrorKind::WrongLastSequence => Ok(Published::Raced),
                kind => Err(failure(kind)),
            },
        }
    }

    /// Removes a message; false if it is not there any more.
    pub(crate) async fn remove(&self, sequence: u64) -> Result<bool, QueueError> {
        match self.stream.delete_message(sequence).await {
            Ok(done) => Ok(done),
            Err(error) => match error.kind() {
                DeleteMessageErrorKind::JetStream(_) => Ok(false),
                _ => Err(QueueError::Unknown),
            },
        }
    }

    /// The last message of a subject, as the server has it.
    pub(crate) async fn last(&self, subject: &str) -> Result<Option<(u64, Vec<u8>)>, QueueError> {
        match self.stream.get_last_raw_message_by_subject(subject).await {
            Ok(message) => Ok(Some((message.sequence, message.payload.to_vec()))),
            Err(error) => match error.kind() {
                LastRawMessageErrorKind::NoMessageFound => Ok(None),
                _ => Err(QueueError::Unreachable),
            },
        }
    }
}

/// A stream that refuses what is beyond the limits, whoever counts wrongly.
fn config(settings: &Settings) -> Config {
    let limits = &settings.limits;
    let messages = limits.jobs.saturating_add(limits.keys);
    let messages = messages.saturating_add(SLACK);
    let bytes = limits
        .bytes
        .saturating_add(messages.saturating_mul(OVERHEAD.saturating_add(limits.key)));
    Config {
        name: settings.stream.clone(),
        subjects: vec![format!("{}.>", settings.stream)],
        storage: StorageType::File,
        num_replicas: settings.replicas,
        max_messages_per_subject: 1,
        max_messages: i64::try_from(messages).unwrap_or(i64::MAX),
        // While it is replaced, a message counts twice.
        max_bytes: i64::try_from(bytes.saturating_mul(2)).unwrap_or(i64::MAX),
        discard: DiscardPolicy::New,
        ..Config::default()
    }
}

async fn within<T>(time: Duration, future: impl Future<Output = T>) -> Result<T, OpenError> {
    let ended = tokio::time::timeout(time, future).await;
    ended.map_err(|_| OpenError::TimedOut)
}

fn failure(kind: PublishErrorKind) -> QueueError {
    match kind {
        // What the server refuses otherwise is what does not fit.
        PublishErrorKind::Other | PublishErrorKind::MaxPayloadExceeded => QueueError::Full,
        PublishErrorKind::StreamNotFound => QueueError::Unreachable,
        _ => QueueError::Unknown,
    }
}
