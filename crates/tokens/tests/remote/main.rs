//! Counting by asking a provider, against a real HTTP server on this machine.

#[cfg(test)]
mod blocking;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod forms;
#[cfg(test)]
mod server;
