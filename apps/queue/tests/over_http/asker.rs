//! Who asks a service.

use std::net::SocketAddr;
use std::rc::Rc;

use morgana_http::{Ask, Client, ClientLimits, Method};
use morgana_sockets::{Host, Stream};
use queue::Settings;

use crate::world::{Time, disk, serve};

/// An answer: its code, the fields that matter here, and its content.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: u16,
    fields: Vec<(&'static str, String)>,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn field(&self, name: &str) -> &str {
        let mut fields = self.fields.iter();
        let field = fields.find(|(other, _)| *other == name);
        field.map_or("", |(_, value)| value)
    }

    /// The path of what is said of a leased job.
    pub(crate) fn path(&self, what: &str) -> String {
        let (id, token) = (self.field("Job-Id"), self.field("Job-Token"));
        format!("/jobs/{id}/{what}?token={token}")
    }
}

/// Who asks a service, each time over a connection of its own.
pub(crate) struct Asker(pub(crate) Host, pub(crate) SocketAddr);

impl Asker {
    pub(crate) async fn new(host: &Host, settings: Settings) -> (Self, Time) {
        let time = Time::default();
        let disk = Rc::new(disk(&settings.queue));
        let address = serve(host, &time, settings, disk).await;
        (Self(host.clone(), address), time)
    }

    pub(crate) async fn ask(&self, method: Method, target: &str, content: &[u8]) -> Answer {
        let stream = Stream::connect(&self.0, self.1).await.expect("a service");
        let mut client = Client::new(stream, self.0.timers(), ClientLimits::DEFAULT);
        let ask = Ask {
            method,
            ..Ask::get("queue", target)
        };
        let mut reply = client.send(&ask, content).await.expect("an answer");
        let names = ["Job-Id", "Job-Token", "Job-Attempt", "Retry-After", "Allow"];
        let headers = reply.head().headers();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
        let fields = names
            .into_iter()
            .filter_map(|name| Some((name, text(headers.first(name)?))));
        let (code, fields) = (reply.head().code(), fields.collect());
        let content = reply.read_to_end(1 << 20).await.expect("a content");
        let text = text(&content);
        Answer { code, fields, text }
    }

    pub(crate) async fn post(&self, target: &str, content: &[u8]) -> Answer {
        self.ask(Method::Post, target, content).await
    }

    pub(crate) async fn get(&self, target: &str) -> Answer {
        self.ask(Method::Get, target, b"").await
    }
}
