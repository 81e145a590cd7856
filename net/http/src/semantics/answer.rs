//! From a request and its handler's response to what goes out.

use super::conditional::{Precondition, evaluate, range_applies};
use super::range::{Selection, select};
use super::{Coding, Length, Response, UnixTime};
use crate::wire::{HeadWriter, Method, Persistence, Request, Status, UnfitHead, Version};

/// What the connection adds to an answer's head.
#[derive(Clone, Copy, Debug)]
pub struct AnswerContext {
    /// The version of the request.
    pub version: Version,
    /// Whether the connection goes on.
    pub persistence: Persistence,
    /// The time, if there is a clock (RFC 9110 §6.6.1: without one, no `Date`).
    pub date: Option<UnixTime>,
}

/// What is decided about an answer: its status after conditions and ranges, and which part of the body goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    status: Status,
    /// What of the body goes out, after a `Range` that counts.
    selection: Selection,
    /// `Content-Length`.
    length: u64,
    /// Bytes of the whole content.
    total: u64,
    delimiter: Delimiter,
    transfer: Transfer,
}

/// How the end of a content is told (RFC 9112 §6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delimiter {
    /// By `Content-Length`.
    Length,
    /// By the last chunk.
    Chunks,
    /// By the end of the connection.
    Close,
}

/// Whether the content follows the head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Transfer {
    Content,
    /// As an answer to HEAD, and for statuses that have none.
    HeadOnly,
}

impl Answer {
    /// Decides. Without a request, which is how one that could not be parsed is answered, the response goes out as it is.
    pub fn decide(request: Option<&Request<'_>>, response: &Response<'_>) -> Self {
        let version = request.map_or(Version::Http11, Request::version);
        let (total, delimiter) = match (response.streamed, version) {
            (None, _) => (response.body.len() as u64, Delimiter::Length),
            (Some(Length::Known(length)), _) => (length, Delimiter::Length),
            (Some(Length::Unknown), Version::Http11) => (0, Delimiter::Chunks),
            (Some(Length::Unknown), Version::Http10) => (0, Delimiter::Close),
        };
        let mut answer = Self {
            status: response.status,
            selection: Selection::Whole,
            length: total,
            total,
            delimiter,
            transfer: Transfer::Content,
        };
        if let Some(request) = request {
            answer.apply(request, response);
            if request.method() == Method::Head {
                answer.transfer = Transfer::HeadOnly;
            }
        }
        if answer.status.is_without_content() {
            (answer.length, answer.transfer) = (0, Transfer::HeadOnly);
        }
        if answer.status != response.status && answer.status != Status::PARTIAL_CONTENT {
            answer.delimiter = Delimiter::Length;
        }
        answer
    }

    /// RFC 9110 §13.2.1: conditions and ranges count only where the answer would be a 200 without them.
    fn apply(&mut self, request: &Request<'_>, response: &Response<'_>) {
        if response.status != Status::OK || !request.is_conditional() {
            return;
        }
        let (etag, modified) = (response.etag.as_ref(), response.last_modified);
        match evaluate(request, etag, modified) {
            Precondition::Holds => {}
            Precondition::NotModified => return self.status = Status::NOT_MODIFIED,
            Precondition::Failed => {
                self.length = 0;
                return self.status = Status::PRECONDITION_FAILED;
            }
        }
        // §14.2: `Range` is defined for GET alone.
        let Some(range) = request
            .headers()
            .only("range")
            .filter(|_| request.method() == Method::Get)
        else {
            return;
        };
        let has_parts = response.streamed.is_none() || response.in_parts;
        if !has_parts || !range_applies(request, etag, modified) {
            return;
        }
        self.selection = select(range, self.total);
        match self.selection {
            Selection::Whole => {}
            Selection::Part { first, last } => {
                self.length = last - first + 1;
                self.status = Status::PARTIAL_CONTENT;
            }
            Selection::Unsatisfiable => {
                self.length = 0;
                self.status = Status::RANGE_NOT_SATISFIABLE;
            }
        }
    }

    /// The same answer without its content, as HEAD is answered.
    #[must_use]
    pub fn without_content(mut self) -> Self {
        self.transfer = Transfer::HeadOnly;
        self
    }

