//! Backtraces with names: beside each address of a guest's backtrace, the function and the line that it belongs to.

use std::fs::{self, File};
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use addr2line::Context as Lines;
use anyhow::{Context, Result, bail};
use gimli::{EndianArcSlice, RunTimeEndian};
use object::{Object, ObjectSection, ObjectSymbol, SymbolKind};

use crate::cli::Symbolize;
use crate::workspace::Workspace;

/// The functions and lines of an image.
pub(crate) struct Symbols {
    lines: Lines<EndianArcSlice<RunTimeEndian>>,
    /// Address, size and name of each function, sorted.
    functions: Vec<(u64, u64, String)>,
}

impl std::fmt::Debug for Symbols {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Symbols")
            .field("functions", &self.functions.len())
            .finish_non_exhaustive()
    }
}

impl Symbols {
    /// Reads a symbol file: the image with its symbols.
    pub(crate) fn load(path: &Path) -> Result<Symbols> {
        let data = fs::read(path)
            .with_context(|| format!("cannot read the symbol file {}", path.display()))?;
        Symbols::parse(&data)
            .with_context(|| format!("{} has no symbols that can be read", path.display()))
    }

    fn parse(data: &[u8]) -> Result<Symbols> {
        let file = object::File::parse(data)?;
        let load = |id: gimli::SectionId| -> Result<_, gimli::Error> {
            let section = file
                .section_by_name(id.name())
                .and_then(|section| section.data().ok());
            Ok(EndianArcSlice::new(
                section.unwrap_or_default().into(),
                RunTimeEndian::Little,
            ))
        };
        let lines = Lines::from_dwarf(gimli::Dwarf::load(load)?)?;
        let mut functions: Vec<(u64, u64, String)> = file
            .symbols()
            .filter(|symbol| symbol.kind() == SymbolKind::Text)
            .filter_map(|symbol| {
                Some((
                    symbol.address(),
                    symbol.size(),
                    symbol.name().ok()?.to_owned(),
                ))
            })
            .collect();
        functions.sort();
        Ok(Symbols { lines, functions })
    }

    /// What is at `address`: the innermost function first, then those that it was inlined into.
    pub(crate) fn describe(&self, address: u64) -> Vec<String> {
        let mut found: Vec<(Option<String>, Option<String>)> = Vec::new();
        if let Ok(mut frames) = self.lines.find_frames(address).skip_all_loads() {
            while let Ok(Some(frame)) = frames.next() {
                let name = frame
                    .function
                    .as_ref()
                    .and_then(|name| name.raw_name().ok().map(|name| demangled(&name)));
                let place = frame.location.as_ref().and_then(|place| {
                    Some(format!(
                        "{}:{}",
                        place.file?.trim_start_matches("./"),
                        place.line?
                    ))
                });
                found.push((name, place));
            }
        }
        // Line tables have a function's bare name; the symbol table has its path, for those that are not inlined.
        let outermost = self.function(address);
        match found.last_mut() {
            Some((name, _)) => *name = outermost.or(name.take()),
            None => found.push((outermost, None)),
        }
        found
            .into_iter()
            .filter_map(|(name, place)| joined(name, place))
            .collect()
    }

    fn function(&self, address: u64) -> Option<String> {
        let next = self
            .functions
            .partition_point(|(start, _, _)| *start <= address);
        let (start, size, name) = self.functions[..next].last()?;
        // Assembly often gives no size.
        (*size == 0 || address - start < *size).then(|| demangled(name))
    }
}

fn joined(name: Option<String>, place: Option<String>) -> Option<String> {
    match (name, place) {
        (Some(name), Some(place)) => Some(format!("{name} ({place})")),
        (Some(one), None) | (None, Some(one)) => Some(one),
        (None, None) => None,
    }
}

fn demangled(name: &str) -> String {
    format!("{:#}", rustc_demangle::demangle(name))
}

/// Passes a console's output on, and writes names beside the addresses of backtraces.
#[derive(Debug)]
pub(crate) struct Annotator<W> {
    out: W,
    symbols: Option<Symbols>,
    line: Vec<u8>,
    inside: bool,
    scope: Scope,
}

/// Where addresses are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Below a line that says "backtrace".
    Backtraces,
    /// In every line: what is pasted may begin after that line.
    Everywhere,
}

impl<W: Write> Annotator<W> {
    /// Without symbols, everything passes unchanged.
    pub(crate) fn new(out: W, symbols: Option<Symbols>, scope: Scope) -> Annotator<W> {
        Annotator {
            out,
            symbols,
            line: Vec::new(),
            inside: false,
            scope,
        }
    }

    fn line_ended(&mut self) -> io::Result<()> {
        let line = String::from_utf8_lossy(&self.line).into_owned();
        self.line.clear();
        let line = line.trim_end_matches('\r');
        if starts_backtrace(line) {
            self.inside = true;
            return Ok(());
        }
        if !self.inside && self.scope == Scope::Backtraces {
            return Ok(());
        }
        let Some((number, address)) = frame(line) else {
            self.inside = false;
            return Ok(());
        };
        let Some(symbols) = &self.symbols else {
            return Ok(());
        };
        // The first address is an instruction's own. The others are where calls return to, which may be beyond the
        // function that called.
        let found = symbols.describe(if number == 0 {
            address
        } else {
            address.saturating_sub(1)
        });
        for (depth, text) in found.iter().enumerate() {
            let lead = if depth == 0 {
                "  ".to_owned()
            } else {
                format!("\n{:indent$}in ", "", indent = line.len() - 1)
            };
            write!(self.out, "{lead}{text}")?;
        }
        Ok(())
    }
}

