//! The reader of documents: a Wasm module of its own, one instance a document.

use crate::extract::{Text, Unreadable};
use crate::ports::Documents;

/// The module beside the Worker's own.
pub(crate) struct IsolatedReader;

impl Documents for IsolatedReader {
    fn text(&self, _bytes: &[u8]) -> Result<Text, Unreadable> {
        Err(Unreadable::NotText)
    }
}
