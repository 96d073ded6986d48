//! `OpenDocument`: texts and presentations as running text, tables as rows of cells.

use crate::Unreadable;
use crate::flow::{self, Dialect};
use crate::output::Output;
use crate::package::Package;

pub(crate) const MAIN: &str = "content.xml";

pub(crate) fn read(package: &mut Package<'_>, output: &mut Output) -> Result<(), Unreadable> {
    // An encrypted document is a package whose parts are noise; its manifest says so.
    let manifest = package.part("META-INF/manifest.xml")?.unwrap_or_default();
    if manifest.contains("encryption-data") {
        return Err(Unreadable::Encrypted);
    }
    flow::write(&package.needed(MAIN)?, &Dialect::default(), output)
}
