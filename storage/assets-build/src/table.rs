//! The Rust text of a set's table, and the block of bytes that it refers to.

use std::fmt::Write as _;

use crate::entity_tag;
use crate::pack::pack;

/// A table while it is written.
pub(crate) struct Table<'a> {
    name: &'a str,
    modified_unix_seconds: Option<u64>,
    block: Vec<u8>,
    rows: String,
    count: usize,
}

impl<'a> Table<'a> {
    pub(crate) const fn new(name: &'a str, modified_unix_seconds: Option<u64>) -> Self {
        Self {
            name,
            modified_unix_seconds,
            block: Vec::new(),
            rows: String::new(),
            count: 0,
        }
    }

    /// Adds a file, compressed if that gains something.
    pub(crate) fn add(&mut self, path: &str, content_type: &str, content: &[u8]) {
        self.count += 1;
        let hash = entity_tag(content);
        let content = self.content(&hash, content_type, content);
        let [path, etag] = [path, &hash].map(|text| self.text(text));
        // Writing to a String cannot fail.
        let _ = writeln!(
            self.rows,
            "    ::morgana_assets::Asset {{ path: {path}, content_type: {content_type:?}, etag: {etag}, \
             modified_unix_seconds: {modified:?}, content: {content} }},",
            modified = self.modified_unix_seconds,
        );
    }

    fn content(&mut self, etag: &str, content_type: &str, content: &[u8]) -> String {
        let Some(forms) = pack(content_type, content) else {
            let bytes = self.bytes(content);
            return format!("::morgana_assets::Content::Plain({bytes})");
        };
        let length = content.len();
        let gzip = self.encoded(etag, "gz", &forms.gzip);
        let brotli = match forms.brotli {
            Some(brotli) => format!("Some({})", self.encoded(etag, "br", &brotli)),
            None => "None".to_owned(),
        };
        format!(
            "::morgana_assets::Content::Packed(::morgana_assets::Packed {{ length: {length}, gzip: {gzip}, brotli: {brotli} }})"
        )
    }

    /// A form whose entity tag is that of the content with the form's name behind it.
    fn encoded(&mut self, etag: &str, form: &str, bytes: &[u8]) -> String {
        let bytes = self.bytes(bytes);
        let etag = self.text(&format!("{etag}-{form}"));
        format!("::morgana_assets::Encoded {{ etag: {etag}, bytes: {bytes} }}")
    }

    /// Puts bytes into the block; the expression that they are.
    fn bytes(&mut self, bytes: &[u8]) -> String {
        let start = self.block.len();
        self.block.extend_from_slice(bytes);
        let (name, end) = (self.name, self.block.len());
        format!("{name}_BYTES.split_at({end}).0.split_at({start}).1")
    }

    /// The same for text.
    fn text(&mut self, text: &str) -> String {
        format!("::morgana_assets::text({})", self.bytes(text.as_bytes()))
    }

    /// The block, and the text.
    pub(crate) fn finish(self) -> (Vec<u8>, String) {
        let Self {
            name,
            block,
            rows,
            count,
            ..
        } = self;
        let text = format!(
            "/// The contents of [`{name}`], their paths and tags, one after the other.\n\
             static {name}_BYTES: [u8; {length}] = *include_bytes!(\"{name}.bin\");\n\
             /// What is where in it.\n\
             static {name}_TABLE: [::morgana_assets::Asset; {count}] = [\n{rows}];\n\
             /// Files baked into the image.\n\
             pub static {name}: ::morgana_assets::Assets = ::morgana_assets::Assets::new(&{name}_TABLE);\n",
            length = block.len(),
        );
        (block, text)
    }
}
