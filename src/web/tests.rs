//! Requests as they are read, and what CORS never allows.

use super::*;

fn request(headers: Vec<(&'static str, String)>) -> Request {
    Request { method: Method::Get, path: "/".into(), query: None, headers, body: Vec::new() }
}

#[test]
fn a_cookie_is_found_by_its_whole_name() {
    let request = request(vec![("cookie", "xa=1; a=2; b=3".into())]);
    assert_eq!(request.cookie("a"), Some("2"));
    assert_eq!(request.cookie("c"), None);
}

#[test]
fn a_media_type_must_match_as_a_whole() {
    let form = "application/x-www-form-urlencoded";
    let typed = |value: &str| request(vec![("content-type", value.into())]).has_media_type(form);
    assert!(typed("application/X-WWW-form-urlencoded; charset=utf-8"));
    for hostile in [
        "text/plain; x=application/x-www-form-urlencoded",
        "text/plain; application/x-www-form-urlencoded",
        "application/x-www-form-urlencoded-not",
        "not-application/x-www-form-urlencoded",
        "multipart/form-data; boundary=application/x-www-form-urlencoded",
        // Two headers, as the platform joins them.
        "application/json, application/x-www-form-urlencoded",
        "application/x-www-form-urlencoded, application/json",
        "application/x-www-form-urlencoded/",
        "application",
        "",
    ] {
        assert!(!typed(hostile), "{hostile}");
    }
}

#[test]
fn an_event_of_a_request_carries_the_ids_that_join_its_lines() {
    let context = Context { request_id: "request-1".into(), ray_id: Some("ray-1".into()), now: 0 };
    let event = context.event(Kind::OauthApproved);
    assert_eq!((event.request_id, event.ray_id), (Some("request-1"), Some("ray-1")));
}

#[test]
fn cors_never_allows_credentials() {
    let response = preflight(Some("https://client.example"), "POST");
    assert_eq!(response.header("access-control-allow-origin"), Some("https://client.example"));
    assert_eq!(response.header("access-control-allow-credentials"), None);
}
