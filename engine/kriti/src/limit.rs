//! The bounds of parsing and rendering. They are far above what a transform needs, and low enough that no template
//! can overflow the stack or fill the memory.

/// Longest template, in bytes.
pub const MAX_TEMPLATE_BYTES: usize = 1 << 20;

/// Deepest nesting of expressions: brackets, literals, blocks, calls. Parsing and rendering recurse this far.
pub const MAX_DEPTH: usize = 64;

/// Work one rendering may do, in bytes of JSON touched (each value counts [`VALUE_WORK`] and its text). It bounds
/// both the time of nested `range` loops and the size of the result.
pub const MAX_WORK: usize = 64 << 20;

/// Work counted for each value and each evaluated expression, besides the bytes of texts.
pub const VALUE_WORK: usize = 32;
