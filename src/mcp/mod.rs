//! The Model Context Protocol.

pub mod confirm;
