//! Entries as JSON.

use std::fmt::Write;

use morgana_logs::record::{Entry, Name, is_dangerous};
use serde::{Serialize, Serializer};

#[derive(Serialize)]
struct Json<'a> {
    number: u64,
    /// When it happened, and when it came to the logger, in UTC.
    time: String,
    received: String,
    domain: u16,
    name: &'a str,
    /// Who says that it is called so: "toolstack", or the "domain" itself.
    name_by: &'static str,
    level: String,
    target: &'a str,
    message: &'a str,
    #[serde(serialize_with = "object")]
    fields: &'a [(String, String)],
}

fn object<S: Serializer>(fields: &&[(String, String)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(fields.iter().map(|(key, value)| (key, value)))
}

/// An entry as a line of JSON. What a terminal would act upon is escaped.
pub(crate) fn json(number: u64, entry: &Entry) -> Result<String, serde_json::Error> {
    let record = &entry.record;
    let line = serde_json::to_string(&Json {
        number,
        time: entry.time().to_string(),
        received: entry.received.to_string(),
        domain: entry.domain.number(),
        name: entry.name.as_str(),
        name_by: match entry.name {
            Name::Known(_) => "toolstack",
            Name::Claimed(_) => "domain",
        },
        level: record.level.to_string().to_lowercase(),
        target: &record.target,
        message: &record.message,
        fields: &record.fields,
    })?;
    Ok(escaped(&line))
}

/// Outside of its strings JSON has no such characters.
fn escaped(line: &str) -> String {
    let mut escaped = String::with_capacity(line.len());
    for character in line.chars() {
        if is_dangerous(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // A string takes all that is written to it.
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        } else {
            escaped.push(character);
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use morgana_hal::{DomId, WallTime};
    use morgana_logs::record::Record;

    #[test]
    fn an_entry_is_an_object_without_dangerous_characters() {
        let time = WallTime::from_unix_nanos(1_790_812_800_000_000_000);
        let entry = Entry {
            domain: DomId::new(5),
            name: Name::Claimed("web".into()),
            received: time,
            record: Record {
                time,
                level: log::Level::Warn,
                target: "t".into(),
                message: "a\x1b\u{9b}\u{202e}\u{e0041}\"".into(),
                fields: vec![("k".into(), "v".into())],
            },
        };
        let line = json(7, &entry).unwrap();
        assert_eq!(
            line,
            r#"{"number":7,"time":"2026-10-01T00:00:00.000Z","received":"2026-10-01T00:00:00.000Z","domain":5,"name":"web","name_by":"domain","level":"warn","target":"t","message":"a\u001b\u009b\u202e\udb40\udc41\"","fields":{"k":"v"}}"#
        );
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(value["message"], entry.record.message);
    }
}
