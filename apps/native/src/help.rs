//! What a program says of itself.

/// A program.
#[derive(Clone, Copy, Debug)]
pub struct Program {
    /// What it is called.
    pub name: &'static str,
    /// What it does, in a sentence.
    pub summary: &'static str,
    /// Whether it has disks.
    pub disks: Disks,
    /// The words of its command line, one a line.
    pub words: &'static str,
}

/// Whether a program has disks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Disks {
    /// There is no option for them.
    None,
    /// A word `disk=` says which, and `--disk NAME=FILE` what a name means.
    Named,
}

impl Program {
    /// What `--help` prints.
    pub fn help(&self) -> String {
        let Self {
            name,
            summary,
            words,
            ..
        } = self;
        let (usage, disk) = match self.disks {
            Disks::None => ("", ""),
            Disks::Named => (
                " [--disk NAME=FILE]...",
                "  --disk NAME=FILE     disk=NAME is FILE; without disk=, xvda is meant (as when it runs as a domain)\n",
            ),
        };
        format!(
            "{summary}\n\
             \n\
             Usage: {name} [--forward HOST:PORT]...{usage} [--] [WORD]...\n\
             \n\
             Options:\n\
             \x20 --forward HOST:PORT  listen at port HOST instead of PORT (as when it runs as a domain); HOST 0 is any free port\n\
             {disk}\
             \x20 --help               this text\n\
             \n\
             Words:\n\
             \x20 listen=ADDRESS     the address to listen at (127.0.0.1)\n\
             {words}"
        )
    }
}
