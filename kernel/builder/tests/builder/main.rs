//! The builder, on a machine that is made up.

mod building;
mod images;
mod support;
