//! A page in the browser.

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::devtools::{Browser, Event};

/// A tab.
pub(super) struct Tab<'a> {
    browser: &'a mut Browser,
    session: String,
}

impl<'a> Tab<'a> {
    /// Opens an empty one.
    pub(super) fn open(browser: &'a mut Browser) -> Result<Tab<'a>> {
        let target = browser.call(None, "Target.createTarget", json!({ "url": "about:blank" }))?;
        let attached = browser.call(
            None,
            "Target.attachToTarget",
            json!({ "targetId": target["targetId"], "flatten": true }),
        )?;
        let session = attached["sessionId"].as_str().context("no session")?;
        let mut tab = Tab {
            session: session.to_owned(),
            browser,
        };
        for domain in ["Page", "Runtime", "Log"] {
            tab.call(&format!("{domain}.enable"), json!({}))?;
        }
        Ok(tab)
    }

    pub(super) fn call(&mut self, method: &str, parameters: Value) -> Result<Value> {
        self.browser.call(Some(&self.session), method, parameters)
    }

    /// Loads a page, scripts and style sheets and all.
    pub(super) fn load(&mut self, address: &str) -> Result<()> {
        self.browser.take_events();
        let answer = self.call("Page.navigate", json!({ "url": address }))?;
        if let Some(error) = answer["errorText"].as_str() {
            bail!("{address}: {error}");
        }
        self.loaded()
    }

    /// Waits until a page is loaded that was asked for in another way.
    pub(super) fn loaded(&mut self) -> Result<()> {
        self.browser.wait_for("Page.loadEventFired")
    }

    /// Makes the window so wide.
    pub(super) fn resize(&mut self, width: u32) -> Result<()> {
        self.call(
            "Emulation.setDeviceMetricsOverride",
            json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false }),
        )?;
        self.until(&format!("innerWidth === {width}"))?;
        Ok(())
    }

    /// The value of an expression in the page's script language; of a promise, what it becomes.
    pub(super) fn value(&mut self, expression: &str) -> Result<Value> {
        let mut answer = self.call(
            "Runtime.evaluate",
            json!({ "expression": expression, "awaitPromise": true, "returnByValue": true }),
        )?;
        if let Some(exception) = answer.get("exceptionDetails") {
            let said = &exception["exception"]["description"];
            bail!("{expression}: {said}");
        }
        Ok(answer["result"]["value"].take())
    }

    /// Waits until the expression is true, and returns its value.
    pub(super) fn until(&mut self, expression: &str) -> Result<Value> {
        const WAITING: &str = "new Promise((done, failed) => { const start = Date.now(); (function look() { \
             const value = (CONDITION); if (value) done(value); \
             else if (Date.now() - start > 60000) failed(new Error('is not so')); else setTimeout(look, 20); })(); })";
        self.value(&WAITING.replace("CONDITION", expression))
            .with_context(|| format!("waiting for {expression}"))
    }

    /// What the browser had to complain about since the page began to load.
    pub(super) fn complaints(&mut self) -> Vec<String> {
        self.browser
            .take_events()
            .iter()
            .filter_map(complaint)
            .collect()
    }
}

fn complaint(Event { method, parameters }: &Event) -> Option<String> {
    match method.as_str() {
        "Runtime.exceptionThrown" => Some(parameters["exceptionDetails"].to_string()),
        "Runtime.consoleAPICalled"
            if ["error", "warning", "assert"].contains(&parameters["type"].as_str()?) =>
        {
            Some(parameters["args"].to_string())
        }
        "Log.entryAdded"
            if ["error", "warning"].contains(&parameters["entry"]["level"].as_str()?) =>
        {
            Some(format!(
                "{} {}",
                parameters["entry"]["text"], parameters["entry"]["url"]
            ))
        }
        _ => None,
    }
}
