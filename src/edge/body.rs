//! Bodies of unknown length, read to their end or to a limit.
//!
//! The loops over chunks are JavaScript's: in Rust each chunk would cost a promise, a wake-up and several crossings, and
//! most answers of the gateway and of Graph come without a length.

use js_sys::Uint8Array;
use wasm_bindgen::prelude::*;
use web_sys::ReadableStream;

#[wasm_bindgen(inline_js = r#"
export async function collect(stream, most) {
  const reader = stream.getReader(), chunks = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    chunks.push(value);
    length += value.byteLength;
    if (length > most) {
      reader.releaseLock();
      return undefined;
    }
  }
  if (chunks.length === 1) return chunks[0];
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
}
export async function discard(stream, most) {
  try {
    const reader = stream.getReader();
    for (let taken = 0; taken <= most; ) {
      const { done, value } = await reader.read();
      if (done) return;
      taken += value.byteLength;
    }
  } catch {
    // The client is gone.
  }
}
"#)]
extern "C" {
    #[wasm_bindgen(catch, js_name = collect)]
    async fn collect_js(stream: &ReadableStream, most: usize) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_name = discard)]
    async fn discard_js(stream: &ReadableStream, most: usize);
}

/// The whole body, or `None` as soon as it is longer than `most`.
pub(crate) async fn collect(stream: &ReadableStream, most: usize) -> Result<Option<Vec<u8>>, JsValue> {
    let bytes = collect_js(stream, most).await?;
    Ok(bytes.dyn_ref::<Uint8Array>().map(Uint8Array::to_vec))
}

/// Takes what comes and drops it, until its end or until it was more than `most`.
pub(crate) async fn discard(stream: &ReadableStream, most: usize) {
    discard_js(stream, most).await;
}
