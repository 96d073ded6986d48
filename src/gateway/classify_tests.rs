//! The classifier against the shapes that the gateway, an account and Graph really write.

use super::*;

/// Sun, 06 Nov 1994 08:49:37 GMT.
const NOW: u64 = 784_111_777;

fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> OutboundResponse {
    OutboundResponse {
        status,
        headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        body: body.as_bytes().to_vec(),
    }
}

fn of(status: u16, body: &str) -> Failure {
    classify(&answer(status, &[], body), NOW)
}

fn gateway_error(code: i64) -> String {
    format!(
        r#"{{"success":false,"result":[],"messages":[],"error":[{{"code":{code},"message":"Said so"}}],"name":"AiGatewayError","httpCode":429,"internalCode":{code},"message":"Said so","description":"Said so"}}"#
    )
}

#[test]
fn a_gateway_error_is_the_gateways_whatever_its_status() {
    for status in [200, 401, 403, 404, 429, 503] {
        let failure = of(status, &gateway_error(2003));
        assert_eq!((failure.origin, failure.code.as_str(), failure.status), (Origin::Policy, "2003", Some(status)));
        assert_eq!((failure.may_have_acted, failure.retry_after), (false, None));
        assert_eq!(failure.message.as_deref(), Some("Said so"));
    }
    let unnamed = of(400, r#"{"success":false,"result":[],"error":[{"code":2019,"message":"x"}]}"#);
    assert_eq!((unnamed.origin, unnamed.code.as_str(), unnamed.may_have_acted), (Origin::Policy, "2019", false));
    let bare = of(401, r#"{"name":"AiGatewayError","internalCode":2009}"#);
    assert_eq!((bare.origin, bare.code.as_str(), bare.may_have_acted), (Origin::Policy, "2009", false));
}

#[test]
fn graph_may_have_acted_exactly_after_the_codes_that_come_after_it() {
    for code in [2001, 2003, 2008, 2009, 2016, 2018, 2019, 2021, 2029, 2040, 2041, 2045, 7003] {
        assert!(!of(400, &gateway_error(code)).may_have_acted, "{code}");
    }
    for code in [2005, 2017, 2030, 7013, 9999] {
        assert!(of(400, &gateway_error(code)).may_have_acted, "{code}");
    }
}

#[test]
fn a_handler_that_gave_nothing_is_no_policy() {
    let silent = of(500, &gateway_error(2005));
    assert_eq!((silent.origin, silent.code.as_str(), silent.may_have_acted), (Origin::Transport, "2005", true));
}

#[test]
fn an_account_policy_is_neither_the_gateway_nor_graph() {
    let deny = of(403, r#"{"success":false,"error":{"code":"policy_denied","message":"Denied by policy"}}"#);
    assert_eq!((deny.origin, deny.code.as_str(), deny.may_have_acted), (Origin::Policy, "policy_denied", false));
    let spend = of(429, r#"{"success":false,"error":{"message":"Spending limit reached"}}"#);
    assert_eq!((spend.origin, spend.code.as_str(), spend.retry_after), (Origin::Policy, "AccountPolicy", None));
}

#[test]
fn the_control_plane_is_known_by_its_errors_list() {
    let empty = of(500, r#"{"success":false,"result":null,"errors":[],"messages":[]}"#);
    assert_eq!((empty.origin, empty.code.as_str(), empty.may_have_acted), (Origin::Policy, "ControlPlane", true));
    let named = of(403, r#"{"success":false,"errors":[{"code":10000,"message":"Authentication error"}]}"#);
    assert_eq!((named.origin, named.code.as_str(), named.may_have_acted), (Origin::Policy, "10000", false));
}

#[test]
fn our_handlers_refusal_is_not_taken_for_graphs() {
    let body = r#"{"error":{"message":"x","type":"m365_handler_error","code":"handler_unauthorized"}}"#;
    let refusal = of(401, body);
    assert_eq!((refusal.origin, refusal.code.as_str()), (Origin::Policy, "handler_unauthorized"));
    let chat = of(401, r#"{"error":{"message":"x","type":"invalid_request_error","code":"invalid_api_key"}}"#);
    assert_eq!(chat.origin, Origin::Transport);
}

#[test]
fn a_graph_error_is_known_by_its_code_in_words() {
    let body = r#"{"error":{"code":"InvalidAuthenticationToken","message":"Lifetime validation failed","innerError":{"date":"2026-03-02T09:00:00","request-id":"5f4c1d2e-0000-4000-8000-000000000001","client-request-id":"r-1"}}}"#;
    let failure = of(401, body);
    assert_eq!((failure.origin, failure.code.as_str()), (Origin::Graph, "InvalidAuthenticationToken"));
    assert_eq!(failure.graph_request_id.as_deref(), Some("5f4c1d2e-0000-4000-8000-000000000001"));
    assert!(!failure.may_have_acted);
}

#[test]
fn an_answer_with_graphs_headers_is_graphs_whatever_its_body() {
    for name in ["request-id", "x-ms-ags-diagnostic"] {
        let failure = classify(&answer(503, &[(name, "g-1")], "<html>Service Unavailable"), NOW);
        assert_eq!((failure.origin, failure.code.as_str()), (Origin::Graph, "UnknownError"));
        assert!(failure.may_have_acted, "a server error may come after the work");
    }
}

#[test]
fn the_deepest_known_code_counts_in_either_spelling() {
    for (body, code) in [
        (r#"{"error":{"code":"accessDenied","innerError":{"code":"Whatever2"}}}"#, "accessDenied"),
        (r#"{"error":{"code":"Forbidden","innererror":{"code":"odd","innererror":{"code":"NotFound"}}}}"#, "NotFound"),
        (r#"{"error":{"code":"Forbidden","innerError":{"code":"ErrorAccessDenied"}}}"#, "ErrorAccessDenied"),
        (r#"{"error":{"code":"BrandNew","innerError":{"code":"BrandNewer"}}}"#, "BrandNew"),
        (r#"{"error":{"code":"","innerError":{"code":"NotFound"}}}"#, "NotFound"),
    ] {
        assert_eq!(of(403, body).code, code, "{body}");
    }
}

#[test]
fn a_code_that_is_no_word_never_reaches_a_log_line() {
    let failure = of(400, r#"{"error":{"code":"Bearer eyJ0 \n{\"event\":\"x\"}","message":"m"}}"#);
    assert_eq!((failure.origin, failure.code.as_str()), (Origin::Graph, "UnknownError"));
}

#[test]
fn retry_after_is_read_as_seconds_or_as_a_date() {
    for (value, seconds) in [
        ("7", Some(7)),
        (" 0 ", Some(0)),
        ("Sun, 06 Nov 1994 08:49:47 GMT", Some(10)),
        ("Sun, 06 Nov 1994 08:49:07 GMT", Some(0)),
        ("soon", None),
        ("-1", None),
    ] {
        let body = r#"{"error":{"code":"TooManyRequests","message":"x"}}"#;
        let failure = classify(&answer(429, &[("retry-after", value)], body), NOW);
        assert_eq!((failure.origin, failure.retry_after), (Origin::Graph, seconds), "{value}");
    }
}

#[test]
fn anything_else_is_transport_and_leaves_the_doubt() {
    for body in ["", "<html>", "{}", r#"{"error":"x"}"#, r#"{"success":false}"#, r#"{"error":{"code":5}}"#] {
        let failure = of(502, body);
        assert_eq!((failure.origin, failure.code.as_str()), (Origin::Transport, UNREADABLE_ANSWER), "{body}");
        assert!(failure.may_have_acted);
    }
    assert!(no_answer(UpstreamError::Timeout).may_have_acted && no_answer(UpstreamError::Unreachable).may_have_acted);
}
