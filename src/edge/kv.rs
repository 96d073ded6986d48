//! `OAUTH_KV`.
//!
//! Not the `worker` crate's own accessor: it looks up five methods and builds an object of options for each read, a
//! dozen crossings into JavaScript where one does.

use async_trait::async_trait;
use js_sys::{Array, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use worker::Env;

use crate::ports::{KV_PAGE, Kv, KvError, KvPage};

#[wasm_bindgen(inline_js = r#"
export async function kv_get(env, key) {
  const value = await env.OAUTH_KV.get(key, "arrayBuffer");
  return value === null ? undefined : new Uint8Array(value);
}
export async function kv_put(env, key, value, expirationTtl) {
  await env.OAUTH_KV.put(key, value, { expirationTtl });
}
export async function kv_delete(env, key) { await env.OAUTH_KV.delete(key); }
export async function kv_list(env, prefix, cursor, limit) {
  const page = await env.OAUTH_KV.list({ prefix, cursor, limit });
  return [page.list_complete ? undefined : page.cursor, ...page.keys.map(({ name }) => name)];
}
"#)]
extern "C" {
    /// The bytes, or undefined where there are none.
    #[wasm_bindgen(catch)]
    async fn kv_get(env: &Env, key: &str) -> Result<JsValue, JsValue>;

    /// Stores bytes.
    #[wasm_bindgen(catch)]
    async fn kv_put(env: &Env, key: &str, value: Uint8Array, ttl: Option<f64>) -> Result<JsValue, JsValue>;

    /// Removes the key.
    #[wasm_bindgen(catch)]
    async fn kv_delete(env: &Env, key: &str) -> Result<JsValue, JsValue>;

    /// The cursor of the next page, where there is one, and the keys of this one.
    #[wasm_bindgen(catch)]
    async fn kv_list(env: &Env, prefix: &str, cursor: Option<&str>, limit: usize) -> Result<JsValue, JsValue>;
}

/// The namespace.
pub(crate) struct WorkerKv(pub(crate) Env);

#[async_trait(?Send)]
impl Kv for WorkerKv {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, KvError> {
        let value = kv_get(&self.0, key).await.map_err(|error| meaning(&error))?;
        Ok(value.dyn_into::<Uint8Array>().ok().map(|bytes| bytes.to_vec()))
    }

    async fn put(&self, key: &str, value: &[u8], ttl: Option<u64>) -> Result<(), KvError> {
        #[expect(clippy::cast_precision_loss, reason = "JavaScript has no other numbers, and this one is small")]
        let ttl = ttl.map(|seconds| seconds.max(60) as f64);
        kv_put(&self.0, key, Uint8Array::from(value), ttl).await.map(drop).map_err(|error| meaning(&error))
    }

    async fn delete(&self, key: &str) -> Result<(), KvError> {
        kv_delete(&self.0, key).await.map(drop).map_err(|error| meaning(&error))
    }

    async fn list(&self, prefix: &str, cursor: Option<&str>) -> Result<KvPage, KvError> {
        let page = kv_list(&self.0, prefix, cursor, KV_PAGE).await.map_err(|error| meaning(&error))?;
        let page = Array::from(&page);
        let mut parts = page.iter().map(|part| part.as_string());
        let cursor = parts.next().flatten();
        Ok(KvPage { keys: parts.flatten().collect(), cursor })
    }
}

/// The platform tells a throttled operation from a failed one only in its message: `KV PUT failed: 429 Too Many Requests`.
fn meaning(error: &JsValue) -> KvError {
    let message = Reflect::get(error, &JsValue::from_str("message")).ok().and_then(|text| text.as_string());
    if message.is_some_and(|text| text.contains(" 429 ")) { KvError::Throttled } else { KvError::Unavailable }
}
