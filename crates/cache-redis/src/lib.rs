//! A Redis pool that means what its settings say.
