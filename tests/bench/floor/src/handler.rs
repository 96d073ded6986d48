//! The far end of the gateway's route: key, envelope, one `fetch` of Graph, completion.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::json;
use worker::{Env, Error, Fetch, Headers, Method, Request, RequestInit, Response, Result};

#[derive(Deserialize)]
struct Chat {
    messages: Vec<Message>,
}

#[derive(Deserialize)]
struct Message {
    content: String,
}

#[derive(Deserialize)]
struct Envelope {
    method: String,
    path: String,
    headers: EnvelopeHeaders,
}

#[derive(Deserialize)]
struct EnvelopeHeaders {
    authorization: String,
    accept: String,
}

/// Answers one `chat.completion` with what Graph answered.
pub(crate) async fn answer(mut request: Request, env: &Env) -> Result<Response> {
    let expected = format!("Bearer {}", env.var("GRAPH_HANDLER_KEY")?);
    if request.headers().get("authorization")? != Some(expected) {
        return Response::error("unauthorized", 401);
    }
    let chat: Chat = serde_json::from_slice(&request.bytes().await?)?;
    let message = chat.messages.first().ok_or_else(|| Error::from("no message"))?;
    let mut graph = ask_graph(serde_json::from_str(&message.content)?).await?;
    let content = json!({
        "status": graph.status_code(),
        "headers": {"content-type": graph.headers().get("content-type")?},
        "bodyBase64": STANDARD.encode(graph.bytes().await?),
    });
    let completion = json!({
        "id": "chatcmpl-floor",
        "object": "chat.completion",
        "created": 0,
        "model": "microsoft-graph",
        "choices": [{
            "index": 0,
            "message": {"role": "assistant", "content": content.to_string()},
            "finish_reason": "stop",
        }],
    });
    crate::json(completion.to_string().into_bytes())
}

async fn ask_graph(envelope: Envelope) -> Result<Response> {
    let headers = Headers::new();
    headers.set("authorization", &envelope.headers.authorization)?;
    headers.set("accept", &envelope.headers.accept)?;
    let mut init = RequestInit::new();
    init.with_method(Method::from(envelope.method)).with_headers(headers);
    let url = format!("https://graph.microsoft.com{}", envelope.path);
    Fetch::Request(Request::new_with_init(&url, &init)?).send().await
}
