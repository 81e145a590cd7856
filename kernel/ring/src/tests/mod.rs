extern crate std;

mod hostile;
mod model;
mod rules;
