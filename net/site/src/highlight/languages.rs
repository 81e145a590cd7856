//! What the languages look like.

/// The look of a language.
#[derive(Debug)]
pub(super) struct Language {
    /// What begins a comment that ends with its line.
    pub(super) line_comments: &'static [&'static str],
    /// Where such a comment may begin.
    pub(super) comments_begin: CommentsBegin,
    /// What begins and ends a comment of several lines, and whether one may be in another.
    pub(super) block_comment: Option<(&'static str, &'static str, Nesting)>,
    /// What begins and ends a string.
    pub(super) quotes: &'static [Quote],
    /// Words with a meaning.
    pub(super) keywords: &'static [&'static str],
    /// Which other words are shown as names.
    pub(super) names: Names,
    /// What else there is.
    pub(super) extra: Extra,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum CommentsBegin {
    Anywhere,
    /// At the beginning of a line, or after a space.
    AfterSpace,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Nesting {
    Nested,
    Flat,
}

/// A kind of string.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Quote {
    /// What it begins and ends with.
    pub(super) mark: &'static str,
    /// Whether a backslash takes the next character's meaning away.
    pub(super) escapes: Escapes,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Escapes {
    Backslash,
    None,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Names {
    None,
    /// Words that begin with a capital letter.
    Capitals,
    /// What stands before `=` on a line of its own.
    BeforeEquals,
    /// A string before a colon.
    BeforeColon,
    /// `$word` and `${word}`.
    AfterDollar,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Extra {
    None,
    /// `'a'` is a character and `'a` a lifetime; raw strings; `#[attribute]`.
    Rust,
    /// `#` begins a directive that takes the line.
    Directives,
    /// `[section]` on a line of its own.
    Sections,
}

const DOUBLE: Quote = Quote {
    mark: "\"",
    escapes: Escapes::Backslash,
};
const SINGLE: Quote = Quote {
    mark: "'",
    escapes: Escapes::Backslash,
};
const LITERAL: Quote = Quote {
    mark: "'",
    escapes: Escapes::None,
};

/// The language that a code block calls so.
pub(super) fn named(name: &str) -> Option<&'static Language> {
    Some(match name {
        "rust" | "rs" => &RUST,
        "c" | "h" => &C,
        "sh" | "bash" | "shell" => &SHELL,
        "toml" => &TOML,
        "ini" | "conf" | "systemd" => &INI,
        "json" => &JSON,
        "python" | "py" => &PYTHON,
        "js" | "javascript" => &JAVASCRIPT,
        _ => return None,
    })
}

/// The Rust Reference, "Keywords": those that occur in examples.
static RUST: Language = Language {
    line_comments: &["//"],
    comments_begin: CommentsBegin::Anywhere,
    block_comment: Some(("/*", "*/", Nesting::Nested)),
    quotes: &[DOUBLE],
    keywords: &[
        "as", "async", "await", "break", "const", "continue", "crate", "dyn", "else", "enum",
        "extern", "false", "fn", "for", "if", "impl", "in", "let", "loop", "match", "mod", "move",
        "mut", "pub", "ref", "return", "self", "static", "struct", "super", "trait", "true",
        "type", "unsafe", "use", "where", "while",
    ],
    names: Names::Capitals,
    extra: Extra::Rust,
};

/// C11 (N1570), section 6.4.1.
static C: Language = Language {
    line_comments: &["//"],
    comments_begin: CommentsBegin::Anywhere,
    block_comment: Some(("/*", "*/", Nesting::Flat)),
    quotes: &[DOUBLE, SINGLE],
    keywords: &[
        "auto", "break", "case", "char", "const", "continue", "default", "do", "double", "else",
        "enum", "extern", "float", "for", "goto", "if", "inline", "int", "long", "register",
        "restrict", "return", "short", "signed", "sizeof", "static", "struct", "switch", "typedef",
        "union", "unsigned", "void", "volatile", "while",
    ],
    names: Names::None,
    extra: Extra::Directives,
};

/// POSIX.1-2024, Shell & Utilities, section 2.4, and what is used like its words.
static SHELL: Language = Language {
    line_comments: &["#"],
    comments_begin: CommentsBegin::AfterSpace,
    block_comment: None,
    quotes: &[DOUBLE, LITERAL],
    keywords: &[
        "case", "do", "done", "elif", "else", "esac", "exit", "export", "fi", "for", "function",
        "if", "in", "return", "set", "then", "until", "while",
    ],
    names: Names::AfterDollar,
    extra: Extra::None,
};

/// TOML 1.0.0.
static TOML: Language = Language {
    line_comments: &["#"],
    comments_begin: CommentsBegin::Anywhere,
    block_comment: None,
    quotes: &[
        Quote {
            mark: "\"\"\"",
            escapes: Escapes::Backslash,
        },
        Quote {
            mark: "'''",
            escapes: Escapes::None,
        },
        DOUBLE,
        LITERAL,
    ],
    keywords: &["false", "true"],
    names: Names::BeforeEquals,
    extra: Extra::Sections,
};

static INI: Language = Language {
    line_comments: &["#", ";"],
    comments_begin: CommentsBegin::AfterSpace,
    block_comment: None,
    quotes: &[DOUBLE, LITERAL],
    keywords: &[],
    names: Names::BeforeEquals,
    extra: Extra::Sections,
};

/// RFC 8259.
static JSON: Language = Language {
    line_comments: &[],
    comments_begin: CommentsBegin::Anywhere,
    block_comment: None,
    quotes: &[DOUBLE],
    keywords: &["false", "null", "true"],
    names: Names::BeforeColon,
    extra: Extra::None,
};

static PYTHON: Language = Language {
    line_comments: &["#"],
    comments_begin: CommentsBegin::Anywhere,
    block_comment: None,
    quotes: &[
        Quote {
            mark: "\"\"\"",
            escapes: Escapes::Backslash,
        },
        DOUBLE,
        SINGLE,
    ],
    keywords: &[
        "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class",
        "continue", "def", "del", "elif", "else", "except", "finally", "for", "from", "global",
        "if", "import", "in", "is", "lambda", "not", "or", "pass", "raise", "return", "try",
        "while", "with", "yield",
    ],
    names: Names::None,
    extra: Extra::None,
};

static JAVASCRIPT: Language = Language {
    line_comments: &["//"],
    comments_begin: CommentsBegin::Anywhere,
    block_comment: Some(("/*", "*/", Nesting::Flat)),
    quotes: &[
        DOUBLE,
        SINGLE,
        Quote {
            mark: "`",
            escapes: Escapes::Backslash,
        },
    ],
    keywords: &[
        "async",
        "await",
        "break",
        "case",
        "class",
        "const",
        "continue",
        "default",
        "else",
        "export",
        "false",
        "for",
        "from",
        "function",
        "if",
        "import",
        "in",
        "let",
        "new",
        "null",
        "of",
        "return",
        "switch",
        "this",
        "throw",
        "true",
        "try",
        "typeof",
        "undefined",
        "var",
        "while",
    ],
    names: Names::None,
    extra: Extra::None,
};
