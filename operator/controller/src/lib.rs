//! The program `rowlock-operator`: custom resources in, running engines and honest statuses out.
//!
//! ```text
//! watch ──▶ world ──one debounced signal per engine──▶ worker
//!                                                        │ compile, check (a ready pod), render: pure but for the check
//!                                                        ▼
//!                                         apply (server-side, only what changed)
//!                                                        │
//! pods ──long poll──▶ what each pod serves ──▶ deliver ──▶ report (statuses, only what changed)
//! ```
//!
//! Only `watch`, `apply`, `report`, `secrets`, `lease` and `worker` hold a client. Nothing here knows what a metadata
//! key means; that is the business of `compile`. The operator is never in the way of a request: without it everything
//! that runs goes on.

pub mod admin;
pub mod apply;
pub mod attempt;
pub mod children;
pub mod deliver;
pub mod denial;
pub mod dispute;
pub mod environment;
pub mod event;
pub mod follow;
pub mod lead;
pub mod lease;
pub mod observe;
pub mod pod;
pub mod probe;
pub mod render;
pub mod report;
pub mod resource;
pub mod retry;
pub mod run;
pub mod secrets;
pub mod settings;
pub mod signal;
pub mod supervise;
pub mod verdicts;
pub mod watch;
pub mod worker;
pub mod world;
