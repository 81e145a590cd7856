#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod corpus;
mod dictionary;
mod mutation;

pub use corpus::Corpus;
