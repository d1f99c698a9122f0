//! The one lowering of predicates: the client's `where` and a permission's stored expression become the same
//! [`Filter`](crate::ir::Filter) through the same operators.
//!
//! They differ where Hasura's do: a client's filter sees related rows as the role may, redacted columns as the
//! role sees them, and takes no nulls; a stored one sees everything, `_eq` and `_neq` treat null as a value.

mod client;
mod operand;
mod operator;
mod stored;

pub(crate) use operand::{Given, Subject};
pub(crate) use stored::{display, in_call_order, qualified};
