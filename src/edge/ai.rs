//! `env.AI.run`, called with the options that the `worker` crate's own binding does not take.

use async_trait::async_trait;
use js_sys::{JSON, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use worker::{Env, EnvBinding};

use crate::edge::fetch;
use crate::ports::{AiCall, AiGateway, OutboundResponse, UpstreamError};

#[wasm_bindgen]
extern "C" {
    /// Cloudflare's AI binding.
    #[wasm_bindgen(extends = js_sys::Object)]
    type Ai;

    #[wasm_bindgen(method, catch)]
    fn run(this: &Ai, model: &str, inputs: &JsValue, options: &JsValue) -> Result<Promise, JsValue>;
}

impl EnvBinding for Ai {
    const TYPE_NAME: &'static str = "Ai";
}

/// The `AI` binding.
pub(crate) struct WorkerAi(pub(crate) Env);

#[async_trait(?Send)]
impl AiGateway for WorkerAi {
    async fn run(&self, call: AiCall) -> Result<OutboundResponse, UpstreamError> {
        let ai = self.0.get_binding::<Ai>("AI").map_err(|_| UpstreamError::Unreachable)?;
        let abort = AbortOnDrop(web_sys::AbortController::new().map_err(|_| UpstreamError::Unreachable)?);
        let promise = start(&ai, &call, &abort.0.signal()).map_err(|_| UpstreamError::Unreachable)?;
        let exchange = async {
            let response = JsFuture::from(promise).await.map_err(|_| UpstreamError::Unreachable)?;
            let response: web_sys::Response = response.dyn_into().map_err(|_| UpstreamError::Unreachable)?;
            fetch::read(response).await
        };
        fetch::within(call.limit_ms, exchange, || abort.0.abort()).await
    }
}

/// Ends what is still under way when its call is dropped. After an answer it does nothing.
struct AbortOnDrop(web_sys::AbortController);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Plain JSON objects go in: a `Map` or `Headers` would serialise to nothing.
fn start(ai: &Ai, call: &AiCall, signal: &web_sys::AbortSignal) -> Result<Promise, JsValue> {
    let inputs = JSON::parse(&call.inputs)?;
    let options = JSON::parse(&call.options)?;
    Reflect::set(&options, &JsValue::from_str("signal"), signal)?;
    ai.run(&call.model, &inputs, &options)
}
