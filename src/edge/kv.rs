//! `OAUTH_KV`.

use async_trait::async_trait;
use js_sys::Reflect;
use wasm_bindgen::JsValue;
use worker::Env;
use worker::kv::{KvError as PlatformError, KvStore};

use crate::ports::{KV_PAGE, Kv, KvError, KvPage};

/// The namespace, looked up when it is first needed: most requests never touch it.
pub(crate) struct WorkerKv(pub(crate) Env);

impl WorkerKv {
    fn store(&self) -> Result<KvStore, KvError> {
        self.0.kv("OAUTH_KV").map_err(|_| KvError::Unavailable)
    }
}

#[async_trait(?Send)]
impl Kv for WorkerKv {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, KvError> {
        self.store()?.get(key).bytes().await.map_err(meaning)
    }

    async fn put(&self, key: &str, value: &[u8], ttl: Option<u64>) -> Result<(), KvError> {
        let put = self.store()?.put_bytes(key, value).map_err(meaning)?;
        let put = match ttl {
            Some(seconds) => put.expiration_ttl(seconds.max(60)),
            None => put,
        };
        put.execute().await.map_err(meaning)
    }

    async fn delete(&self, key: &str) -> Result<(), KvError> {
        self.store()?.delete(key).await.map_err(meaning)
    }

    async fn list(&self, prefix: &str, cursor: Option<&str>) -> Result<KvPage, KvError> {
        let list = self.store()?.list().prefix(prefix.to_owned()).limit(KV_PAGE as u64);
        let list = match cursor {
            Some(cursor) => list.cursor(cursor.to_owned()),
            None => list,
        };
        let page = list.execute().await.map_err(meaning)?;
        let keys = page.keys.into_iter().map(|key| key.name).collect();
        Ok(KvPage { keys, cursor: page.cursor.filter(|_| !page.list_complete) })
    }
}

/// The platform tells a throttled operation from a failed one only in its message: `KV PUT failed: 429 Too Many Requests`.
fn meaning(error: PlatformError) -> KvError {
    let message = Reflect::get(&error.into(), &JsValue::from_str("message")).ok().and_then(|text| text.as_string());
    if message.is_some_and(|text| text.contains(" 429 ")) { KvError::Throttled } else { KvError::Unavailable }
}
