//! Sets through ConfigMaps and back: whole, in parts, torn and damaged.

mod sets;
