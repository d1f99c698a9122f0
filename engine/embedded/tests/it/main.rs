//! The crate against real servers.

// `cfg(test)` tells clippy that helpers in these files are test code too.
#[cfg(test)]
mod lifetime;
#[cfg(test)]
mod persistent;
#[cfg(test)]
mod shared;
mod wait;
