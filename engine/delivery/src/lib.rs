//! What the operator hands to the engine, and what the engine reports back. Formats only: nothing here talks to a
//! cluster, opens a file or reads a clock.
//!
//! ```text
//! operator ──publish──> ConfigMaps (index, parts) ──assemble──> Set ──> engine
//!          ──────────── Secret: one key per variable ─────────────────>
//!          <─────────── Report, CheckAnswer on the admin port ─────────
//! ```
//!
//! A set that is torn (parts of two writes) or damaged (edited by hand) is not assembled, and a counter never goes
//! back: see [`Index::standing`].

mod assemble;
mod check;
mod index;
pub mod name;
mod object;
mod publish;
mod report;
pub mod secret;
mod set;

pub use assemble::{Damage, assemble};
pub use check::{CheckAnswer, CheckRequest};
pub use index::{Index, Mark, Standing};
pub use name::Half;
pub use object::{ObjectEntry, read_objects};
pub use publish::{Part, Publication, TooLarge, is_plausible, next_counter, publish};
pub use report::{ObjectProblem, RefusedSet, RefusedSetting, Report, SourceReport, SourceState};
pub use set::{Set, hash};

/// The paths of the admin port.
pub mod path {
    /// `GET`: a [`Report`](crate::Report). With `?after=REVISION&wait=SECONDS` it is answered when the revision is
    /// another one, or when the time is over.
    pub const GENERATION: &str = "/v1/generation";
    /// `GET`: the table of objects of the set that is served, as it was published (`objects.json`).
    pub const OBJECTS: &str = "/v1/generation/objects";
    /// `POST` a [`CheckRequest`](crate::CheckRequest), get a [`CheckAnswer`](crate::CheckAnswer). Nothing is switched.
    pub const CHECK: &str = "/v1/check";
    /// `PUT` `{"held": true}`: the pod goes on with what it serves and takes no new set until `{"held": false}`.
    pub const HOLD: &str = "/v1/hold";
}

/// The most seconds that a long poll waits.
pub const MOST_WAIT: u64 = 60;
