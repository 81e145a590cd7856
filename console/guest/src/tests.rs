//! Output and input over a stream.

extern crate std;

use std::boxed::Box;
use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use alloc::rc::Rc;
use core::fmt;
use core::future::poll_fn;

use log::{Level, LevelFilter, Record};
use morgana_exec::{Duplex, Executor, Handle, ManualClock, duplex, yield_now};
use morgana_hal::{ByteStream, Instant, StreamError};

use crate::{InputError, LineEnd, LineReader, Logger, MAX_LINE, Output};

fn run<F: Future<Output = ()> + 'static>(test: impl FnOnce(Handle) -> F) {
    let clock = ManualClock::default();
    let mut executor = Executor::new();
    let test = Box::pin(test(executor.handle()));
    executor.block_on(test, &mut clock.idle(), &clock);
}

fn drive(handle: &Handle, output: &Output, stream: Duplex) {
    let output = output.clone();
    handle
        .spawn(async move { output.drive(Rc::new(stream)).await })
        .unwrap();
}

/// All that is on its way now.
async fn screen(terminal: &Duplex, output: &Output) -> String {
    let mut shown = Vec::new();
    let mut buffer = [0; 100];
    loop {
        let reading = poll_fn(|cx| terminal.poll_read(cx, &mut buffer));
        let flushed = async {
            output.flush().await.unwrap();
            // What the stream has taken is still to be read.
            yield_now().await;
        };
        match morgana_exec::select(reading, flushed).await {
            morgana_exec::Either::First(len) => shown.extend_from_slice(&buffer[..len.unwrap()]),
            morgana_exec::Either::Second(()) => return String::from_utf8(shown).unwrap(),
        }
    }
}

fn unsent(output: &Output) -> String {
    let mut bytes = [0; 8192];
    let len = output.take_unsent(&mut bytes);
    String::from_utf8(bytes[..len].to_vec()).unwrap()
}

fn record(logger: &Logger, level: Level, text: &str) {
    let args = format_args!("{text}");
    let record = Record::builder()
        .level(level)
        .target("test")
        .args(args)
        .build();
    logger.log(&record, Instant::from_nanos(12_345_678_901));
}

#[test]
fn records_become_lines_up_to_the_level() {
    let output = Output::new(4096, LineEnd::Lf);
    let logger = Logger::new(output.clone(), LevelFilter::Info);
    record(&logger, Level::Warn, "first");
    record(&logger, Level::Debug, "hidden");
    logger.set_level(LevelFilter::Debug);
    record(&logger, Level::Debug, "shown");
    let expected = "[   12.345678] WARN  test: first\n[   12.345678] DEBUG test: shown\n";
    assert_eq!(unsent(&output), expected);
}

#[test]
fn a_message_cannot_forge_lines_or_move_the_cursor() {
    let output = Output::new(4096, LineEnd::CrLf);
    output.line(format_args!(
        "a\x1b[2J\r\n[    0.000000] ERROR b\u{9b}c\td\x00"
    ));
    let expected = "a?[2J\r\n    [    0.000000] ERROR b?c\td?\r\n";
    assert_eq!(unsent(&output), expected);
}

#[test]
fn long_lines_are_cut_at_a_character() {
    for text in ["x".repeat(5000), "ä".repeat(3000), "€".repeat(2000)] {
        let output = Output::new(4096, LineEnd::Lf);
        output.line(format_args!("{text}"));
        let line = unsent(&output);
        assert!(line.ends_with("…\n") && line.len() <= MAX_LINE + 1 && line.len() > MAX_LINE - 4);
        assert!(text.starts_with(line.trim_end_matches("…\n")));
    }
}

#[test]
fn lines_without_room_are_lost_whole_and_told_of_in_their_place() {
    let output = Output::new(100, LineEnd::Lf);
    output.line(format_args!("{}", "a".repeat(60)));
    output.line(format_args!("{}", "b".repeat(60)));
    output.line(format_args!("{}", "c".repeat(60)));
    assert_eq!(output.lost(), 2);
    let mut bytes = [0; 61];
    assert_eq!(output.take_unsent(&mut bytes), 61);
    output.line(format_args!("d"));
    assert_eq!(
        unsent(&output),
        "(2 lines lost here: the console was full)\nd\n"
    );
    output.line(format_args!("e"));
    assert_eq!(unsent(&output), "e\n");
    assert_eq!(output.lost(), 2);
}

#[test]
fn a_loss_is_told_of_even_if_nobody_prints_again() {
    run(|handle| async move {
        let output = Output::new(100, LineEnd::Lf);
        output.line(format_args!("{}", "a".repeat(99)));
        output.line(format_args!("b"));
        let (console, terminal) = duplex(7);
        drive(&handle, &output, console);
        let shown = screen(&terminal, &output).await;
        let notice = "(1 line lost here: the console was full)\n";
        assert_eq!(shown, format!("{}\n{notice}", "a".repeat(99)));
    });
}

#[test]
fn flush_waits_for_the_stream_and_ends_with_it() {
    run(|handle| async move {
        let output = Output::new(1000, LineEnd::Lf);
        assert_eq!(output.flush().await, Ok(()));
        let (console, terminal) = duplex(4);
        output.line(format_args!("last words"));
        drive(&handle, &output, console);
        assert_eq!(screen(&terminal, &output).await, "last words\n");
        output.line(format_args!("more than four"));
        drop(terminal);
        assert_eq!(output.flush().await, Err(StreamError::Closed));
        output.line(format_args!("nobody hears this"));
        assert_eq!((output.lost(), unsent(&output)), (1, String::new()));
    });
}

#[test]
fn what_is_displayed_may_print_itself() {
    struct Chatty(Output);
    impl fmt::Display for Chatty {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.line(format_args!("inner"));
            f.write_str("outer")
        }
    }
    let output = Output::new(100, LineEnd::Lf);
    output.line(format_args!("{}", Chatty(output.clone())));
    assert_eq!(unsent(&output), "inner\nouter\n");
}

#[test]
fn typed_lines_are_read_and_shown() {
    run(|handle| async move {
        let (console, terminal) = duplex(1000);
        let console = Rc::new(console);
        let output = Output::new(1000, LineEnd::CrLf);
        handle
            .spawn({
                let (output, console) = (output.clone(), console.clone());
                async move { output.drive(console).await }
            })
            .unwrap();
        let mut reader = LineReader::with_echo(console.clone(), output.clone());
        let typed = b"helo\x7flo\rsecond\r\n\xff\nlast";
        assert_eq!(
            poll_fn(|cx| terminal.poll_write(cx, typed)).await,
            Ok(typed.len())
        );
        assert_eq!(reader.next().await, Ok("hello".to_string()));
        assert_eq!(reader.next().await, Ok("second".to_string()));
        assert_eq!(reader.next().await, Err(InputError::NotText));
        output.flush().await.unwrap();
        let mut shown = [0; 100];
        let len = poll_fn(|cx| terminal.poll_read(cx, &mut shown))
            .await
            .unwrap();
        assert_eq!(&shown[..len], b"helo\x08 \x08lo\r\nsecond\r\n\xff\r\n");
        drop(terminal);
        let ended = InputError::Stream(StreamError::Closed);
        assert_eq!(reader.next().await, Err(ended));
    });
}
