//! Lines that an operator types.

use alloc::rc::Rc;
use alloc::string::String;
use core::fmt;
use core::future::poll_fn;

use morgana_hal::{ByteStream, StreamError};

use crate::Output;
use crate::editor::{Editor, Keyed};

/// Why there is no line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InputError {
    /// The stream has ended.
    Stream(StreamError),
    /// The line was over [`MAX_INPUT`](crate::MAX_INPUT) bytes. The next one can be read.
    TooLong,
    /// The line was not UTF-8. The next one can be read.
    NotText,
}

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stream(error) => error.fmt(f),
            Self::TooLong => f.write_str("the line is too long"),
            Self::NotText => f.write_str("the line is not UTF-8"),
        }
    }
}

impl core::error::Error for InputError {}

/// Reads lines. They end with CR, LF or both; backspace and Control-U edit; other control characters but tabs are ignored.
#[derive(Debug)]
pub struct LineReader<S> {
    stream: Rc<S>,
    echo: Option<Output>,
    editor: Editor,
    chunk: [u8; 64],
    /// What of the chunk is still to be looked at.
    unread: core::ops::Range<usize>,
}

impl<S: ByteStream> LineReader<S> {
    /// A reader that shows nothing.
    pub fn new(stream: Rc<S>) -> Self {
        Self {
            stream,
            echo: None,
            editor: Editor::default(),
            chunk: [0; 64],
            unread: 0..0,
        }
    }

    /// A reader that shows what is typed. The terminal at Xen's console does not do that by itself.
    pub fn with_echo(stream: Rc<S>, echo: Output) -> Self {
        Self {
            echo: Some(echo),
            ..Self::new(stream)
        }
    }

    /// The next line, without its end. Dropping the future loses nothing that was typed.
    ///
    /// # Errors
    ///
    /// [`InputError`]; after [`InputError::Stream`] there is nothing more.
    pub async fn next(&mut self) -> Result<String, InputError> {
        loop {
            while let Some(index) = self.unread.next() {
                let byte = self.chunk[index];
                let keyed = self.editor.key(byte);
                self.show(byte, &keyed);
                if let Keyed::Done(line) = keyed {
                    return line;
                }
            }
            let chunk = &mut self.chunk;
            let read = poll_fn(|cx| self.stream.poll_read(cx, chunk)).await;
            let len = read.map_err(InputError::Stream)?;
            self.unread = 0..len.min(self.chunk.len());
        }
    }

    fn show(&self, byte: u8, keyed: &Keyed) {
        let Some(echo) = &self.echo else {
            return;
        };
        match keyed {
            Keyed::Nothing => {}
            Keyed::Appended => echo.echo(&[byte]),
            Keyed::Erased(count) => {
                for _ in 0..*count {
                    echo.echo(b"\x08 \x08");
                }
            }
            Keyed::Done(_) => echo.echo(echo.line_end().as_str().as_bytes()),
        }
    }
}
