//! The protected resource's names (RFC 8707, RFC 9728).
//!
//! One resource server stands behind the whole origin, and clients call it by the URL they were given: the origin
//! itself, `/mcp` or `/sse`. All three name the same server, and no other resource shares the origin, so the audience
//! rule is: a token of ours is good at each of its endpoints and at nothing else. What binds a token to this server is
//! its HMAC, which no other deployment can make or check; the grant keeps the name that was asked for, and the token
//! endpoint holds the client to it. Names are compared as a whole, so `/mcp-other` is no name of ours.

use crate::config::PublicUrl;

use super::params::Params;

const PATHS: [&str; 3] = ["", "/mcp", "/sse"];

/// A `resource` that is not this server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidTarget;

/// The canonical name of `text`: our origin in lower case, a known path, no trailing slash. Scheme and host compare
/// without regard to case (RFC 3986 section 6.2.2.1); a fragment, a query or another port never fits. The one query that URLs of
/// ours have names no other server: it narrows what a client sees.
pub fn canonical(public_url: &PublicUrl, text: &str) -> Result<String, InvalidTarget> {
    let origin = &public_url.origin;
    let (head, rest) = text.split_at_checked(origin.len()).ok_or(InvalidTarget)?;
    if !head.eq_ignore_ascii_case(origin) {
        return Err(InvalidTarget);
    }
    let path = rest.split_once("?presets=").filter(|(_, names)| !names.contains('#')).map_or(rest, |(path, _)| path);
    let path = path.strip_suffix('/').unwrap_or(path);
    PATHS.contains(&path).then(|| public_url.join(path)).ok_or(InvalidTarget)
}

/// The one resource that the parameters name; `None` where they name none.
pub fn requested(public_url: &PublicUrl, params: &Params) -> Result<Option<String>, InvalidTarget> {
    let mut found = None;
    for text in params.resources() {
        let name = canonical(public_url, text)?;
        if found.as_ref().is_some_and(|other| *other != name) {
            return Err(InvalidTarget);
        }
        found = Some(name);
    }
    Ok(found)
}

/// What is meant where no resource is named.
pub fn default(public_url: &PublicUrl) -> String {
    public_url.join("/mcp")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ours() -> PublicUrl {
        PublicUrl { origin: "https://mcp.contoso.example".to_owned(), is_loopback: false }
    }

    #[test]
    fn a_resource_is_one_of_the_names_of_this_server_as_a_whole() {
        for (text, name) in [
            ("https://mcp.contoso.example", "https://mcp.contoso.example"),
            ("https://mcp.contoso.example/", "https://mcp.contoso.example"),
            ("HTTPS://MCP.Contoso.example/mcp", "https://mcp.contoso.example/mcp"),
            ("https://mcp.contoso.example/mcp?presets=mail,calendar", "https://mcp.contoso.example/mcp"),
            ("https://mcp.contoso.example/sse/", "https://mcp.contoso.example/sse"),
        ] {
            assert_eq!(canonical(&ours(), text), Ok(name.to_owned()), "{text}");
        }
        for text in [
            "https://mcp.contoso.example/mcp-other",
            "https://mcp.contoso.example/MCP",
            "https://mcp.contoso.example/mcp//",
            "https://mcp.contoso.example/mcp#x",
            "https://mcp.contoso.example/mcp?x",
            "https://mcp.contoso.example/mcp?presets=mail#x",
            "https://mcp.contoso.example/mcp?x&presets=mail",
            "https://mcp.contoso.example.evil.example/mcp",
            "https://mcp.contoso.example:444/mcp",
            "http://mcp.contoso.example/mcp",
            "javascript:alert(1)",
            "/mcp",
            "",
        ] {
            assert_eq!(canonical(&ours(), text), Err(InvalidTarget), "{text}");
        }
    }

    #[test]
    fn repeated_resources_must_mean_the_same() {
        let read = |text: &str| requested(&ours(), &Params::parse(text.as_bytes()));
        let (mcp, sse) = ("resource=https://mcp.contoso.example/mcp", "resource=https://mcp.contoso.example/sse");
        assert_eq!(read(&format!("{mcp}&{mcp}/")), Ok(Some("https://mcp.contoso.example/mcp".to_owned())));
        assert_eq!(read(&format!("{mcp}&{sse}")), Err(InvalidTarget));
        assert_eq!(read(""), Ok(None));
    }
}
