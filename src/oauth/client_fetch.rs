//! Fetches what clients publish, documents and key sets, and keeps it as long as its publisher allows.
//!
//! The address is a stranger's choice (server-side request forgery): nothing is fetched unless the platform sends every
//! request by the public way in of its host; no redirect is followed, one status counts, five KiB are read, ten seconds
//! waited. `cimd:{SHA-256 of the address}` holds the body; what is refused is never kept, and what is kept is judged anew
//! each time it is read.

use serde::{Deserialize, Serialize};

use crate::crypto::Digest;
use crate::exchange::Exchange;
use crate::jose::ClientKeys;
use crate::json;
use crate::ports::{OutboundRequest, OutboundResponse, UpstreamError};

use super::client::Client;
use super::client_document::{self, DocumentError, MAX_BYTES};

const LIMIT_MS: u64 = 10_000;

/// Keys of RSA with their certificates are longer than a document.
const MAX_KEY_SET_BYTES: usize = 16 * 1024;

/// For an answer that says nothing of its age.
const DEFAULT_SECONDS: u64 = 3600;

/// However long the publisher allows: a key or an address that was withdrawn must not live on.
const MAX_SECONDS: u64 = 7 * 24 * 3600;

/// KV takes no shorter time; the entry says itself when it is over.
const KV_SECONDS: u64 = 60;

/// A key that rotates is looked for again, but not for everybody who makes one up.
const REFETCH_SECONDS: u64 = 60;

#[derive(Serialize, Deserialize)]
struct Entry {
    fetched_at: u64,
    expires_at: u64,
    body: String,
}

/// The client whose document is at this address.
pub async fn client(exchange: &Exchange, address: &str) -> Result<Client, DocumentError> {
    let (schemes, now) = (&exchange.config.redirect_schemes, exchange.context.now);
    let wanted = Wanted { address, largest: MAX_BYTES, oldest: 0 };
    published(exchange, &wanted, |body| client_document::parse(address, body, schemes, now)).await
}

/// The keys at this address; `renewed` passes by what was kept more than a minute ago.
pub async fn keys(exchange: &Exchange, address: &str, renewed: bool) -> Result<ClientKeys, DocumentError> {
    let oldest = if renewed { exchange.context.now.saturating_sub(REFETCH_SECONDS) } else { 0 };
    let wanted = Wanted { address, largest: MAX_KEY_SET_BYTES, oldest };
    published(exchange, &wanted, client_document::parse_keys).await
}

/// What is to be found.
struct Wanted<'a> {
    address: &'a str,
    /// In bytes.
    largest: usize,
    /// Unix seconds; what was fetched before is not good enough.
    oldest: u64,
}

/// What is wanted, kept or fetched, as `parse` reads it.
async fn published<T>(
    exchange: &Exchange,
    wanted: &Wanted<'_>,
    parse: impl Fn(&[u8]) -> Result<T, DocumentError>,
) -> Result<T, DocumentError> {
    if !exchange.ports.upstream.is_strictly_public() {
        return Err(DocumentError::Off);
    }
    let key = format!("cimd:{}", Digest::of(wanted.address.as_bytes()));
    let now = exchange.context.now;
    // KV only saves a fetch, so what it cannot answer is fetched.
    let kept = exchange.ports.kv.get(&key).await.ok().flatten();
    let kept = kept.and_then(|bytes| json::read::<Entry>(&bytes).ok());
    let kept = kept.filter(|entry| (wanted.oldest..=now).contains(&entry.fetched_at) && now < entry.expires_at);
    if let Some(value) = kept.and_then(|entry| parse(entry.body.as_bytes()).ok()) {
        return Ok(value);
    }
    let answer = fetch(exchange, wanted).await?;
    let value = parse(&answer.body)?;
    let seconds = fresh_seconds(&answer);
    if let (true, Ok(body)) = (seconds > 0, String::from_utf8(answer.body)) {
        let entry = Entry { fetched_at: now, expires_at: now.saturating_add(seconds), body };
        if let Ok(bytes) = serde_json::to_vec(&entry) {
            let _ = exchange.ports.kv.put(&key, &bytes, Some(seconds.max(KV_SECONDS))).await;
        }
    }
    Ok(value)
}

