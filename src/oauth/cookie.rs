//! The attributes of every cookie here, and the bound on how many flows one browser may have open.
//!
//! `__Host-` keeps other hosts of the domain from planting one; `SameSite=Lax` lets the return from Entra, a top-level
//! GET, bring them and keeps them from cross-site POSTs.

use crate::web::{Request, Response};

/// Lifetime of a consent page and of a sign-in.
pub const MAX_AGE_SECONDS: u64 = 600;

/// Flows of one kind that a browser may have open at once; headers have limits.
const MAX_PARALLEL: usize = 4;

/// Sets a cookie for ten minutes.
pub fn set(response: Response, name: &str, value: &str) -> Response {
    let cookie = format!("{name}={value}; Path=/; Max-Age={MAX_AGE_SECONDS}; Secure; HttpOnly; SameSite=Lax");
    response.with("set-cookie", cookie)
}

/// Removes a cookie.
pub fn clear(response: Response, name: &str) -> Response {
    response.with("set-cookie", format!("{name}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax"))
}

/// Removes the oldest cookies of this prefix, so that one more fits. Browsers send the oldest first (RFC 6265 section
/// 5.4).
pub fn make_room(response: Response, request: &Request, prefix: &str) -> Response {
    let pairs = request.header("cookie").unwrap_or_default().split(';');
    let names: Vec<_> = pairs
        .filter_map(|pair| pair.trim().split_once('=').map(|(name, _)| name))
        .filter(|name| name.strip_prefix(prefix).is_some_and(is_token))
        .collect();
    let surplus = (names.len() + 1).saturating_sub(MAX_PARALLEL);
    names.into_iter().take(surplus).fold(response, clear)
}

/// Whether the rest of a cookie's name is what this server writes, so that nothing else is echoed into a header.
fn is_token(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::Method;

    #[test]
    fn room_is_made_among_the_flows_of_one_kind_and_nothing_else_is_echoed() {
        let cookies = "other=1; a-1=x; a-2=x; a-3=x; a-4\u{e9}=x; a-5=x; b-1=x; a-6=x";
        let request = Request {
            method: Method::Get,
            path: String::new(),
            query: None,
            headers: vec![("cookie", cookies.to_owned())],
            body: Vec::new(),
        };
        let response = make_room(Response::empty(200), &request, "a-");
        let cleared: Vec<_> = response.headers.iter().filter_map(|(_, value)| value.split('=').next()).collect();
        assert_eq!(cleared, ["a-1", "a-2"]);
    }
}
