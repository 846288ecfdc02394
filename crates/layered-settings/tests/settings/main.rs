//! The crate as a program uses it: layers, files and secrets together.

#[cfg(test)]
mod common;
#[cfg(test)]
mod files;
#[cfg(test)]
mod layers;
#[cfg(test)]
mod secrets;
