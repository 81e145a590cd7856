extern crate std;

use crate::RingError;

mod byte_stream;
mod hostile;
mod model;
mod rules;

/// How many steps a property tries, `most` at the most: Miri tries fewer.
pub(crate) const fn steps(most: usize) -> usize {
    if cfg!(miri) { most / 20 } else { most }
}

/// Takes entries out as long as there are some, `most` at the most, and counts them.
fn take<T>(
    most: u32,
    taken: &mut u32,
    mut pop: impl FnMut() -> Result<Option<T>, RingError>,
) -> Result<(), RingError> {
    for _ in 0..most {
        if pop()?.is_none() {
            break;
        }
        *taken += 1;
    }
    Ok(())
}
