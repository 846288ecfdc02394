//! A simulated disk that loses power, fails, or is overwritten, and the stores on it.

mod corruption;
mod damage;
mod disk;
mod faults;
mod image;
mod losses;

pub(super) use faults::run as run_faults;
pub(super) use losses::run as run_losses;

pub(super) use disk::Disk;
