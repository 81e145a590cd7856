//! What a terminal shows: commands behind their prompt, and what they print.

use super::{Class, put};

/// The HTML of `code`. A command is a line that begins with `$ `, and the lines after one that ends in a backslash.
pub(super) fn console(code: &str) -> String {
    let mut out = String::new();
    let mut continued = false;
    for (index, line) in code.split('\n').enumerate() {
        if index > 0 {
            out.push('\n');
        }
        let command = match line.strip_prefix("$ ") {
            Some(command) => {
                put(&mut out, Class::Prompt, "$ ");
                Some(command)
            }
            None => continued.then_some(line),
        };
        match command {
            Some(command) => put(&mut out, Class::Keyword, command),
            None => put(&mut out, Class::Plain, line),
        }
        continued = command.is_some_and(|command| command.ends_with('\\'));
    }
    out
}
