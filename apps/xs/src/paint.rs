//! Colours, where somebody sees them.

use std::fmt::{self, Display};
use std::io::IsTerminal;

use crate::cli::ColourChoice;

/// Whether output has colours.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Paint {
    Plain,
    Coloured,
}

/// What a piece of text is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Style {
    /// The name of a node that has others below it.
    Folder,
    /// What is beside the matter: lines of a tree, times, permissions.
    Faint,
    /// Something came.
    Added,
    /// Something is another than before.
    Changed,
    /// Something is gone, or cannot be had.
    Gone,
}

impl Style {
    /// The parameters of the terminal's sequence "select graphic rendition" (ECMA-48, 8.3.117).
    const fn parameters(self) -> &'static str {
        match self {
            Self::Folder => "1;34",
            Self::Faint => "2",
            Self::Added => "32",
            Self::Changed => "33",
            Self::Gone => "31",
        }
    }
}

/// A piece of text in its colour.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Painted<T> {
    paint: Paint,
    style: Style,
    text: T,
}

impl Paint {
    /// For standard output. Unless it is said otherwise, a terminal gets colours if it can show them and nobody objects
    /// (<https://no-color.org>).
    pub(crate) fn choose(choice: ColourChoice) -> Self {
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_none_or(|name| name == "dumb");
        let wanted = match choice {
            ColourChoice::Always => true,
            ColourChoice::Never => false,
            ColourChoice::Auto => std::io::stdout().is_terminal() && !set("NO_COLOR") && !dumb,
        };
        if wanted { Self::Coloured } else { Self::Plain }
    }

    /// `text` as what it is.
    pub(crate) fn as_what<T: Display>(self, style: Style, text: T) -> Painted<T> {
        Painted {
            paint: self,
            style,
            text,
        }
    }
}

impl<T: Display> Display for Painted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.paint {
            Paint::Plain => self.text.fmt(f),
            // Each piece ends its colour, so that wherever output stops the terminal is as before.
            Paint::Coloured => {
                let parameters = self.style.parameters();
                write!(f, "\x1b[{parameters}m{}\x1b[0m", self.text)
            }
        }
    }
}
