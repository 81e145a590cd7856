//! What the user sees while something takes long: bars on a terminal, plain lines elsewhere and with `CI=true`.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// Whether questions, colours and moving bars are welcome.
pub(crate) fn interactive() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("CI").is_none_or(|ci| ci != "true")
}

/// One line that says what is done now.
#[derive(Debug)]
pub(crate) struct Step {
    bar: Option<ProgressBar>,
}

impl Step {
    /// A step of unknown length.
    pub(crate) fn spinner(message: &str) -> Step {
        if !interactive() {
            eprintln!("{message}");
            return Step { bar: None };
        }
        let bar = ProgressBar::new_spinner().with_message(message.to_owned());
        bar.enable_steady_tick(Duration::from_millis(120));
        Step { bar: Some(bar) }
    }

    /// A step of `length` bytes.
    pub(crate) fn bytes(message: &str, length: u64) -> Step {
        Step::bar(
            message,
            length,
            "{msg} {bar:30} {bytes}/{total_bytes} {eta}",
        )
    }

    /// A step of `length` things.
    pub(crate) fn count(message: &str, length: u64) -> Step {
        Step::bar(message, length, "{msg} {bar:30} {pos}/{len}")
    }

    fn bar(message: &str, length: u64, template: &str) -> Step {
        if !interactive() {
            eprintln!("{message}");
            return Step { bar: None };
        }
        let bar = ProgressBar::new(length).with_message(message.to_owned());
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Step { bar: Some(bar) }
    }

    /// Moves the bar.
    pub(crate) fn set(&self, position: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(position);
        }
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}
