//! What stories on a real Kubernetes are told with: the cluster of `KUBECONFIG`, a namespace and a database per story,
//! waiting with a deadline, requests to pods and Services, and a table of figures.
//!
//! The tests of this crate need a cluster, so `cargo test` passes them over; `e2e/run` starts one and runs them. Nothing
//! here links the engine or the operator, but for the types of the kinds and the document's reader: both are driven from
//! outside, as a person would.

pub mod answer;
pub mod cluster;
pub mod database;
pub mod figure;
pub mod story;
pub mod wait;
