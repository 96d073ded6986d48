//! Whatever comes from outside stays in its place of a path, a query or a literal.

use super::*;

fn path(folder: &str) -> Result<String, InvalidSegment> {
    let segments =
        [Segment::Word("me"), Segment::Word("mailFolders"), Segment::Value(folder), Segment::Word("messages")];
    GraphRequest::new(Method::Get, &segments).map(|request| request.query("$top", "10").path_and_query())
}

#[test]
fn a_segment_from_outside_cannot_leave_its_place() {
    for climbing in
        ["..", ".", "", "%2e%2e", "%2E.", "%252e%252e", "../users", "a/../b", "a\\..\\b", "a\nb", "..%2f", "%2525252e."]
    {
        let outcome = path(climbing);
        assert!(outcome.is_err() || !outcome.unwrap().contains("../"), "{climbing:?}");
    }
    assert_eq!(path("../x"), Err(InvalidSegment));
    assert_eq!(path("a/b?c#d&e").unwrap(), "/me/mailFolders/a%2Fb%3Fc%23d%26e/messages?$top=10");
}

#[test]
fn a_path_within_a_drive_is_set_apart_by_colons_and_cannot_end_early() {
    let to = |names, rest: &[Segment<'_>]| {
        let path = [&[Segment::Word("me"), Segment::Word("drive"), Segment::Word("root"), Segment::Below(names)], rest];
        GraphRequest::new(Method::Get, &path.concat()).map(|request| (request.path_and_query(), request.route))
    };
    let (path, route) = to("A b/c:d#é", &[Segment::Word("children")]).unwrap();
    assert_eq!(path, "/me/drive/root:/A%20b/c%3Ad%23%C3%A9:/children");
    assert_eq!(route, "/me/drive/root:/{path}:/children");
    assert_eq!(to("a", &[]).unwrap().0, "/me/drive/root:/a");
    for climbing in ["", "..", "a/../b", "a//b", "a/%2e%2e", "a/"] {
        assert_eq!(to(climbing, &[]), Err(InvalidSegment), "{climbing:?}");
    }
}

#[test]
fn a_host_is_one_and_its_colon_is_ours() {
    let at = |host| {
        let segments = [Segment::Word("sites"), Segment::Host(host), Segment::Value("a b")];
        GraphRequest::new(Method::Get, &segments).map(|request| request.path_and_query())
    };
    assert_eq!(at("contoso.sharepoint.example").unwrap(), "/sites/contoso.sharepoint.example:/a%20b");
    for wrong in ["", ".", "..", "a/b", "a:b", "a?b", "a%2f", "a b", "\u{e9}"] {
        assert!(at(wrong).is_err(), "{wrong:?}");
    }
}

#[test]
fn a_quote_cannot_end_the_text_of_a_function() {
    let path = [Segment::Word("me"), Segment::Call("search", "q", "o'hara') or (x/..")];
    let request = GraphRequest::new(Method::Get, &path).unwrap();
    assert_eq!(request.path_and_query(), "/me/search(q='o%27%27hara%27%27%29%20or%20%28x%2F..')");
    assert_eq!(request.route(), "/me/search()");
}

#[test]
fn preferences_share_one_header() {
    let request = GraphRequest::new(Method::Get, &[Segment::Word("me")]).unwrap().prefer("a").prefer("b");
    assert_eq!(request.all_headers(), [("prefer", "a, b".to_owned())]);
}

#[test]
fn a_quote_cannot_end_a_search_phrase() {
    assert_eq!(quoted_phrase(r#"x" OR from:"boss"#), r#""x\" OR from:\"boss""#);
    assert_eq!(quoted_phrase(r#"x\" y"#), r#""x\\\" y""#);
}

#[test]
fn a_quote_cannot_end_a_filter_literal() {
    assert_eq!(filter_literal("o'hara"), "'o''hara'");
}
