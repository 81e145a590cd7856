//! `cargo xtask size`: what an image is made of.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result};
use object::{Object, ObjectSection, ObjectSymbol, SectionFlags, SectionKind};

use crate::build::Image;
use crate::cli::Size;
use crate::workspace::{App, Purpose, Workspace};

/// How many crates are shown.
const SHOWN: usize = 12;

/// Builds and measures.
pub(crate) fn run(arguments: &Size) -> Result<i32> {
    let workspace = Workspace::load()?;
    let apps: Vec<&App> = if arguments.apps.is_empty() {
        workspace
            .apps
            .iter()
            .filter(|app| app.purpose == Purpose::App)
            .collect()
    } else {
        arguments
            .apps
            .iter()
            .map(|name| workspace.app(name))
            .collect::<Result<_>>()?
    };
    for image in Image::build(&workspace, &apps)? {
        let total = image
            .kernel
            .metadata()
            .with_context(|| format!("cannot read {}", image.kernel.display()))?
            .len();
        let data = fs::read(&image.symbols)
            .with_context(|| format!("cannot read {}", image.symbols.display()))?;
        let parts = Parts::read(&data)
            .with_context(|| format!("{} is no image", image.symbols.display()))?;
        print!("{}", parts.report(&image.app.name, total));
    }
    Ok(0)
}

/// The sizes of an image's parts, in bytes.
#[derive(Debug, Default)]
struct Parts {
    code: u64,
    rodata: u64,
    data: u64,
    bss: u64,
    crates: Vec<(String, u64)>,
}

impl Parts {
    fn read(file: &[u8]) -> object::Result<Parts> {
        let file = object::File::parse(file)?;
        let mut parts = Parts::default();
        for section in file.sections() {
            let SectionFlags::Elf { sh_flags } = section.flags() else {
                continue;
            };
            let flag = |bit: u32| sh_flags & u64::from(bit) != 0;
            if !flag(object::elf::SHF_ALLOC) {
                continue;
            }
            let part = if section.kind() == SectionKind::UninitializedData {
                &mut parts.bss
            } else if flag(object::elf::SHF_EXECINSTR) {
                &mut parts.code
            } else if flag(object::elf::SHF_WRITE) {
                &mut parts.data
            } else {
                &mut parts.rodata
            };
            *part += section.size();
        }
        let mut crates: BTreeMap<String, u64> = BTreeMap::new();
        for symbol in file.symbols() {
            // What takes no room in the file is counted as bss above.
            let placed = symbol
                .section_index()
                .and_then(|index| file.section_by_index(index).ok());
            if symbol.size() > 0
                && placed.is_some_and(|section| section.kind() != SectionKind::UninitializedData)
            {
                *crates
                    .entry(owner(symbol.name().unwrap_or("")))
                    .or_default() += symbol.size();
            }
        }
        let named: u64 = crates.values().sum();
        parts.crates = crates.into_iter().collect();
        let rest = (parts.code + parts.rodata + parts.data).saturating_sub(named);
        parts
            .crates
            .push(("(strings, constants, padding)".to_owned(), rest));
        parts
            .crates
            .sort_by_key(|(_, size)| std::cmp::Reverse(*size));
        Ok(parts)
    }

    fn report(&self, name: &str, total: u64) -> String {
        let Parts {
            code,
            rodata,
            data,
            bss,
            crates,
        } = self;
        let mut text = format!(
            "{name}: {total} bytes: code {code}, rodata {rodata}, data {data}; bss {bss}\n"
        );
        for (owner, size) in crates.iter().take(SHOWN) {
            text.push_str(&format!("{size:>10}  {owner}\n"));
        }
        text
    }
}

/// The crate that a symbol belongs to. A generic function belongs to the crate that wrote it, whoever uses it.
fn owner(name: &str) -> String {
    let demangled = format!("{:#}", rustc_demangle::demangle(name));
    if demangled == name {
        return "(assembly and other languages)".to_owned();
    }
    // `<crate::Type as other::Trait>::function`, `crate::function`, `<&mut crate::Type as ...>`
    let path = demangled.trim_start_matches(|c: char| !c.is_alphanumeric() && c != '_');
    let path = ["mut ", "const ", "dyn "]
        .iter()
        .fold(path, |path, word| path.strip_prefix(word).unwrap_or(path));
    let end = path
        .find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(path.len());
    let first = &path[..end];
    // A built-in type has no crate of its own.
    if path[end..].starts_with("::") {
        first.to_owned()
    } else {
        "core".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::{Parts, owner};

    #[test]
    fn reads_both_manglings() {
        assert_eq!(
            owner("_ZN7smoltcp5iface9interface9Interface4poll17h0123456789abcdefE"),
            "smoltcp"
        );
        assert_eq!(owner("_RNvCs15kBYyAo9fc_7mycrate7example"), "mycrate");
        assert_eq!(
            owner("_RNvXCs15kBYyAo9fc_7mycrateNtB2_4TypeNtCs1_4core5Clone5clone"),
            "mycrate"
        );
        assert_eq!(owner("memcpy"), "(assembly and other languages)");
    }

    #[test]
    fn adds_up() {
        let file = std::fs::read("/proc/self/exe").unwrap();
        let parts = Parts::read(&file).unwrap();
        assert!(parts.code > 0 && parts.rodata > 0);
        let sum: u64 = parts.crates.iter().map(|(_, size)| size).sum();
        assert!(sum >= parts.code + parts.rodata + parts.data);
        assert!(parts.crates.iter().any(|(name, _)| name == "xtask"));
    }
}
