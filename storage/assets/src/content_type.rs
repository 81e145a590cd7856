//! Media types by file name.

/// The media type of a file, by the end of its name; `None` for a name that is not known.
pub fn content_type(path: &str) -> Option<&'static str> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let Some((_, extension)) = name.rsplit_once('.') else {
        return (name.is_empty()).then_some(HTML);
    };
    Some(match extension {
        "html" => HTML,
        "css" => "text/css; charset=utf-8",
        "txt" | "md" => "text/plain; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "json" => "application/json",
        "xml" => "application/xml",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "wasm" => "application/wasm",
        "pdf" => "application/pdf",
        _ => return None,
    })
}

const HTML: &str = "text/html; charset=utf-8";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_extension() {
        assert_eq!(content_type("/"), Some(HTML));
        assert_eq!(content_type("/docs/"), Some(HTML));
        assert_eq!(content_type("/a.b/404.html"), Some(HTML));
        assert_eq!(content_type("/icon.svg"), Some("image/svg+xml"));
        assert_eq!(content_type("/a.b/LICENSE"), None);
        assert_eq!(content_type("/archive.xyz"), None);
    }
}
