/// The contents of [`SITE`], one after the other.
static SITE_BYTES: [u8; 88] = *include_bytes!("SITE.bin");
/// Files baked into the image.
pub static SITE: ::morgana_assets::Assets = ::morgana_assets::Assets::new(&[
    ::morgana_assets::Asset { path: "/", content_type: "text/html; charset=utf-8", etag: "b8327556b655c05e", modified_unix_seconds: None, body: SITE_BYTES.split_at(37).0.split_at(0).1 },
    ::morgana_assets::Asset { path: "/notes/", content_type: "text/html; charset=utf-8", etag: "f4778eb94def1471", modified_unix_seconds: None, body: SITE_BYTES.split_at(74).0.split_at(37).1 },
    ::morgana_assets::Asset { path: "/robots.txt", content_type: "text/plain; charset=utf-8", etag: "900543cde00f18d0", modified_unix_seconds: None, body: SITE_BYTES.split_at(88).0.split_at(74).1 },
]);
