//! The reader of documents: the Wasm module `reader.wasm` (the crate `m365-reader`), one instance a document.
//!
//! The instance has a memory of its own, at most 64 MB, and no way out of it. A trap (a panic, a full memory, an
//! overflowing stack) is an exception here and ends that document; a trap of the Worker's own module would end every
//! object of the isolate. The runtime frees the memory once the instance is forgotten.

use wasm_bindgen::prelude::*;

use crate::extract::{self, Text, Unreadable};
use crate::ports::Documents;

// The exception ends here: let through, the call never ends. The build puts the import of `m365_reader` before the
// bundle (scripts/lib/worker.mjs): the bundler itself has no module of that kind.
#[wasm_bindgen(inline_js = r#"
export function read_document(bytes, most) {
  try {
    const { memory, reserve, read, text_at, text_length } = new WebAssembly.Instance(m365_reader).exports;
    const at = reserve(bytes.length);
    new Uint8Array(memory.buffer, at, bytes.length).set(bytes);
    const status = read(most);
    const length = text_length();
    const answer = new Uint8Array(1 + length);
    answer[0] = status;
    answer.set(new Uint8Array(memory.buffer, text_at(), length), 1);
    return answer;
  } catch {
    return Uint8Array.of(255);
  }
}
"#)]
extern "C" {
    /// The status, then the text.
    fn read_document(bytes: &[u8], most: u32) -> Vec<u8>;
}

/// The module beside the Worker's own.
pub(crate) struct IsolatedReader;

impl Documents for IsolatedReader {
    fn text(&self, bytes: &[u8]) -> Result<Text, Unreadable> {
        let mut answer = read_document(bytes, extract::LONGEST);
        let text = answer.split_off(answer.len().min(1));
        extract::outcome(answer.first().copied().unwrap_or(u8::MAX).into(), text)
    }
}
