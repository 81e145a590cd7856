//! rustdoc's pages without scripts in them: the site's security policy lets none run that is not a file.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

/// What the scripts begin with that rustdoc writes into pages. One asks for fonts before the style sheet does; the other leads on from where something
/// was moved from, as the page's `refresh` does without it. Nothing is lost.
const KNOWN: [&str; 2] = [
    "<script>if(window.location.protocol!==\"file:\")",
    "<script>location.replace(",
];
const END: &str = "</script>";
/// What leads back from two pages; a browser has a button for it.
const BACK: &str = " onclick=\"history.back();\"";

/// Takes them out of all pages below `folder`; returns how many pages there are.
pub(super) fn strict(folder: &Path) -> Result<usize> {
    let mut pages = 0;
    for entry in
        fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?
    {
        let path = entry?.path();
        if path.is_dir() {
            pages += strict(&path)?;
        } else if path.extension().is_some_and(|ending| ending == "html") {
            let text = fs::read_to_string(&path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            let text = without_scripts(&text).replace(BACK, "");
            if text.contains("<script>") || text.contains(" onclick=\"") {
                bail!(
                    "{}: rustdoc has written a script into the page that is not known here",
                    path.display()
                );
            }
            fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
            pages += 1;
        }
    }
    Ok(pages)
}

fn without_scripts(text: &str) -> String {
    KNOWN.iter().fold(text.to_owned(), |text, begins| {
        let parts = text
            .split_once(begins)
            .and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
        match parts {
            Some((before, behind)) => format!("{before}{behind}"),
            None => text,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::without_scripts;

    #[test]
    fn files_stay_and_scripts_go() {
        let page = "<head><script>if(window.location.protocol!==\"file:\")document.x(`<link>`)</script><script src=\"a.js\"></script>";
        assert_eq!(
            without_scripts(page),
            "<head><script src=\"a.js\"></script>"
        );
        let moved = "<meta http-equiv=\"refresh\" content=\"0;URL=x\"><script>location.replace(\"x\");</script><p>";
        assert!(without_scripts(moved).ends_with("URL=x\"><p>"));
        assert_eq!(without_scripts("<p>"), "<p>");
    }
}
