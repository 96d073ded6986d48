//! The check against DNS rebinding: which `Host` and `Origin` may speak to this deployment.
//!
//! A loopback deployment takes loopback names only, because any page in the developer's browser can reach it. A public
//! one takes requests without an `Origin` (every client that is no browser), from https pages, and from http pages on
//! loopback (Inspector); its `Host` was already matched by Cloudflare's routing. Browsers always send `Host`, so its
//! absence is no attack.

use url::Url;

use crate::config::PublicUrl;
use crate::web::{Request, Response};

/// Refuses with 403 what comes under a wrong name.
pub(super) fn check(public_url: &PublicUrl, request: &Request) -> Result<(), Response> {
    let host_fits = !public_url.is_loopback || request.header("host").is_none_or(is_loopback_host);
    let origin_fits = request.header("origin").is_none_or(|origin| allows(public_url, origin));
    if host_fits && origin_fits { Ok(()) } else { Err(Response::text(403, "this origin may not use this server\n")) }
}

fn allows(public_url: &PublicUrl, origin: &str) -> bool {
    let Ok(origin) = Url::parse(origin) else { return false };
    match origin.scheme() {
        "https" => !public_url.is_loopback || is_loopback(&origin),
        "http" => is_loopback(&origin),
        _ => false,
    }
}

fn is_loopback_host(host: &str) -> bool {
    Url::parse(&format!("http://{host}")).is_ok_and(|url| is_loopback(&url))
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::Method;

    fn passes(is_loopback: bool, headers: &[(&'static str, &str)]) -> bool {
        let public_url = PublicUrl { origin: String::new(), is_loopback };
        let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        let request = Request { method: Method::Post, path: "/mcp".into(), query: None, headers, body: Vec::new() };
        check(&public_url, &request).is_ok()
    }

    #[test]
    fn a_loopback_deployment_takes_loopback_names_only() {
        for host in ["localhost:8787", "127.0.0.1:8787", "[::1]:8787", "LOCALHOST"] {
            assert!(passes(true, &[("host", host)]), "{host}");
        }
        for host in ["evil.example", "localhost.evil.example", "localhost@evil.example", "", "localhost:x"] {
            assert!(!passes(true, &[("host", host)]), "{host}");
        }
        assert!(passes(true, &[("origin", "http://localhost:6274")]));
        for origin in ["https://evil.example", "http://evil.example", "null", "http://localhost.evil.example"] {
            assert!(!passes(true, &[("host", "localhost"), ("origin", origin)]), "{origin}");
        }
    }

    #[test]
    fn a_public_deployment_takes_no_plain_http_page() {
        for origin in ["https://client.example", "http://localhost:6274", "http://127.0.0.1:1"] {
            assert!(passes(false, &[("host", "mcp.contoso.example"), ("origin", origin)]), "{origin}");
        }
        for origin in ["http://client.example", "null", "file:///x", "https://"] {
            assert!(!passes(false, &[("origin", origin)]), "{origin}");
        }
        assert!(passes(false, &[]));
    }
}
