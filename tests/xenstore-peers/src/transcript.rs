//! What a daemon made of an episode, as text: one line a step.

use std::fmt;

use morgana_xenstore_wire::Operation;

/// What came of a step.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Answer {
    /// The reply, if it was a request.
    pub(crate) reply: String,
    /// The events after it, by client, in the order in which they came.
    pub(crate) events: Vec<String>,
}

impl Answer {
    /// The form of a reply: its type and its payload.
    pub(crate) fn reply(asked: u32, code: u32, payload: &[u8]) -> String {
        let payload = text(payload);
        if code == Operation::Error.code() {
            format!("! {payload}")
        } else if code == asked {
            format!("= {payload}")
        } else {
            format!("{code} {payload}")
        }
    }

    /// The form of an event.
    pub(crate) fn event(client: usize, payload: &[u8]) -> String {
        format!("{client} {}", text(payload))
    }

    /// Which error it is, if it is one.
    pub(crate) fn error(&self) -> Option<&str> {
        self.reply.strip_prefix("! ")?.strip_suffix('|')
    }

    /// Whether the request was granted.
    pub(crate) fn is_granted(&self) -> bool {
        self.reply.starts_with('=')
    }

    /// Reads a line.
    pub fn parse(line: &str) -> Self {
        let mut fields = line.split('\t').map(str::to_owned);
        Self {
            reply: fields.next().unwrap_or_default(),
            events: fields.collect(),
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reply)?;
        for event in &self.events {
            write!(f, "\t{event}")?;
        }
        Ok(())
    }
}

/// Bytes as printable text, with `|` for NUL. A long row of the same character is its number.
pub(crate) fn text(bytes: &[u8]) -> String {
    let mut out = String::new();
    let mut rest = bytes;
    while let Some(&first) = rest.first() {
        let same = rest.iter().take_while(|&&byte| byte == first).count();
        let count = if same > 40 { 1 } else { same };
        for _ in 0..count {
            match first {
                0 => out.push('|'),
                b'!'..=b'~' if first != b'|' && first != b'\\' => out.push(char::from(first)),
                _ => out += &format!("\\x{first:02x}"),
            }
        }
        if same > 40 {
            out += &format!("{{{same}}}");
        }
        rest = &rest[same..];
    }
    out
}
