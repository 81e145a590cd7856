extern crate std;

mod byte_stream;
mod hostile;
mod model;
mod rules;

/// How many steps a property tries, `most` at the most: Miri tries fewer.
pub(crate) const fn steps(most: usize) -> usize {
    if cfg!(miri) { most / 20 } else { most }
}
