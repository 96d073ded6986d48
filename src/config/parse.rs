//! What each setting may look like: text in, a typed value or `None` out. Which setting is needed, and what is said when
//! it is wrong, stands in the parent.

use url::Url;
use uuid::Uuid;

use super::{Discovery, FileContent, PublicUrl};
use crate::crypto::Key;

pub(super) const fn hex_tag() -> &'static str {
    "the application's AUD tag, 64 hexadecimal digits"
}

pub(super) fn parse_public_url(text: &str) -> Option<PublicUrl> {
    let url = Url::parse(text).ok()?;
    let is_loopback = match url.host()? {
        url::Host::Domain(name) => name == "localhost",
        url::Host::Ipv4(address) => address.is_loopback(),
        url::Host::Ipv6(address) => address.is_loopback(),
    };
    let scheme_fits = url.scheme() == "https" || (url.scheme() == "http" && is_loopback);
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    (scheme_fits && bare).then(|| PublicUrl { origin: url.origin().ascii_serialization(), is_loopback })
}

pub(super) fn parse_graph_version(text: &str) -> Option<&'static str> {
    ["v1.0", "beta"].into_iter().find(|version| *version == text)
}

pub(super) fn parse_tenants(text: &str) -> Option<Vec<Uuid>> {
    text.split(',').map(|id| id.trim().parse().ok()).collect()
}

pub(super) fn parse_discovery(text: &str) -> Option<Discovery> {
    match text {
        "api-token" => Some(Discovery::ApiToken),
        "open" => Some(Discovery::Open),
        "off" => Some(Discovery::Off),
        _ => None,
    }
}

pub(super) fn parse_file_content(text: &str) -> Option<FileContent> {
    match text {
        "direct" => Some(FileContent::Direct),
        "off" => Some(FileContent::Off),
        _ => None,
    }
}

pub(super) fn parse_slug(text: &str) -> Option<String> {
    let fits = text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    fits.then(|| text.to_owned())
}

pub(super) fn parse_team_domain(text: &str) -> Option<String> {
    let team = text.strip_suffix(".cloudflareaccess.com")?;
    parse_slug(team).filter(|team| !team.is_empty()).map(|_| text.to_ascii_lowercase())
}

/// Schemes that browsers or systems handle themselves are no app's.
pub(super) fn parse_schemes(text: &str) -> Option<Vec<String>> {
    const TAKEN: &[&str] = &[
        "http",
        "https",
        "javascript",
        "data",
        "vbscript",
        "file",
        "mailto",
        "blob",
        "about",
        "intent",
        "view-source",
        "ftp",
        "ws",
        "wss",
        "tel",
        "sms",
        "chrome",
        "filesystem",
    ];
    let is_scheme = |name: &str| {
        name.starts_with(|first: char| first.is_ascii_lowercase())
            && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"+.-".contains(&byte))
            && !TAKEN.contains(&name)
    };
    if text == "none" {
        return Some(Vec::new());
    }
    text.split(',').map(str::trim).map(|name| is_scheme(name).then(|| name.to_owned())).collect()
}

pub(super) fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

pub(super) fn parse_key(text: &str) -> Option<Key> {
    if !is_hex(text, 64) {
        return None;
    }
    let mut bytes = [0_u8; 32];
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(Key::new(bytes))
}
