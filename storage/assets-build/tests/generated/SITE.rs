/// The contents of [`SITE`], one after the other.
static SITE_BYTES: [u8; 88] = *include_bytes!("SITE.bin");
/// Files baked into the image.
pub static SITE: ::morgana_assets::Assets = ::morgana_assets::Assets::new(&[
    ::morgana_assets::Asset { path: "/", content_type: "text/html; charset=utf-8", etag: "a68ffd2330a6f4ae33ba5fa0fa1ba606", modified_unix_seconds: None, body: SITE_BYTES.split_at(37).0.split_at(0).1 },
    ::morgana_assets::Asset { path: "/notes/", content_type: "text/html; charset=utf-8", etag: "4e96a06c6a5bd35e04b0f139162f7631", modified_unix_seconds: None, body: SITE_BYTES.split_at(74).0.split_at(37).1 },
    ::morgana_assets::Asset { path: "/robots.txt", content_type: "text/plain; charset=utf-8", etag: "ae4fe492ef1fedf1a454f788de4b7ea0", modified_unix_seconds: None, body: SITE_BYTES.split_at(88).0.split_at(74).1 },
]);
