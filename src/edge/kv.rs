//! `OAUTH_KV`.

use async_trait::async_trait;
use worker::Env;
use worker::kv::KvStore;

use crate::ports::{Kv, KvError};

/// The namespace, looked up when it is first needed: most requests never touch it.
pub(crate) struct WorkerKv(pub(crate) Env);

impl WorkerKv {
    fn store(&self) -> Result<KvStore, KvError> {
        self.0.kv("OAUTH_KV").map_err(|_| KvError)
    }
}

#[async_trait(?Send)]
impl Kv for WorkerKv {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, KvError> {
        self.store()?.get(key).bytes().await.map_err(|_| KvError)
    }

    async fn put(&self, key: &str, value: &[u8], ttl: Option<u64>) -> Result<(), KvError> {
        let put = self.store()?.put_bytes(key, value).map_err(|_| KvError)?;
        let put = match ttl {
            Some(seconds) => put.expiration_ttl(seconds.max(60)),
            None => put,
        };
        put.execute().await.map_err(|_| KvError)
    }

    async fn delete(&self, key: &str) -> Result<(), KvError> {
        self.store()?.delete(key).await.map_err(|_| KvError)
    }
}
