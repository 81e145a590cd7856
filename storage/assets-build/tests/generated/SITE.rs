/// The contents of [`SITE`], one after the other.
static SITE_BYTES: [u8; 267] = *include_bytes!("SITE.bin");
/// Files baked into the image.
pub static SITE: ::morgana_assets::Assets = ::morgana_assets::Assets::new(&[
    ::morgana_assets::Asset { path: "/", content_type: "text/html; charset=utf-8", etag: "b8327556b655c05e", modified_unix_seconds: None, content: ::morgana_assets::Content::Plain(SITE_BYTES.split_at(37).0.split_at(0).1) },
    ::morgana_assets::Asset { path: "/long.txt", content_type: "text/plain; charset=utf-8", etag: "a76ec1af3949eb93", modified_unix_seconds: None, content: ::morgana_assets::Content::Packed(::morgana_assets::Packed { length: 2019, gzip: ::morgana_assets::Encoded { etag: "a76ec1af3949eb93-gz", bytes: SITE_BYTES.split_at(216).0.split_at(37).1 }, brotli: None }) },
    ::morgana_assets::Asset { path: "/notes/", content_type: "text/html; charset=utf-8", etag: "f4778eb94def1471", modified_unix_seconds: None, content: ::morgana_assets::Content::Plain(SITE_BYTES.split_at(253).0.split_at(216).1) },
    ::morgana_assets::Asset { path: "/robots.txt", content_type: "text/plain; charset=utf-8", etag: "900543cde00f18d0", modified_unix_seconds: None, content: ::morgana_assets::Content::Plain(SITE_BYTES.split_at(267).0.split_at(253).1) },
]);
