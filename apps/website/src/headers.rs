//! What is said with every answer.

type Fields = &'static [(&'static str, &'static str)];

/// Nothing but the site's own files is loaded, no script runs but its own files, and no other site may show it in a frame.
const POLICY: (&str, &str) = (
    "Content-Security-Policy",
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
);
const NO_SNIFFING: (&str, &str) = ("X-Content-Type-Options", "nosniff");

/// With a page: the browser keeps it and asks each time whether it has changed, which an entity tag answers in a few bytes.
pub(crate) const FOR_PAGES: Fields = &[("Cache-Control", "no-cache"), POLICY, NO_SNIFFING];

/// With style sheet, scripts and the search's index: pages name them together with a hash of their content, so they may be kept for a year.
pub(crate) const FOR_HASHED: Fields = &[
    ("Cache-Control", "max-age=31536000, immutable"),
    NO_SNIFFING,
];

/// With any other file.
pub(crate) const FOR_FILES: Fields = &[("Cache-Control", "max-age=3600"), POLICY, NO_SNIFFING];

/// With what changes from moment to moment.
pub(crate) const FOR_FIGURES: Fields = &[("Cache-Control", "no-store"), NO_SNIFFING];
