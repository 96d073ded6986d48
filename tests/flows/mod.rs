//! Whole flows through the native core, with fakes at the ports. Compiled into the crate's unit-test binary.

mod architecture;
