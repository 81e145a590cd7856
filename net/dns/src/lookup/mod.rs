//! From a question to the sections of its answer (RFC 1034 section 4.3.2, RFC 4592, RFC 4035 section 3.1, RFC 5155 section 7.2).

mod additional;
mod answer;
mod denial;
mod nsec3;

pub(crate) use answer::{Asked, resolve};
