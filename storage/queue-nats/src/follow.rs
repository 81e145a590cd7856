//! Following a stream: what others put in, change and remove.

use std::pin::pin;
use std::time::Duration;

use async_nats::Subscriber;
use async_nats::jetstream::consumer::DeliverPolicy;
use async_nats::jetstream::consumer::pull::OrderedConfig;
use futures_util::StreamExt;
use tokio::sync::oneshot;

use crate::OpenError;
use crate::backend::Backend;
use crate::record::{Job, Key};

/// How long to wait before a stream is followed anew.
const PAUSE: Duration = Duration::from_secs(1);

impl Backend {
    /// The subject by which those who use a queue tell each other what they have removed. What one misses, it finds out when it needs it.
    fn news(&self) -> String {
        format!("morgana-removed.{}", self.settings.stream)
    }

    /// Tells the others what was removed.
    pub(crate) async fn tell_removed(&self, what: &str, sequence: u64) {
        let text = format!("{what} {sequence}");
        // It only saves them a question.
        let _ = self.client.publish(self.news(), text.into()).await;
    }

    /// Begins to follow, and returns when all that there was is known.
    pub(crate) async fn begin_to_follow(&self) -> Result<(), OpenError> {
        let news = self.client.subscribe(self.news()).await;
        let news = news.map_err(|_| OpenError::Refused)?;
        tokio::spawn(self.clone().hear(news));
        let (known, all_known) = oneshot::channel();
        tokio::spawn(self.clone().follow(known));
        let waited = tokio::time::timeout(self.settings.answer_time, all_known).await;
        waited
            .map_err(|_| OpenError::TimedOut)?
            .map_err(|_| OpenError::Refused)
    }

    async fn hear(self, news: Subscriber) {
        let mut news = pin!(news);
        while let Some(message) = news.next().await {
            let text = String::from_utf8_lossy(&message.payload);
            if let Some((what, sequence)) = text.split_once(' ')
                && let Ok(sequence) = sequence.parse()
            {
                self.forget(what, sequence);
            }
        }
    }

    /// `job.TOKEN` or `key.HEX` is gone.
    pub(crate) fn forget(&self, what: &str, sequence: u64) {
        match what.split_once('.') {
            Some(("job", token)) => self.mirror().remove_job(token, sequence),
            Some(("key", hex)) => {
                if let Some(key) = from_hex(hex) {
                    self.mirror().remove_key(&key, sequence);
                }
            }
            _ => {}
        }
    }

    async fn follow(self, known: oneshot::Sender<()>) {
        let mut known = Some(known);
        loop {
            self.follow_once(&mut known).await;
            // It has a connection again, or will have.
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn follow_once(&self, known: &mut Option<oneshot::Sender<()>>) {
        let config = OrderedConfig {
            deliver_policy: DeliverPolicy::LastPerSubject,
            filter_subject: format!("{}.>", self.settings.stream),
            ..OrderedConfig::default()
        };
        let Ok(info) = self.stream.get_info().await else {
            return;
        };
        let mut left = info.state.messages;
        let Ok(consumer) = self.stream.create_consumer(config).await else {
            return;
        };
        let Ok(messages) = consumer.messages().await else {
            return;
        };
        let mut messages = pin!(messages);
        loop {
            if left == 0
                && let Some(known) = known.take()
            {
                // Who opens the queue may have gone.
                let _ = known.send(());
            }
            match messages.next().await {
                Some(Ok(message)) => {
                    let Ok(told) = message.info() else { continue };
                    left = told.pending;
                    let sequence = told.stream_sequence;
                    self.learn(&message.subject, sequence, &message.payload);
                    self.mirror().followed(sequence);
                }
                Some(Err(_)) | None => return,
            }
        }
    }

    /// A message of the stream. What is none of a queue's is nothing.
    pub(crate) fn learn(&self, subject: &str, sequence: u64, payload: &[u8]) {
        let rest = subject.strip_prefix(self.settings.stream.as_str());
        let rest = rest.and_then(|rest| rest.strip_prefix('.'));
        match rest.and_then(|rest| rest.split_once('.')) {
            Some(("job", token)) => {
                if let Some(job) = Job::decode(payload) {
                    self.mirror().job(token, sequence, job);
                }
            }
            Some(("key", hex)) => {
                if let Some((key, value)) = from_hex(hex).zip(Key::decode(payload)) {
                    self.mirror().key(key, sequence, value);
                }
            }
            _ => {}
        }
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else {
        return None;
    };
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let bytes = pairs
        .iter()
        .map(|[high, low]| Some((digit(*high)? << 4 | digit(*low)?) as u8));
    bytes.collect()
}
