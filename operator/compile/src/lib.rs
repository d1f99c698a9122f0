//! Custom resources to the metadata document and back.
