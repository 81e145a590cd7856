//! The beginning and the end of a program.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

use crate::complaint;

/// Why a program has not done what it was asked for.
pub trait Failure {
    /// The arguments make no sense, and this is why, in one line.
    fn usage(why: String) -> Self;

    /// The exit status.
    fn status(&self) -> u8;

    /// Writes it to standard error, in one line with the program's name before it; what needs no word gets none.
    fn tell(&self);
}

/// Does what the process' arguments ask for.
pub fn start<Arguments: Parser, F: Failure>(
    run: impl FnOnce(Arguments) -> Result<(), F>,
) -> ExitCode {
    start_with(std::env::args_os(), run)
}

/// Does what these arguments ask for; the first is the program's name.
pub fn start_with<Arguments: Parser, F: Failure>(
    arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>,
    run: impl FnOnce(Arguments) -> Result<(), F>,
) -> ExitCode {
    let done = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => run(arguments),
        Err(error) if is_asked_for(&error) => {
            // Nobody is left to be told if that fails.
            let _ = error.print();
            Ok(())
        }
        Err(error) => Err(F::usage(complaint(&error))),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.tell();
            ExitCode::from(failure.status())
        }
    }
}

/// Whether it is no error: `--help` and `--version`.
fn is_asked_for(error: &clap::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    )
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    thread_local! {
        static TOLD: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    }

    #[derive(Parser)]
    #[command(version = "1")]
    struct Words {
        #[arg(long)]
        number: u8,
    }

    struct Problem(String, u8);

    impl Failure for Problem {
        fn usage(why: String) -> Self {
            Self(why, 2)
        }

        fn status(&self) -> u8 {
            self.1
        }

        fn tell(&self) {
            TOLD.with_borrow_mut(|told| told.push(self.0.clone()));
        }
    }

    fn said(arguments: &[&str]) -> (ExitCode, Vec<String>) {
        let code = start_with(["it"].iter().chain(arguments), |words: Words| {
            match words.number {
                7 => Ok(()),
                other => Err(Problem(format!("not {other}"), 9)),
            }
        });
        (code, TOLD.take())
    }

    #[test]
    fn a_failure_is_told_and_becomes_the_status() {
        assert_eq!(said(&["--number", "7"]), (ExitCode::SUCCESS, vec![]));
        let refused = vec!["not 8".to_owned()];
        assert_eq!(said(&["--number=8"]), (ExitCode::from(9), refused));
    }

    #[test]
    fn what_is_asked_for_is_no_failure() {
        assert_eq!(said(&["--version"]), (ExitCode::SUCCESS, vec![]));
        assert_eq!(said(&["--help"]), (ExitCode::SUCCESS, vec![]));
    }

    #[test]
    fn a_complaint_is_one_harmless_line() {
        for arguments in [
            &[][..],
            &["--number"],
            &["--number", "8\n9"],
            &["--number", "\u{202e}\u{1b}[31m"],
            &["--\u{7}"],
            &["\u{200b}"],
        ] {
            let (code, told) = said(arguments);
            assert_eq!((code, told.len()), (ExitCode::from(2), 1), "{arguments:?}");
            let hidden = |c: char| c.is_control() || matches!(c, '\u{200b}' | '\u{202e}');
            assert!(!told[0].contains(hidden), "{told:?}");
            assert!(told[0].ends_with("(try --help)"), "{told:?}");
            assert!(!told[0].starts_with("error"), "{told:?}");
        }
    }
}
