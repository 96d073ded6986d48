//! One target per parser that reads what strangers send, each through the whole app where the app has a way to it.
//!
//! Nothing may panic, and what a target's rule says must hold of every answer. The corpus in `corpus/` is replayed by the
//! ordinary tests; `npm run fuzz` looks for more, guided by coverage.
#![expect(clippy::panic, reason = "a broken rule must stop the fuzzer")]

mod app;
mod ports;

use app::App;
use m365_mcp::oauth::{params::Params, redirect_uri};
use m365_mcp::web::{Method, Request, Response};
use url::Url;

/// What is fuzzed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A client's assertion at `/token`.
    Assertion,
    /// `Authorization` at `/mcp`.
    Bearer,
    /// The query of `/callback`.
    Callback,
    /// `Cookie` with the consent form.
    Cookie,
    /// The document at a client's address.
    Document,
    /// A message from the gateway to the handler.
    Envelope,
    /// The form of `/token`, with an `Authorization` before its first line break.
    Form,
    /// The body of `/mcp`, from a caller who may look around.
    JsonRpc,
    /// An Access assertion.
    Jwt,
    /// A document that somebody attached or shared.
    Reader,
    /// A URI that a client wants to register and to be answered at.
    RedirectUri,
    /// The body of `/register`.
    Registration,
    /// The query of `/authorize`.
    Url,
}

impl Target {
    /// All, by name.
    pub const ALL: [Self; 13] = [
        Self::Assertion,
        Self::Bearer,
        Self::Callback,
        Self::Cookie,
        Self::Document,
        Self::Envelope,
        Self::Form,
        Self::JsonRpc,
        Self::Jwt,
        Self::Reader,
        Self::RedirectUri,
        Self::Registration,
        Self::Url,
    ];

    /// The name on the command line, and of the folder of its corpus.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Assertion => "assertion",
            Self::Bearer => "bearer",
            Self::Callback => "callback",
            Self::Cookie => "cookie",
            Self::Document => "document",
            Self::Envelope => "envelope",
            Self::Form => "form",
            Self::JsonRpc => "json-rpc",
            Self::Jwt => "jwt",
            Self::Reader => "reader",
            Self::RedirectUri => "redirect-uri",
            Self::Registration => "registration",
            Self::Url => "url",
        }
    }

    /// The target of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|target| target.name() == name)
    }

    /// Feeds one input.
    ///
    /// # Panics
    /// Where a rule does not hold of the answer.
    pub fn run(self, input: &[u8]) {
        // Headers and queries are text without line breaks by the time they reach the app.
        let text = String::from_utf8_lossy(input).replace(['\r', '\n', '\0'], "");
        match self {
            Self::Assertion => assertion(&text),
            Self::Bearer => bearer(&text),
            Self::Callback => callback(&text),
            Self::Cookie => cookie(&text),
            Self::Document => document(input),
            Self::Envelope => envelope(input),
            Self::Form => form(input),
            Self::JsonRpc => json_rpc(input),
            Self::Jwt => jwt(&text),
            Self::Reader => reader(input),
            Self::RedirectUri => redirect(&String::from_utf8_lossy(input)),
            Self::Registration => registration(input),
            Self::Url => authorize(&text),
        }
    }
}

fn request(method: Method, path: &str, headers: &[(&'static str, &str)], body: &[u8]) -> Request {
    Request {
        method,
        path: path.to_owned(),
        query: None,
        headers: headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect(),
        body: body.to_vec(),
    }
}

fn get(path: &str, query: &str) -> Request {
    Request { query: Some(query.to_owned()), ..request(Method::Get, path, &[], b"") }
}

/// What the edge would not be able to send, nobody may make us answer.
fn check_headers(response: &Response) {
    for (name, value) in &response.headers {
        assert!(!value.contains(['\r', '\n']), "{name} holds a line break");
    }
}

fn expect(response: &Response, statuses: &[u16]) {
    check_headers(response);
    assert!(statuses.contains(&response.status), "{} {}", response.status, response.body_text());
}

/// The signature holds whatever it is, so that the fuzzer reaches the claims; then there is no object that could say
/// whether the assertion is new.
fn assertion(text: &str) {
    let form = form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "refresh_token")
        .append_pair("refresh_token", "m365r.x.y.z")
        .append_pair("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
        .append_pair("client_assertion", text)
        .finish();
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    expect(&App::open().send(&request(Method::Post, "/token", &headers, form.as_bytes())), &[400, 401, 503]);
}

fn bearer(text: &str) {
    let headers = [("authorization", text), ("content-type", "application/json")];
    let ping = br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"getEmails"}}"#;
    let response = App::open().send(&request(Method::Post, "/mcp", &headers, ping));
    // No session and no genuine token: nobody gets further than the door.
    expect(&response, &[400, 401]);
}

fn callback(text: &str) {
    let response = App::open().send(&get("/callback", text));
    expect(&response, &[400, 403]);
    assert_eq!(response.header("location"), None, "no state of ours, no redirect");
}

fn cookie(text: &str) {
    let headers =
        [("cookie", text), ("content-type", "application/x-www-form-urlencoded"), ("sec-fetch-site", "same-origin")];
    let form = b"transaction=AAAAAAAAAAAAAAAAAAAAAA&decision=approve";
    expect(&App::open().send(&request(Method::Post, "/authorize", &headers, form)), &[403]);
    let response =
        App::open().send(&Request { headers: vec![("cookie", text.to_owned())], ..get("/authorize", app::GOOD_QUERY) });
    expect(&response, &[200]);
}

