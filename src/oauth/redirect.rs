//! The authorization response (RFC 6749 section 4.1.2, RFC 9207): back to the client's redirect URI, whose own query
//! stays, with `iss` exactly once and the client's `state` unchanged.

use form_urlencoded::Serializer;

use crate::config::PublicUrl;
use crate::crypto::Secret;
use crate::web::Response;

use super::error::Refusal;

/// Where an authorization response goes.
#[derive(Clone, Copy, Debug)]
pub struct ReturnAddress<'a> {
    /// Proven to be the client's.
    pub redirect_uri: &'a str,
    /// The client's `state`.
    pub state: Option<&'a str>,
}

impl ReturnAddress<'_> {
    /// Hands out the code.
    pub fn code(self, issuer: &PublicUrl, code: &Secret) -> Response {
        self.respond(issuer, &[("code", code.expose())])
    }

    /// Says why there is none.
    pub fn refuse(self, issuer: &PublicUrl, refusal: &Refusal) -> Response {
        self.respond(issuer, &[("error", refusal.code), ("error_description", refusal.description)])
    }

    fn respond(self, issuer: &PublicUrl, outcome: &[(&str, &str)]) -> Response {
        let mut query = Serializer::new(String::new());
        query.extend_pairs(outcome);
        query.extend_pairs(self.state.map(|state| ("state", state)));
        query.append_pair("iss", &issuer.origin);
        let glue = match self.redirect_uri.split_once('?') {
            None => "?",
            Some((_, own)) if own.is_empty() || own.ends_with('&') => "",
            Some(_) => "&",
        };
        Response::redirect(format!("{}{glue}{}", self.redirect_uri, query.finish()))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
mod tests {
    use super::*;

    #[test]
    fn the_uris_own_query_stays_and_iss_comes_once() {
        let issuer = PublicUrl { origin: "https://mcp.contoso.example".to_owned(), is_loopback: false };
        for (uri, begin) in [
            ("https://client.example/cb", "https://client.example/cb?code=c"),
            ("https://client.example/cb?a=%2F", "https://client.example/cb?a=%2F&code=c"),
            ("https://client.example/cb?", "https://client.example/cb?code=c"),
        ] {
            let response = ReturnAddress { redirect_uri: uri, state: Some("a b&c") }.code(&issuer, &Secret::new("c"));
            let rest = "&state=a+b%26c&iss=https%3A%2F%2Fmcp.contoso.example";
            assert_eq!(response.header("location").unwrap(), format!("{begin}{rest}"));
        }
    }
}
