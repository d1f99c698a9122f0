//! Stories, each in a namespace of its own. All of them need a cluster: `e2e/run` starts one and runs them.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a story that fails says so by a panic"
)]

mod alone;
mod broken;
mod change;
mod chart;
mod crd_rules;
mod first_api;
mod gitops;
mod imported;
mod leaving;
mod load;
mod rollout;
mod rotation;
mod samples;
mod secrecy;
mod shop;
mod tokens;
