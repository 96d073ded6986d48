//! Cloudflare's rate limiting bindings, one a rate.
//!
//! Not the `worker` crate's own accessor: it compares the name of the binding's class, which no document promises.

use async_trait::async_trait;
use js_sys::Reflect;
use wasm_bindgen::prelude::*;
use worker::Env;

use crate::edge::fetch;
use crate::ports::{Limit, RateLimiter, RateLimiterError, UpstreamError};

/// The limiter answers from the same machine, mostly from memory; nobody waits longer for it.
const LIMIT_MS: u64 = 1_000;

#[wasm_bindgen(inline_js = r#"
export async function within_limit(limiter, key) { return (await limiter.limit({ key })).success; }
"#)]
extern "C" {
    /// Counts one more for this key.
    #[wasm_bindgen(catch)]
    async fn within_limit(limiter: &JsValue, key: &str) -> Result<JsValue, JsValue>;
}

/// The bindings that this deployment has.
pub(crate) struct WorkerRateLimiter(pub(crate) Env);

#[async_trait(?Send)]
impl RateLimiter for WorkerRateLimiter {
    async fn allow(&self, limit: Limit, key: &str) -> Result<bool, RateLimiterError> {
        let limiter = Reflect::get(&self.0, &JsValue::from_str(limit.binding())).map_err(|_| RateLimiterError)?;
        if limiter.is_undefined() {
            return Ok(true);
        }
        let asked = async {
            let answer = within_limit(&limiter, key).await.map_err(|_| UpstreamError::Unreachable)?;
            answer.as_bool().ok_or(UpstreamError::Unreachable)
        };
        fetch::within(LIMIT_MS, asked, || ()).await.map_err(|_| RateLimiterError)
    }
}
