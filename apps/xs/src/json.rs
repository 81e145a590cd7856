//! Nodes as JSON.

use std::fmt::Write;

use morgana_command::is_dangerous;
use serde::{Deserialize, Serialize};

use crate::base64;
use crate::failure::Failure;
use crate::output::Output;
use crate::walk::Node;

/// A node. Its value is `value` if it is text, and else `base64`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Record {
    pub(crate) path: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) value: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) base64: Option<String>,
    /// Entries such as `n0`, the owner's first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) permissions: Option<Vec<String>>,
}

impl Record {
    /// A node with a value.
    pub(crate) fn new(path: &str, value: &[u8]) -> Self {
        let text = str::from_utf8(value).ok();
        Self {
            path: path.to_owned(),
            value: text.map(str::to_owned),
            base64: text.is_none().then(|| base64::encode(value)),
            permissions: None,
        }
    }

    /// What was found of a node.
    pub(crate) fn of(node: &Node) -> Self {
        let value = node.value.as_deref().unwrap_or_default();
        let permissions = match &node.permissions {
            Some(Ok(permissions)) => Some(permissions.iter().map(ToString::to_string).collect()),
            _ => None,
        };
        Self {
            permissions,
            ..Self::new(&node.path, value)
        }
    }
}

/// `value` on one line. What a terminal would act upon is escaped: JSON itself only asks for that of some control characters.
pub(crate) fn line(value: &impl Serialize) -> Result<String, Failure> {
    let text = serde_json::to_string(value).map_err(|error| Failure::Other(error.to_string()))?;
    if !text.contains(is_dangerous) {
        return Ok(text);
    }
    let mut line = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if is_dangerous(character) {
            // Such a character can only be in a string, where it may be written so.
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing into a String does not fail.
                let _ = write!(line, "\\u{unit:04x}");
            }
        } else {
            line.push(character);
        }
    }
    Ok(line)
}

/// An array, an element a line, written as it comes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Array {
    elements: usize,
}

impl Array {
    /// Writes one more element.
    pub(crate) fn add(
        &mut self,
        out: &mut Output,
        element: &impl Serialize,
    ) -> Result<(), Failure> {
        let line = line(element)?;
        out.bytes(if self.elements == 0 { b"[\n" } else { b",\n" })?;
        self.elements += 1;
        out.bytes(line.as_bytes())
    }

    /// Writes the end.
    pub(crate) fn end(self, out: &mut Output) -> Result<(), Failure> {
        out.line(if self.elements == 0 { "[]" } else { "\n]" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_a_terminal_would_act_upon_is_escaped() {
        let record = Record::new("/a", "\u{9b}31m\u{7f}\u{e0001} \u{1b}\"".as_bytes());
        let line = line(&record).unwrap();
        let expected = r#"{"path":"/a","value":"\u009b31m\u007f\udb40\udc01 \u001b\""}"#;
        assert_eq!(line, expected);
        let binary = super::line(&Record::new("/a", b"\xff")).unwrap();
        assert_eq!(binary, r#"{"path":"/a","base64":"/w=="}"#);
    }

    proptest! {
        #[test]
        fn records_come_back(path: String, value: Vec<u8>, text: String) {
            for value in [&value[..], text.as_bytes()] {
                let record = Record::new(&path, value);
                let line = line(&record).unwrap();
                prop_assert!(!line.chars().any(is_dangerous));
                prop_assert_eq!(serde_json::from_str::<Record>(&line).unwrap(), record);
            }
        }
    }
}