    /// The status that goes out.
    pub const fn status(&self) -> Status {
        self.status
    }

    /// How the end of the content is told.
    pub const fn delimiter(&self) -> Delimiter {
        self.delimiter
    }

    /// How many bytes of content there are, where that is known: those that follow, or would follow had it not been HEAD.
    pub fn length(&self) -> Option<u64> {
        (self.delimiter == Delimiter::Length).then_some(self.length)
    }

    /// Where in the content begins what goes out of it.
    pub(crate) const fn first(&self) -> u64 {
        match self.selection {
            Selection::Part { first, .. } => first,
            Selection::Whole | Selection::Unsatisfiable => 0,
        }
    }

    /// Whether what goes out is the response's content or a part of it, and not what took its place.
    pub(crate) fn is_of(&self, response: &Response<'_>) -> bool {
        self.status == response.status || matches!(self.selection, Selection::Part { .. })
    }

    /// Whether a content follows the head.
    pub fn has_content(&self) -> bool {
        self.transfer == Transfer::Content
    }

    /// The part of the body that goes out.
    pub fn content<'b>(&self, body: &'b [u8]) -> &'b [u8] {
        match self.transfer {
            // A body that is there is not longer than memory.
            Transfer::Content => body
                .get(self.first() as usize..(self.first() + self.length) as usize)
                .unwrap_or_default(),
            Transfer::HeadOnly => &[],
        }
    }

    /// Writes the head into `buffer` and answers its length.
    pub fn write_head(
        &self,
        response: &Response<'_>,
        context: &AnswerContext,
        buffer: &mut [u8],
    ) -> Result<usize, UnfitHead> {
        let mut writer = HeadWriter::new(buffer, self.status);
        if let Some(date) = context.date {
            writer.field("Date", date.write_http_date(&mut [0; 29]));
        }
        // What the response says of its content holds if that goes out, in part at least, or the client has it already.
        let has_content = self.is_of(response) || self.status == Status::NOT_MODIFIED;
        if has_content {
            self.write_metadata(response, &mut writer)?;
        }
        match self.selection {
            Selection::Whole => {}
            Selection::Part { first, last } => {
                writer.name("Content-Range");
                writer.text("bytes ");
                writer.number(first);
                writer.text("-");
                writer.number(last);
                writer.text("/");
                writer.number(self.total);
                writer.end_field();
            }
            Selection::Unsatisfiable => {
                writer.name("Content-Range");
                writer.text("bytes */");
                writer.number(self.total);
                writer.end_field();
            }
        }
        // §8.6: a 204 must have none, and a 304 only that of the 200.
        if !matches!(self.status, Status::NO_CONTENT | Status::NOT_MODIFIED) {
            match self.delimiter {
                Delimiter::Length => writer.number_field("Content-Length", self.length),
                Delimiter::Chunks => writer.field("Transfer-Encoding", "chunked"),
                Delimiter::Close => {}
            }
        }
        match (context.persistence, context.version) {
            (Persistence::Close, _) => writer.field("Connection", "close"),
            (Persistence::KeepAlive, Version::Http10) => writer.field("Connection", "keep-alive"),
            (Persistence::KeepAlive, Version::Http11) => {}
        }
        writer.finish()
    }

    fn write_metadata(
        &self,
        response: &Response<'_>,
        writer: &mut HeadWriter<'_>,
    ) -> Result<(), UnfitHead> {
        if self.status != Status::NOT_MODIFIED {
            if let Some(content_type) = response.content_type {
                writer.field("Content-Type", content_type);
            }
            match response.coding {
                None | Some(Coding::Identity) => {}
                Some(coding) => writer.field("Content-Encoding", coding.name()),
            }
            if response.status == Status::OK && (response.streamed.is_none() || response.in_parts) {
                writer.field("Accept-Ranges", "bytes");
            }
        }
        if response.coding.is_some() {
            writer.field("Vary", "Accept-Encoding");
        }
        if let Some(etag) = &response.etag {
            let (prefix, opaque) = etag.parts().ok_or(UnfitHead)?;
            writer.name("ETag");
            writer.text(prefix);
            writer.text("\"");
            writer.text(opaque);
            writer.text("\"");
            writer.end_field();
        }
        if let Some(time) = response.last_modified {
            writer.field("Last-Modified", time.write_http_date(&mut [0; 29]));
        }
        if let Some(allow) = response.allow {
            writer.name("Allow");
            for (index, method) in allow.iter().enumerate() {
                writer.text(if index == 0 { "" } else { ", " });
                writer.text(method.name());
            }
            writer.end_field();
        }
        if let Some(location) = &response.location {
            writer.field("Location", location);
        }
        if let Some(seconds) = response.retry_after {
            writer.number_field("Retry-After", u64::from(seconds));
        }
        for (name, value) in response.fields.iter().chain(response.more_fields) {
            writer.field(name, value);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::semantics::EntityTag;
    use crate::wire::{HeadLimits, Methods};
    use std::format;
    use std::string::String;

    const LIMITS: HeadLimits = HeadLimits {
        head: 8192,
        target: 64,
        headers: 8,
    };

    /// The answer to `method` with these lines, head and content.
    fn answer(method: &str, lines: &str, response: &Response<'_>) -> String {
        let mut head = format!("{method} / HTTP/1.1\r\nHost: a\r\n{lines}\r\n").into_bytes();
        let request = Request::parse(&mut head, &LIMITS).expect("well-formed");
        let answer = Answer::decide(Some(&request), response);
        let context = AnswerContext {
            version: Version::Http11,
            persistence: Persistence::KeepAlive,
            date: None,
        };
        let mut buffer = [0; 1024];
        let length = answer
            .write_head(response, &context, &mut buffer)
            .expect("fits");
        let mut all = buffer[..length].to_vec();
        all.extend_from_slice(answer.content(&response.body));
        String::from_utf8(all).expect("text")
    }

    fn page() -> Response<'static> {
        Response::ok("text/plain", b"0123456789")
            .etag(EntityTag::strong("t"))
            .fields(&[("Cache-Control", "no-cache")])
    }

    const WHOLE: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nAccept-Ranges: bytes\r\nETag: \"t\"\r\n\
        Cache-Control: no-cache\r\nContent-Length: 10\r\n\r\n";

    #[test]
    fn whole_contents_go_out() {
        assert_eq!(answer("GET", "", &page()), format!("{WHOLE}0123456789"));
        assert_eq!(answer("HEAD", "", &page()), WHOLE);
        assert_eq!(answer("HEAD", "Range: bytes=0-1\r\n", &page()), WHOLE);
        assert_eq!(
            answer("GET", "Range: bytes=0-1,3-4\r\n", &page()),
            format!("{WHOLE}0123456789")
        );
        assert_eq!(
            answer("GET", "Range: bytes=0-1\r\nIf-Range: \"o\"\r\n", &page()),
            format!("{WHOLE}0123456789")
        );
        assert_eq!(
            answer("GET", "Range: bytes=0-1\r\nRange: bytes=0-1\r\n", &page()),
            format!("{WHOLE}0123456789")
        );
    }

    #[test]
    fn parts_go_out() {
        let part = "HTTP/1.1 206 Partial Content\r\nContent-Type: text/plain\r\nAccept-Ranges: bytes\r\nETag: \"t\"\r\n\
            Cache-Control: no-cache\r\nContent-Range: bytes 7-9/10\r\nContent-Length: 3\r\n\r\n789";
        assert_eq!(answer("GET", "Range: bytes=7-\r\n", &page()), part);
        assert_eq!(
            answer("GET", "Range: bytes=-3\r\nIf-Range: \"t\"\r\n", &page()),
            part
        );
        assert_eq!(
            answer("GET", "Range: bytes=10-\r\n", &page()),
            "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Range: bytes */10\r\nContent-Length: 0\r\n\r\n"
        );
    }

    #[test]
    fn conditions_go_before_ranges() {
        let not_modified =
            "HTTP/1.1 304 Not Modified\r\nETag: \"t\"\r\nCache-Control: no-cache\r\n\r\n";
        assert_eq!(
            answer(
                "GET",
                "If-None-Match: W/\"t\"\r\nRange: bytes=0-\r\n",
                &page()
            ),
            not_modified
        );
        assert_eq!(
            answer("HEAD", "If-None-Match: *\r\n", &page()),
            not_modified
        );
        assert_eq!(
            answer("GET", "If-Match: \"o\"\r\nRange: bytes=0-\r\n", &page()),
            "HTTP/1.1 412 Precondition Failed\r\nContent-Length: 0\r\n\r\n"
        );
        let missing = Response::text(Status::NOT_FOUND);
        assert!(
            answer("GET", "If-None-Match: *\r\nRange: bytes=0-1\r\n", &missing)
                .starts_with("HTTP/1.1 404")
        );
    }

    #[test]
    fn other_statuses_say_what_they_need() {
        assert_eq!(
            answer(
                "GET",
                "",
                &Response::empty(Status::METHOD_NOT_ALLOWED).allow(Methods::READ_ONLY)
            ),
            "HTTP/1.1 405 Method Not Allowed\r\nAllow: GET, HEAD, OPTIONS\r\nContent-Length: 0\r\n\r\n"
        );
        assert_eq!(
            answer(
                "GET",
                "",
                &Response::text(Status::SERVICE_UNAVAILABLE).retry_after(3)
            ),
            "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nRetry-After: 3\r\nContent-Length: 23\r\n\
             \r\n503 Service Unavailable"
        );
        assert_eq!(
            answer(
                "GET",
                "",
                &Response::empty(Status::FOUND).location("/a%20b")
            ),
            "HTTP/1.1 302 Found\r\nLocation: /a%20b\r\nContent-Length: 0\r\n\r\n"
        );
        // A handler's own 206 or 416 is not one of ours: no range is made up for it.
        for status in [Status::PARTIAL_CONTENT, Status::RANGE_NOT_SATISFIABLE] {
            let text = answer("GET", "Range: bytes=0-0\r\n", &Response::empty(status));
            assert!(!text.contains("Content-Range"), "{text}");
        }
        assert_eq!(
            answer("GET", "", &Response::text(Status::NO_CONTENT)),
            "HTTP/1.1 204 No Content\r\nContent-Type: text/plain\r\n\r\n"
        );
    }

    #[test]
    fn a_chosen_form_is_told_with_every_answer_about_it() {
        let coded = page().coded(Coding::Brotli);
        let whole = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Encoding: br\r\nAccept-Ranges: bytes\r\n\
            Vary: Accept-Encoding\r\nETag: \"t\"\r\nCache-Control: no-cache\r\nContent-Length: 10\r\n\r\n0123456789";
        assert_eq!(answer("GET", "", &coded), whole);
        assert_eq!(
            answer("GET", "If-None-Match: \"t\"\r\n", &coded),
            "HTTP/1.1 304 Not Modified\r\nVary: Accept-Encoding\r\nETag: \"t\"\r\nCache-Control: no-cache\r\n\r\n"
        );
        let plain = answer("GET", "", &page().coded(Coding::Identity));
        assert!(plain.contains("Vary: Accept-Encoding") && !plain.contains("Content-Encoding"));
    }

    #[test]
    fn dates_and_persistence_are_said() {
        let response = Response::ok("a/b", b"").last_modified(UnixTime(0));
        let context = AnswerContext {
            version: Version::Http10,
            persistence: Persistence::KeepAlive,
            date: Some(UnixTime(1)),
        };
        let mut buffer = [0; 400];
        let length = Answer::decide(None, &response)
            .write_head(&response, &context, &mut buffer)
            .expect("fits");
        assert_eq!(
            std::str::from_utf8(&buffer[..length]),
            Ok(
                "HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 1970 00:00:01 GMT\r\nContent-Type: a/b\r\nAccept-Ranges: bytes\r\n\
                Last-Modified: Thu, 01 Jan 1970 00:00:00 GMT\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n"
            )
        );
    }

    #[test]
    fn a_response_that_would_split_is_refused() {
        let context = AnswerContext {
            version: Version::Http11,
            persistence: Persistence::Close,
            date: None,
        };
        for response in [
            Response::ok("a\r\nb: c", b""),
            Response::ok("a", b"").etag(EntityTag::strong("\"")),
            Response::ok("a", b"").fields(&[("Location", "/\r\n")]),
        ] {
            let answer = Answer::decide(None, &response);
            assert_eq!(
                answer.write_head(&response, &context, &mut [0; 400]),
                Err(UnfitHead)
            );
        }
    }
}
