#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod build;
mod catalogue;
mod escape;
mod highlight;
mod links;
mod markdown;
mod problem;
mod slug;
mod source;
mod style;
mod template;

pub use build::build;
pub use problem::Problem;
