//! The program from outside.

// `cfg(test)` tells clippy that helpers in these files are test code too.
#[cfg(test)]
mod dev;
