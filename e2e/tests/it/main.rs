//! Stories, each in a namespace of its own. All of them need a cluster: `e2e/run` starts one and runs them.

mod crd_rules;
