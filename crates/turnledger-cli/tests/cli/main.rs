//! The program as a process: what it prints, where, and how it exits.

#[cfg(test)]
mod append;
#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod config;
#[cfg(test)]
mod conversations;
#[cfg(test)]
mod count;
#[cfg(test)]
mod doctor;
#[cfg(test)]
mod endings;
#[cfg(test)]
mod formats;
#[cfg(test)]
mod interrupts;
#[cfg(test)]
mod pipes;
#[cfg(test)]
mod progress;
#[cfg(test)]
mod redis;
#[cfg(test)]
mod repeats;
#[cfg(test)]
mod replay;
#[cfg(test)]
mod stores;
#[cfg(test)]
mod support;
#[cfg(test)]
mod usage;
