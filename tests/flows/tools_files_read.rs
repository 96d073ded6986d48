//! Reading a file: its facts, its text by parts, and the one way past the gateway on which contents come.

use serde_json::{Value, json};

use super::tools_fake::{Desk, snapshot};
use crate::ports::{OutboundResponse, UpstreamError};

const ADDRESS: &str = "https://contoso-my.sharepoint.com/personal/a/_layouts/15/download.aspx?tempauth=secret-ticket";

fn file(name: &str, kind: &str) -> Value {
    json!({"id": "01F", "name": name, "size": 12, "file": {"mimeType": kind}, "@microsoft.graph.downloadUrl": ADDRESS})
}

fn at(address: &str) -> Value {
    let mut file = file("a.txt", "text/plain");
    file["@microsoft.graph.downloadUrl"] = json!(address);
    file
}

/// What the contents' host answers next.
fn serve(desk: &Desk, status: u16, body: &[u8]) {
    let response = OutboundResponse { status, headers: Vec::new(), body: body.to_vec() };
    desk.platform.upstream.queue.borrow_mut().push_back(Ok(response));
}

fn fetched(desk: &Desk) -> usize {
    desk.platform.upstream.seen.borrow().len()
}

#[tokio::test(flavor = "current_thread")]
async fn requests_are_as_stored() {
    let mut facts = file("a.txt", "text/plain; charset=utf-8");
    for (name, value) in [
        ("eTag", json!("\"{F},2\"")),
        ("webUrl", json!("https://contoso-my.sharepoint.com/a.txt")),
        ("createdDateTime", json!("2026-02-01T08:00:00Z")),
        ("lastModifiedDateTime", json!("2026-03-01T08:00:00Z")),
        ("lastModifiedBy", json!({"user": {"displayName": "Bo\u{202E}"}})),
        ("parentReference", json!({"driveId": "b!alex", "path": "/drives/b!alex/root:/Reports"})),
        ("value", json!([{"id": "2.0", "size": 12, "lastModifiedDateTime": "2026-03-01T08:00:00Z"}])),
    ] {
        facts[name] = value;
    }
    let share = "https://contoso.sharepoint.com/:t:/g/Eabc?e=1";
    let mut all = Vec::new();
    for arguments in [
        json!({"path": "/a.txt"}),
        json!({"driveId": "b!x", "itemId": "01F", "as": "text", "offset": 2, "maxChars": 3}),
        json!({"path": "/a.txt", "as": "info"}),
        json!({"driveId": "b!x", "itemId": "01F", "as": "info"}),
        json!({"itemId": "01D", "path": "b/a.txt", "as": "versions"}),
        json!({"itemId": "01F", "as": "link"}),
        json!({"shareUrl": share}),
        json!({"shareUrl": share, "as": "info"}),
        json!({"shareUrl": share, "as": "versions"}),
    ] {
        let desk = Desk::new();
        desk.answer(&facts).answer(&facts);
        serve(&desk, 200, b"abcdefgh");
        let answer = desk.call("readFile", arguments.clone()).await;
        all.push(json!({"arguments": arguments, "requests": desk.wire(), "answer": answer}));
    }
    snapshot("read_file", &Value::Array(all));
}

#[tokio::test(flavor = "current_thread")]
async fn nothing_of_ours_goes_to_the_host_of_the_contents() {
    let desk = Desk::new();
    desk.answer(&file("a.txt", "text/plain"));
    serve(&desk, 200, b"hello");
    assert_eq!(desk.call("readFile", json!({"path": "/a.txt"})).await["text"], "hello");
    let seen = desk.platform.upstream.seen.borrow();
    let [request] = seen.as_slice() else { panic!("{seen:?}") };
    assert_eq!((request.method.as_str(), request.url.as_str()), ("GET", ADDRESS));
    assert!(request.headers.is_empty() && request.body.is_none(), "{request:?}");
    assert_eq!(request.max_answer, Some(10 * 1024 * 1024));
}

#[tokio::test(flavor = "current_thread")]
async fn only_the_clouds_own_file_hosts_are_asked() {
    for address in [
        "https://evil.example/x",
        "http://contoso-my.sharepoint.com/x",
        "https://user:word@contoso-my.sharepoint.com/x",
        "https://contoso-my.sharepoint.com@evil.example/x",
        "https://contoso-my.sharepoint.com.evil.example/x",
        "https://evilsharepoint.com/x",
        "https://contoso-my.sharepoint.com:8443/x",
        "https://contoso.sharepoint.cn/x",
        "https://127.0.0.1/x",
        "https://graph.microsoft.com/v1.0/me",
        "not an address",
        "",
    ] {
        for form in ["text", "link"] {
            let desk = Desk::new();
            desk.answer(&at(address));
            let report = desk.error("readFile", json!({"path": "/a.txt", "as": form})).await;
            assert_eq!(
                (&report["code"], &report["retryable"]),
                (&json!("ForeignFileHost"), &json!(false)),
                "{address}"
            );
            assert_eq!(fetched(&desk), 0, "{address}");
            assert!(!report.to_string().contains("evil"), "{report}");
        }
    }
}

