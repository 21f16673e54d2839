//! The thin shell: performs one effect, reports events, decides nothing.

pub mod control;
pub mod lock;
pub mod store;
