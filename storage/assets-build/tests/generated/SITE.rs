/// The contents of [`SITE`], their paths and tags, one after the other.
static SITE_BYTES: [u8; 378] = *include_bytes!("SITE.bin");
/// What is where in it.
static SITE_TABLE: [::morgana_assets::Asset; 4] = [
    ::morgana_assets::Asset { path: ::morgana_assets::text(SITE_BYTES.split_at(38).0.split_at(37).1), content_type: "text/html; charset=utf-8", etag: ::morgana_assets::text(SITE_BYTES.split_at(54).0.split_at(38).1), modified_unix_seconds: None, content: ::morgana_assets::Content::Plain(SITE_BYTES.split_at(37).0.split_at(0).1) },
    ::morgana_assets::Asset { path: ::morgana_assets::text(SITE_BYTES.split_at(261).0.split_at(252).1), content_type: "text/plain; charset=utf-8", etag: ::morgana_assets::text(SITE_BYTES.split_at(277).0.split_at(261).1), modified_unix_seconds: None, content: ::morgana_assets::Content::Packed(::morgana_assets::Packed { length: 2019, gzip: ::morgana_assets::Encoded { etag: ::morgana_assets::text(SITE_BYTES.split_at(252).0.split_at(233).1), bytes: SITE_BYTES.split_at(233).0.split_at(54).1 }, brotli: None }) },
    ::morgana_assets::Asset { path: ::morgana_assets::text(SITE_BYTES.split_at(321).0.split_at(314).1), content_type: "text/html; charset=utf-8", etag: ::morgana_assets::text(SITE_BYTES.split_at(337).0.split_at(321).1), modified_unix_seconds: None, content: ::morgana_assets::Content::Plain(SITE_BYTES.split_at(314).0.split_at(277).1) },
    ::morgana_assets::Asset { path: ::morgana_assets::text(SITE_BYTES.split_at(362).0.split_at(351).1), content_type: "text/plain; charset=utf-8", etag: ::morgana_assets::text(SITE_BYTES.split_at(378).0.split_at(362).1), modified_unix_seconds: None, content: ::morgana_assets::Content::Plain(SITE_BYTES.split_at(351).0.split_at(337).1) },
];
/// Files baked into the image.
pub static SITE: ::morgana_assets::Assets = ::morgana_assets::Assets::new(&SITE_TABLE);