/// Console lines may have a time or a domain's name before what the guest printed.
fn starts_backtrace(line: &str) -> bool {
    line.find("backtrace")
        .is_some_and(|at| line[..at].is_empty() || line[..at].ends_with([' ', ']', ':']))
}

/// Reads `#N 0xADDR` at a line's end.
fn frame(line: &str) -> Option<(u32, u64)> {
    let mut words = line[line.find('#')? + 1..].split_whitespace();
    let number = words.next()?.trim_end_matches(':').parse().ok()?;
    let address = u64::from_str_radix(words.next()?.strip_prefix("0x")?, 16).ok()?;
    words.next().is_none().then_some((number, address))
}

impl<W: Write> Write for Annotator<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        /// Longer lines are no backtrace.
        const LONGEST: usize = 1024;
        for piece in bytes.split_inclusive(|&byte| byte == b'\n') {
            match piece.strip_suffix(b"\n") {
                Some(text) => {
                    let text = text.strip_suffix(b"\r").unwrap_or(text);
                    self.out.write_all(text)?;
                    self.line.extend_from_slice(text);
                    self.line_ended()?;
                    self.out.write_all(b"\n")?;
                }
                None => {
                    self.out.write_all(piece)?;
                    if self.line.len() < LONGEST {
                        self.line.extend_from_slice(piece);
                    }
                }
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// `cargo xtask symbolize`.
pub(crate) fn run(arguments: &Symbolize) -> Result<i32> {
    let symbols = Symbols::load(&symbol_file(&arguments.app)?)?;
    let mut annotator = Annotator::new(io::stdout().lock(), Some(symbols), Scope::Everywhere);
    let mut input: Box<dyn Read> = match &arguments.file {
        Some(path) => Box::new(BufReader::new(
            File::open(path).with_context(|| format!("cannot read {}", path.display()))?,
        )),
        None => Box::new(io::stdin().lock()),
    };
    io::copy(&mut input, &mut annotator).context("cannot copy the backtrace")?;
    if !annotator.line.is_empty() {
        annotator.write_all(b"\n")?;
    }
    Ok(0)
}

/// The symbol file itself, or that of the app.
fn symbol_file(name: &str) -> Result<PathBuf> {
    let path = PathBuf::from(name);
    if path.is_file() {
        return Ok(path);
    }
    if name.contains('/') {
        bail!("there is no file {name}");
    }
    let workspace = Workspace::load()?;
    let path = workspace.images().join(format!("{name}.sym"));
    if !path.is_file() {
        workspace.app(name)?;
        bail!(
            "{name} is not built: there is no {} (cargo xtask build {name})",
            path.display()
        );
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::{Annotator, Scope, Symbols, frame, starts_backtrace};

    #[test]
    fn reads_frames() {
        assert_eq!(frame("  #0 0x401000"), Some((0, 0x40_1000)));
        assert_eq!(frame("(d3) #12 0x00000000004ff000"), Some((12, 0x4f_f000)));
        assert_eq!(frame("  #1 0x401000 already named"), None);
        assert_eq!(frame("  # 0x401000"), None);
        assert_eq!(frame("GET /#1 HTTP"), None);
    }

    #[test]
    fn knows_where_a_backtrace_starts() {
        assert!(starts_backtrace("backtrace:"));
        assert!(starts_backtrace("(XEN) d3 backtrace:"));
        assert!(!starts_backtrace("no_backtrace"));
    }

    /// Our own symbols: the test looks a function of itself up.
    #[inline(never)]
    fn landmark() -> usize {
        landmark as fn() -> usize as usize
    }

    /// How far the loader moved this program, from the lowest of its mappings.
    fn slide() -> u64 {
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let exe = std::env::current_exe().unwrap();
        let first = maps
            .lines()
            .find(|line| line.ends_with(exe.to_str().unwrap()))
            .unwrap();
        u64::from_str_radix(first.split('-').next().unwrap(), 16).unwrap()
    }

    #[test]
    fn names_functions_and_lines_beside_the_addresses() {
        let symbols = Symbols::load(std::path::Path::new("/proc/self/exe")).unwrap();
        let address = landmark() as u64 - slide();
        let mut out = Vec::new();
        let mut annotator = Annotator::new(&mut out, Some(symbols), Scope::Backtraces);
        for piece in [
            "backtra",
            "ce:\r\n  #0 ",
            &format!("{address:#x}\r\nafter\r\n"),
            "  #0 0x1\n",
        ] {
            annotator.write_all(piece.as_bytes()).unwrap();
        }
        let text = String::from_utf8(out).unwrap();
        let line = text.lines().nth(1).unwrap();
        assert!(
            line.contains("landmark") && line.contains("symbolize.rs:"),
            "{text}"
        );
        assert!(text.ends_with("\nafter\n  #0 0x1\n"), "{text}");
    }
}
