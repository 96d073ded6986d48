//! Environments that are whole, half and wrong: what is refused, and by which name.

use super::parse::{parse_public_url, parse_schemes};
use super::*;
use crate::support::{config, environment};

fn faults(change: &[(&str, &str)]) -> Vec<String> {
    let environment = environment(change);
    Config::parse(&|name| environment.get(name).cloned())
        .err()
        .unwrap_or_default()
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn a_whole_environment_parses() {
    assert_eq!(faults(&[]), Vec::<String>::new());
}

#[test]
fn every_fault_is_listed_at_once_and_without_its_value() {
    let found = faults(&[("ENCRYPTION_KEY", "hunter2"), ("MICROSOFT_CLIENT_ID", ""), ("GRAPH_API_VERSION", "v9")]);
    assert_eq!(
        found,
        [
            "MICROSOFT_CLIENT_ID: missing",
            "GRAPH_API_VERSION: expected v1.0 or beta",
            "ENCRYPTION_KEY: expected 64 hexadecimal digits"
        ]
    );
}

#[test]
fn a_previous_key_is_held_to_the_form_of_the_key() {
    let found = faults(&[("ENCRYPTION_KEY_PREVIOUS", "00"), ("GRAPH_HANDLER_KEY_PREVIOUS", "short")]);
    assert_eq!(
        found,
        [
            "ENCRYPTION_KEY_PREVIOUS: expected 64 hexadecimal digits",
            "GRAPH_HANDLER_KEY_PREVIOUS: expected at least 32 bytes"
        ]
    );
}

#[test]
fn access_is_off_on_loopback_hosts_only() {
    let off = "ACCESS_MODE: expected strict or browser: off is for loopback hosts only";
    assert_eq!(faults(&[("PUBLIC_URL", "https://mcp.contoso.example"), ("CLOUD", "global")]), [off]);
}

#[test]
fn an_operator_key_may_be_missing_but_not_short() {
    assert_eq!(faults(&[("OPERATOR_KEY", "")]), Vec::<String>::new());
    assert_eq!(faults(&[("OPERATOR_KEY", &"k".repeat(31))]), ["OPERATOR_KEY: expected at least 32 bytes"]);
}

#[test]
fn half_a_perimeter_is_refused() {
    let half = [("ACCESS_MODE", "strict"), ("ACCESS_TEAM_DOMAIN", "contoso.cloudflareaccess.com")];
    assert_eq!(faults(&half), ["ACCESS_AUD: missing"]);
}

#[test]
fn access_is_strict_unless_said_otherwise() {
    assert_eq!(faults(&[("ACCESS_MODE", "")]), ["ACCESS_TEAM_DOMAIN: missing", "ACCESS_AUD: missing"]);
}

#[test]
fn the_emulator_is_no_cloud_of_a_public_host() {
    let found = faults(&[("PUBLIC_URL", "https://mcp.contoso.example"), ("ACCESS_MODE", "browser")]);
    assert!(found.iter().any(|fault| fault.starts_with("CLOUD: ")), "{found:?}");
}

#[test]
fn a_policy_that_cannot_be_read_is_no_policy_and_refuses_the_deployment() {
    let found = faults(&[("SEND_POLICY", "internal; rate=often")]);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found.iter().all(|fault| fault.starts_with("SEND_POLICY: expected ")), "{found:?}");
}

#[test]
fn file_content_is_direct_or_off_and_nothing_else() {
    let found = |value| config(&[("FILE_CONTENT", value)]).file_content;
    assert_eq!((found(""), found("off")), (FileContent::Direct, FileContent::Off));
    assert_eq!(faults(&[("FILE_CONTENT", "no")]), ["FILE_CONTENT: expected direct or off"]);
}

#[test]
fn an_unknown_preset_is_refused_and_the_known_ones_are_named() {
    let found = faults(&[("TOOL_PRESETS", "mail,contacts")]);
    assert!(found.iter().any(|fault| fault.starts_with("TOOL_PRESETS: expected all, or some of core, ")), "{found:?}");
    assert_eq!(faults(&[("TOOL_PRESETS", "mail, files")]), Vec::<String>::new());
}

#[test]
fn no_scheme_of_the_browser_can_be_made_a_redirect_scheme() {
    for schemes in ["javascript", "https", "cursor,data", "Cursor", "a b", ","] {
        assert_eq!(faults(&[("REDIRECT_SCHEMES", schemes)]).len(), 1, "{schemes}");
    }
    assert_eq!(parse_schemes("none"), Some(Vec::new()));
    assert_eq!(parse_schemes("cursor, com.example.app").map(|schemes| schemes.len()), Some(2));
}

#[test]
fn plain_http_is_for_loopback_hosts_only() {
    assert!(parse_public_url("http://mcp.contoso.example").is_none());
    for more in ["/path", "?x", "#x", "@evil.example", ":x"] {
        assert!(parse_public_url(&format!("https://mcp.contoso.example{more}")).is_none(), "{more}");
    }
    assert!(parse_public_url("https://user@mcp.contoso.example").is_none());
    assert_eq!(parse_public_url("http://localhost:8787/").unwrap().origin, "http://localhost:8787");
}
