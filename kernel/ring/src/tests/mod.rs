extern crate std;

mod byte_stream;
mod hostile;
mod model;
mod rules;
