#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod build;
mod catalogue;
mod figures;
mod source;
#[cfg(test)]
mod tests;
mod theme;

pub use build::build;
pub use morgana_site::Problem;