async fn fetch(exchange: &Exchange, wanted: &Wanted<'_>) -> Result<OutboundResponse, DocumentError> {
    let request = OutboundRequest {
        method: "GET".to_owned(),
        url: wanted.address.to_owned(),
        headers: vec![("accept".to_owned(), "application/json".to_owned())],
        body: None,
        max_answer: Some(wanted.largest),
    };
    let answer = exchange.ports.upstream.send(request, LIMIT_MS).await.map_err(|error| match error {
        UpstreamError::Timeout => DocumentError::TooSlow,
        UpstreamError::Unreachable => DocumentError::Unreachable,
        UpstreamError::TooLarge => DocumentError::TooLarge,
    })?;
    if answer.status != 200 {
        return Err(DocumentError::Status);
    }
    if is_json(answer.header("content-type")) { Ok(answer) } else { Err(DocumentError::MediaType) }
}

/// `application/json`, or a type that says it is JSON (RFC 6839).
fn is_json(content_type: Option<&str>) -> bool {
    let essence =
        content_type.and_then(|value| value.split(';').next()).unwrap_or_default().trim().to_ascii_lowercase();
    let subtype = essence.strip_prefix("application/").unwrap_or_default();
    subtype == "json" || subtype.ends_with("+json")
}

/// How long the answer may be kept (RFC 9111 sections 4.2 and 5.2); zero for not at all.
fn fresh_seconds(answer: &OutboundResponse) -> u64 {
    let directives = answer.header("cache-control").unwrap_or_default().to_ascii_lowercase();
    let directives: Vec<&str> = directives.split(',').map(str::trim).collect();
    let forbids = |text: &&str| {
        let name = text.split('=').next().unwrap_or_default();
        matches!(name, "no-store" | "no-cache" | "private")
    };
    if directives.iter().any(forbids) {
        return 0;
    }
    let value = |name: &str| {
        let found = directives.iter().find_map(|text| text.strip_prefix(name)?.strip_prefix('='))?;
        // An age that cannot be read is no age (RFC 9111 section 4.2.1).
        Some(found.trim_matches('"').parse().unwrap_or(0))
    };
    let lifetime: u64 = value("s-maxage").or_else(|| value("max-age")).unwrap_or(DEFAULT_SECONDS);
    let age: u64 = answer.header("age").and_then(|age| age.trim().parse().ok()).unwrap_or(0);
    lifetime.saturating_sub(age).min(MAX_SECONDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_kept_as_long_as_its_publisher_allows() {
        for (headers, expected) in [
            (vec![], DEFAULT_SECONDS),
            (vec![("cache-control", "max-age=120")], 120),
            (vec![("cache-control", "Public, Max-Age=120")], 120),
            (vec![("cache-control", "max-age=\"120\"")], 120),
            (vec![("cache-control", "max-age=60, s-maxage=600")], 600),
            (vec![("cache-control", "max-age=600"), ("age", "500")], 100),
            (vec![("cache-control", "max-age=600"), ("age", "900")], 0),
            (vec![("cache-control", "max-age=99999999")], MAX_SECONDS),
            (vec![("cache-control", "max-age=0")], 0),
            (vec![("cache-control", "max-age=soon")], 0),
            (vec![("cache-control", "max-age=-1")], 0),
            (vec![("cache-control", "no-store")], 0),
            (vec![("cache-control", "max-age=600, NO-STORE")], 0),
            (vec![("cache-control", "no-cache")], 0),
            (vec![("cache-control", "private, max-age=600")], 0),
        ] {
            let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            let answer = OutboundResponse { headers: headers.collect(), ..OutboundResponse::default() };
            assert_eq!(fresh_seconds(&answer), expected, "{:?}", answer.headers);
        }
    }

    #[test]
    fn only_json_is_json() {
        for good in ["application/json", "Application/JSON; charset=utf-8", "application/client-metadata+json"] {
            assert!(is_json(Some(good)), "{good}");
        }
        for bad in ["text/html", "text/json", "application/jsonp", "json", "", "application/javascript"] {
            assert!(!is_json(Some(bad)), "{bad}");
        }
        assert!(!is_json(None));
    }
}