#[tokio::test(flavor = "current_thread")]
async fn no_redirect_of_a_content_is_followed() {
    for status in [301, 302, 303, 307, 308] {
        let desk = Desk::new();
        desk.answer(&file("a.txt", "text/plain"));
        let headers = vec![("location".to_owned(), "https://contoso-my.sharepoint.com/elsewhere".to_owned())];
        let response = OutboundResponse { status, headers, body: b"moved".to_vec() };
        desk.platform.upstream.queue.borrow_mut().push_back(Ok(response));
        let report = desk.error("readFile", json!({"path": "/a.txt"})).await;
        assert_eq!((&report["code"], fetched(&desk)), (&json!("DownloadRedirected"), 1));
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_content_is_bounded_before_and_while_it_is_read() {
    let desk = Desk::new();
    let mut large = file("a.txt", "text/plain");
    large["size"] = json!(10 * 1024 * 1024 + 1);
    desk.answer(&large);
    let answer = desk.call("readFile", json!({"path": "/a.txt"})).await;
    assert!(answer["note"].as_str().unwrap().contains("as=link") && answer.get("text").is_none(), "{answer}");
    assert_eq!(fetched(&desk), 0);
    // Said to be 12 bytes, and goes on.
    for answer in [Err(UpstreamError::TooLarge), Ok(vec![b'x'; 10 * 1024 * 1024 + 1])] {
        let desk = Desk::new();
        desk.answer(&file("a.txt", "text/plain"));
        let answer = answer.map(|body| OutboundResponse { status: 200, headers: Vec::new(), body });
        desk.platform.upstream.queue.borrow_mut().push_back(answer);
        assert_eq!(desk.error("readFile", json!({"path": "/a.txt"})).await["code"], "DownloadTooLarge");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_host_that_fails_is_told_and_not_asked_again() {
    for (answer, code) in [
        (Err(UpstreamError::Timeout), "DownloadTimeout"),
        (Err(UpstreamError::Unreachable), "DownloadUnreachable"),
        (Ok(401), "DownloadRefused"),
        (Ok(404), "DownloadRefused"),
        (Ok(206), "DownloadRefused"),
        (Ok(503), "DownloadRefused"),
    ] {
        let desk = Desk::new();
        desk.answer(&file("a.txt", "text/plain"));
        let answer = answer.map(|status| OutboundResponse { status, ..OutboundResponse::default() });
        desk.platform.upstream.queue.borrow_mut().push_back(answer);
        let report = desk.error("readFile", json!({"path": "/a.txt"})).await;
        assert_eq!((&report["code"], &report["retryable"], fetched(&desk)), (&json!(code), &json!(true), 1));
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_download_is_one_line_that_names_no_address() {
    let desk = Desk::new();
    desk.answer(&file("secret name.txt", "text/plain"));
    serve(&desk, 200, b"hello");
    desk.call("readFile", json!({"path": "/secret name.txt"})).await;
    let log = desk.platform.log.text();
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let [line] = lines.as_slice() else { panic!("{log}") };
    assert_eq!((&line["event"], &line["route"]), (&json!("file.download"), &json!("sharepoint.com")));
    assert_eq!((&line["status"], &line["bytes"]), (&json!(200), &json!(5)));
    assert_eq!(
        (&line["tool"], &line["requestId"]),
        (&json!("readFile"), &json!("5f0c0000-0000-4000-8000-000000000001"))
    );
    for hidden in ["secret", "contoso-my", "tempauth", "download.aspx", "hello"] {
        assert!(!log.contains(hidden), "{log}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_server_that_may_not_fetch_says_so_and_offers_the_link() {
    let desk = Desk::configured(&[("TOOL_PRESETS", "all"), ("FILE_CONTENT", "off")]);
    desk.answer(&file("a.txt", "text/plain")).answer(&file("a.txt", "text/plain"));
    let answer = desk.call("readFile", json!({"path": "/a.txt"})).await;
    assert!(answer["note"].as_str().unwrap().contains("as=link") && answer.get("text").is_none(), "{answer}");
    assert_eq!(desk.call("readFile", json!({"path": "/a.txt", "as": "link"})).await["link"], ADDRESS);
    assert_eq!(fetched(&desk), 0);
}

#[tokio::test(flavor = "current_thread")]
async fn where_the_item_has_no_address_the_redirect_is_read_as_data() {
    let mut bare = file("a.txt", "text/plain");
    bare.as_object_mut().unwrap().remove("@microsoft.graph.downloadUrl");
    for (location, outcome) in
        [(Some(ADDRESS), "hello"), (Some("https://evil.example/x"), "ForeignFileHost"), (None, "ForeignFileHost")]
    {
        let desk = Desk::new();
        desk.answer(&bare);
        let headers = location.map(|location| ("location".to_owned(), location.to_owned())).into_iter().collect();
        desk.graph.queue.borrow_mut().push_back(Ok(crate::graph::GraphResponse {
            status: 302,
            headers,
            body: Vec::new(),
        }));
        serve(&desk, 200, b"hello");
        let path = json!({"path": "/a.txt"});
        if outcome == "hello" {
            assert_eq!(desk.call("readFile", path).await["text"], outcome);
        } else {
            assert_eq!((&desk.error("readFile", path).await["code"], fetched(&desk)), (&json!(outcome), 0));
        }
        assert_eq!(desk.asked()[1], "GET /me/drive/root:/a.txt:/content");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn the_parts_of_a_text_make_the_whole_of_it_without_what_nobody_sees() {
    let (mut offset, mut text, mut parts) = (json!(0), String::new(), 0);
    loop {
        let desk = Desk::new();
        desk.answer(&file("a.html", "text/html"));
        serve(&desk, 200, "<style>x</style><p>Pay\u{202E} now äöü</p><script>y</script>".as_bytes());
        let answer = desk.call("readFile", json!({"path": "/a.html", "maxChars": 4, "offset": offset})).await;
        assert!(answer["untrusted"].as_str().unwrap().contains("never instructions"));
        text.push_str(answer["text"].as_str().unwrap());
        parts += 1;
        assert_eq!(answer["truncated"], json!(answer.get("nextOffset").is_some()));
        let Some(next) = answer.get("nextOffset") else { break };
        offset = next.clone();
    }
    // A part is cleaned by itself, so that spaces at its ends go.
    assert_eq!((text.replace(' ', "").as_str(), parts), ("Paynowäöü", 3));
}

#[tokio::test(flavor = "current_thread")]
async fn what_has_no_text_is_not_fetched_and_says_why() {
    for (name, kind) in [("a.png", "image/png"), ("a.exe", "application/octet-stream")] {
        let desk = Desk::new();
        desk.answer(&file(name, kind));
        let answer = desk.call("readFile", json!({"path": "/a"})).await;
        assert!(answer["note"].is_string() && answer.get("text").is_none(), "{answer}");
        assert_eq!(fetched(&desk), 0);
    }
    let desk = Desk::new();
    desk.answer(&json!({"id": "01D", "name": "Reports", "folder": {"childCount": 3}}));
    let report = desk.error("readFile", json!({"itemId": "01D"})).await;
    assert!(report["message"].as_str().unwrap().starts_with("itemId: not a file"), "{report}");
}

#[tokio::test(flavor = "current_thread")]
async fn a_wrong_argument_is_refused_before_anything_leaves() {
    for (argument, arguments) in [
        ("path", json!({})),
        ("path", json!({"path": "/"})),
        ("shareUrl", json!({"shareUrl": "https://contoso.sharepoint.com/x", "path": "/a"})),
        ("shareUrl", json!({"shareUrl": "http://contoso.sharepoint.com/x"})),
        ("shareUrl", json!({"shareUrl": "https://"})),
        ("shareUrl", json!({"shareUrl": "https:///x"})),
        ("shareUrl", json!({"shareUrl": "https://a/\u{202E}"})),
        ("shareUrl", json!({"shareUrl": format!("https://a/{}", "x".repeat(1400))})),
        ("as", json!({"path": "/a", "as": "bytes"})),
        ("maxChars", json!({"path": "/a", "maxChars": 0})),
        ("offset", json!({"path": "/a", "offset": -1})),
    ] {
        let desk = Desk::new();
        let report = desk.error("readFile", arguments).await;
        assert!(report["message"].as_str().unwrap().starts_with(&format!("{argument}: ")), "{report}");
        assert!(desk.asked().is_empty() && fetched(&desk) == 0);
    }
}
