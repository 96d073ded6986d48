//! One `env.AI.run` with the product's shape of inputs and options, and the Graph answer out of its completion.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use js_sys::{JSON, Promise};
use serde::Deserialize;
use serde_json::{Value, json};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use worker::{Env, EnvBinding, Error, Request, Response, Result};

const MODEL: &str = "dynamic/microsoft-graph-handler";

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(extends = js_sys::Object)]
    type Ai;

    #[wasm_bindgen(method, catch)]
    fn run(this: &Ai, model: &str, inputs: &JsValue, options: &JsValue) -> std::result::Result<Promise, JsValue>;
}

impl EnvBinding for Ai {
    const TYPE_NAME: &'static str = "Ai";
}

#[derive(Deserialize)]
struct Completion {
    choices: Vec<Choice>,
}

#[derive(Deserialize)]
struct Choice {
    message: Message,
}

#[derive(Deserialize)]
struct Message {
    content: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    body_base64: String,
}

/// Asks Graph for the path in the body with the token of the request; answers Graph's body.
pub(crate) async fn run(mut request: Request, env: &Env) -> Result<Response> {
    let authorization = request.headers().get("authorization")?.unwrap_or_default();
    let path = request.text().await?;
    let promise = env.get_binding::<Ai>("AI")?.run(
        MODEL,
        &JSON::parse(&inputs(&path, &authorization).to_string())?,
        &JSON::parse(&options().to_string())?,
    )?;
    let raw: web_sys::Response = JsFuture::from(promise).await?.dyn_into()?;
    let completion: Completion = serde_json::from_slice(&worker::Response::from(raw).bytes().await?)?;
    let first = completion.choices.first().ok_or_else(|| Error::from("no choice in the completion"))?;
    let answer: Answer = serde_json::from_str(&first.message.content)?;
    crate::json(STANDARD.decode(answer.body_base64).map_err(|error| Error::from(error.to_string()))?)
}

fn inputs(path: &str, authorization: &str) -> Value {
    let headers = json!({"authorization": authorization, "accept": "application/json"});
    let envelope = json!({"v": 1, "requestId": "floor", "method": "GET", "path": path, "headers": headers});
    json!({
        "method": "GET",
        "path": path,
        "headers": headers,
        "messages": [{"role": "user", "content": envelope.to_string()}],
        "stream": false,
    })
}

fn options() -> Value {
    json!({
        "gateway": {
            "id": "m365-egress-gateway",
            "skipCache": true,
            "collectLog": true,
            "retries": {"maxAttempts": 1},
            "requestTimeoutMs": 25_000,
            "metadata": {
                "userId": "floor",
                "mcpTool": "getEmails",
                "requestId": "floor",
                "userEmail": "floor@contoso.example",
            },
        },
        "returnRawResponse": true,
        "extraHeaders": {"cf-aig-collect-log-payload": "false"},
    })
}
