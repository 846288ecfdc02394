//! A writing process is killed at random moments, and its file is looked at.

mod child;
mod parent;

pub(super) use child::run as write;
pub(super) use parent::run;
