#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod checks;
mod date;
mod document;
mod escape;
mod feed;
mod front_matter;
mod highlight;
mod links;
mod markdown;
mod minimise;
mod page;
mod problem;
mod render;
mod search;
mod settings;
mod site;
mod sitemap;
mod slug;
mod sources;
mod tags;
mod templates;
mod theme;
mod values;

pub use date::Date;
pub use document::{Document, Kind, Plain, Standing};
pub use markdown::{Article, Heading, Untagged};
pub use minijinja::context;
pub use minijinja::value::Value;
pub use page::{Page, Post};
pub use problem::{Fault, Problem};
pub use settings::{BadBaseUrl, BaseUrl, Drafts, Settings};
pub use site::Site;
pub use sources::Sources;
pub use theme::Theme;
