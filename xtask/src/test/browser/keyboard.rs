//! Keys.

use anyhow::Result;
use serde_json::json;

use super::tab::Tab;

/// A key: its name, what it types, and its number (UI Events, "Legacy key and mouse event attributes").
#[derive(Clone, Copy, Debug)]
pub(super) struct Key(&'static str, &'static str, u32);

pub(super) const ENTER: Key = Key("Enter", "\r", 13);
pub(super) const ESCAPE: Key = Key("Escape", "", 27);
pub(super) const DOWN: Key = Key("ArrowDown", "", 40);
pub(super) const SLASH: Key = Key("/", "/", 191);

/// Presses a key, and lets it go.
pub(super) fn press(tab: &mut Tab<'_>, Key(name, text, number): Key) -> Result<()> {
    let mut event =
        json!({ "type": "keyDown", "key": name, "code": name, "windowsVirtualKeyCode": number });
    if !text.is_empty() {
        event["text"] = text.into();
    }
    tab.call("Input.dispatchKeyEvent", event.clone())?;
    event["type"] = "keyUp".into();
    tab.call("Input.dispatchKeyEvent", event)?;
    Ok(())
}

/// Types a text where the focus is.
pub(super) fn write(tab: &mut Tab<'_>, text: &str) -> Result<()> {
    tab.call("Input.insertText", json!({ "text": text }))?;
    Ok(())
}
