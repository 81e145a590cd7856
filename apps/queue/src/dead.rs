//! Dead letters.

use alloc::format;
use alloc::string::String;
use core::fmt::Write as _;

use morgana_block::BlockDevice;
use morgana_http::{Response, Status};
use morgana_queue::{DeadLetter, JobId, JobQueue};

use crate::Service;
use crate::answer::{Answered, json};
use crate::base64::encode;
use crate::jobs::number;
use crate::parameters::{BadParameter, Parameters};

/// Dead letters of a page, if nothing else is said.
const PAGE: usize = 20;

impl<D: BlockDevice + 'static, C: Fn() -> u64 + Clone + 'static> Service<D, C> {
    /// A page of them. It ends early when its payloads are long; `next` says where the next one begins, if there may be one.
    pub(crate) async fn dead(&self, query: Option<&str>) -> Answered {
        let parameters = Parameters::parse(query, &["from", "most"])?;
        let from = parameters.number("from")?.unwrap_or(0);
        let most = parameters.number("most")?.unwrap_or(PAGE);
        if !(1..=self.settings.page).contains(&most) {
            return Err(BadParameter::Value("most").into());
        }
        let queue = self.store.queue()?;
        let (mut text, mut bytes) = (String::from("{\"dead\":["), 0);
        let (mut from, mut count) = (JobId(from), 0);
        while count < most && bytes < self.settings.page_bytes {
            let letters = queue.dead_letters(from, 1).await?;
            let Some(letter) = letters.first() else {
                text.push_str("]}");
                return Ok(json(Status::OK, text));
            };
            if count > 0 {
                text.push(',');
            }
            entry(&mut text, letter);
            bytes += letter.payload.len();
            from = JobId(letter.id.0.saturating_add(1));
            count += 1;
        }
        text.push_str(&format!("],\"next\":{}}}", from.0));
        Ok(json(Status::OK, text))
    }

    pub(crate) async fn requeue(&self, id: Option<&str>, query: Option<&str>) -> Answered {
        let id = number(id)?;
        Parameters::parse(query, &[])?;
        let queue = self.store.queue()?;
        queue.requeue(id).await?;
        Ok(Response::empty(Status::NO_CONTENT))
    }

    pub(crate) async fn purge(&self, id: Option<&str>, query: Option<&str>) -> Answered {
        let id = number(id)?;
        Parameters::parse(query, &[])?;
        let queue = self.store.queue()?;
        queue.purge(id).await?;
        Ok(Response::empty(Status::NO_CONTENT))
    }
}

fn entry(out: &mut String, letter: &DeadLetter) {
    let (id, attempts) = (letter.id.0, letter.attempts);
    // To write into a string cannot fail.
    let _ = write!(out, "{{\"id\":{id},\"attempts\":{attempts},\"payload\":\"");
    encode(out, &letter.payload);
    out.push_str("\"}");
}