/// Only a document that names its own address and the redirect URI that is asked for leads to a consent page.
fn document(input: &[u8]) {
    let app = App::publishing(input);
    let response = app.send(&get("/authorize", app::DOCUMENT_QUERY));
    expect(&response, &[200, 400]);
    assert_eq!((app.calls(), response.header("location")), (1, None));
    if response.status == 200 {
        let said: serde_json::Value = serde_json::from_slice(input).unwrap_or_default();
        assert_eq!(said.get("client_id").and_then(|id| id.as_str()), Some(app::DOCUMENT));
        assert!(said.get("redirect_uris").is_some_and(|uris| uris.to_string().contains("https://client.example/cb")));
        assert!(said.get("client_secret").is_none_or(serde_json::Value::is_null));
    }
}

fn envelope(input: &[u8]) {
    let content = String::from_utf8_lossy(input);
    let chat = serde_json::json!({"messages": [{"role": "user", "content": content}]}).to_string();
    let headers = [("authorization", app::HANDLER_BEARER)];
    for body in [chat.as_bytes(), input] {
        let app = App::open();
        expect(&app.send(&request(Method::Post, "/graph-handler/v1/chat/completions", &headers, body)), &[400]);
        assert_eq!(app.calls(), 0, "nothing unsealed reaches Graph");
    }
}

fn form(input: &[u8]) {
    let (authorization, body) = match input.iter().position(|byte| *byte == b'\n') {
        Some(end) => (input.get(..end).unwrap_or_default(), input.get(end + 1..).unwrap_or_default()),
        None => (&b""[..], input),
    };
    let authorization = String::from_utf8_lossy(authorization).replace('\r', "");
    let mut headers = vec![("content-type", "application/x-www-form-urlencoded")];
    if !authorization.is_empty() {
        headers.push(("authorization", authorization.as_str()));
    }
    for path in ["/token", "/revoke"] {
        let response = App::open().send(&request(Method::Post, path, &headers, body));
        expect(&response, &[200, 400, 401, 413]);
        assert!(path == "/revoke" || response.status != 200, "no token for what nobody was given");
    }
    let params = Params::parse(body);
    let pairs: Vec<_> = form_urlencoded::parse(body).collect();
    let twice = |name: &str| pairs.iter().filter(|(key, _)| key == name).count() > 1;
    assert_eq!(params.repeated(), pairs.iter().any(|(name, _)| name != "resource" && twice(name)));
}

fn json_rpc(input: &[u8]) {
    let headers = [("authorization", "Bearer an-api-token"), ("content-type", "application/json")];
    let response = App::open().send(&request(Method::Post, "/mcp", &headers, input));
    expect(&response, &[200, 202, 400, 401, 404, 413]);
    let body = response.body_text();
    assert!(body.is_empty() || serde_json::from_str::<serde_json::Value>(&body).is_ok(), "{body}");
}

fn jwt(text: &str) {
    let app = App::guarded();
    let response = app.send(&request(Method::Get, "/", &[("cf-access-jwt-assertion", text)], b""));
    // The signature holds whatever it is, so that the fuzzer reaches the claims; only good ones let in.
    expect(&response, &[200, 403]);
}

/// What is accepted is what a browser takes it for, and a request never leads to another host than was registered.
fn redirect(text: &str) {
    let (registered, asked) = text.split_once('\n').unwrap_or((text, text));
    if redirect_uri::is_acceptable(registered, &[]) {
        let url = Url::parse(registered).unwrap_or_else(|error| panic!("{registered:?}: {error}"));
        assert!(url.username().is_empty() && url.password().is_none() && url.fragment().is_none(), "{registered:?}");
        let loopback = matches!(url.host_str(), Some("localhost" | "[::1]"))
            || url.host_str().is_some_and(|host| host.starts_with("127."));
        assert!(url.scheme() == "https" || url.scheme() == "http" && loopback, "{registered:?}");
        if redirect_uri::matches(registered, asked) {
            let other = Url::parse(asked).unwrap_or_else(|error| panic!("{asked:?}: {error}"));
            assert_eq!(
                (url.scheme(), url.host(), url.path(), url.query()),
                (other.scheme(), other.host(), other.path(), other.query())
            );
            assert!(url.scheme() == "http" || url.port() == other.port(), "{registered:?} {asked:?}");
        }
    }
}

/// In the Worker a panic would end the document alone; here it is a finding all the same.
fn reader(input: &[u8]) {
    if let Ok(document) = m365_reader::read(input, 10_000) {
        assert!(document.text.chars().count() <= 10_000);
    }
}

fn registration(input: &[u8]) {
    let response =
        App::open().send(&request(Method::Post, "/register", &[("content-type", "application/json")], input));
    expect(&response, &[201, 400, 413]);
}

fn authorize(text: &str) {
    let response = App::open().send(&get("/authorize", text));
    expect(&response, &[200, 302, 400]);
    if let Some(location) = response.header("location") {
        let url = Url::parse(location).unwrap_or_else(|error| panic!("{location}: {error}"));
        assert_eq!((url.scheme(), url.host_str(), url.path()), ("https", Some("client.example"), "/cb"), "{location}");
        assert_eq!(url.query_pairs().filter(|(name, _)| name == "iss").count(), 1, "{location}");
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::Target;

    #[test]
    fn every_input_of_the_corpus_keeps_every_rule() {
        for target in Target::ALL {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target.name());
            let inputs: Vec<_> = std::fs::read_dir(&folder).into_iter().flatten().flatten().collect();
            assert!(!inputs.is_empty(), "{} has no corpus", target.name());
            for input in inputs {
                target.run(&std::fs::read(input.path()).unwrap_or_default());
            }
        }
    }
}
