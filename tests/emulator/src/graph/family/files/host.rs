//! `contoso-my.sharepoint.com`: where contents are kept. It knows nobody: whoever brings the ticket of an address gets
//! or writes that one content, and whoever brings a credential is refused.

use axum::body::{Body, Bytes};
use serde_json::json;
use time::OffsetDateTime;

use super::change::write;
use super::{Drive, Store, show};
use crate::App;
use crate::call::Call;
use crate::faults::Target;
use crate::reply::{self, Reply};

/// The host.
pub const HOST: &str = "contoso-my.sharepoint.com";
/// More than any reader should take, and more than it was said to be.
const ENDLESS: usize = 24 * 1024 * 1024;
/// Parts of an upload but the last are a multiple of this.
const STEP: usize = 327_680;
const DOWNLOAD: &str = "/personal/contoso/_layouts/15/download.aspx";
const UPLOAD: &str = "/personal/contoso/_api/v2.0/uploadSession";

/// Where a content can be fetched with a ticket.
pub fn download_url(key: &str) -> String {
    format!("https://{HOST}{DOWNLOAD}?UniqueId=contoso&tempauth=v1.{key}&ApiVersion=2.0")
}

/// Where a content can be written with a ticket.
pub fn upload_url(key: &str) -> String {
    format!("https://{HOST}{UPLOAD}?guid='contoso'&tempauth=v1.{key}")
}

/// Where a person sees an item.
pub fn web_url(drive: &Drive, path: &str, name: &str) -> String {
    let owner = drive.owner.map_or("sites/marketing", |owner| owner.oid);
    format!("https://{HOST}/personal/{owner}/Documents{}/{}", path.replace(' ', "%20"), name.replace(' ', "%20"))
}

/// Answers a request to the host.
pub async fn handle(app: &App, call: &Call) -> Reply {
    let fault = app.world().faults.take(Target::Files, Target::Files.names(), (call.method.as_str(), &call.path));
    let reply = match fault.as_ref().map(|fault| fault.fault.as_str()) {
        Some("redirect") => reply::found("https://login.microsoftonline.com/elsewhere"),
        Some("expired") => reply::empty(401),
        // Of unknown length, as a stream is.
        Some("endless") => reply::body(200, "text/plain", Body::new(Endless(ENDLESS))),
        Some("slow") => {
            tokio::time::sleep(std::time::Duration::from_millis(fault.and_then(|one| one.delay_ms).unwrap_or(60_000)))
                .await;
            reply::empty(200)
        }
        Some(_) => reply::unreachable(),
        None => answer(&mut app.world().graph.family.files, call),
    };
    let headers: Vec<_> = call.headers.keys().map(ToString::to_string).collect();
    let seen = json!({"method": call.method.as_str(), "path": call.path, "headers": headers, "status": reply.status().as_u16()});
    app.world().graph.family.files.calls.push(seen);
    reply
}

fn answer(store: &mut Store, call: &Call) -> Reply {
    // Its own credential is in the address; any other is a mistake that must show.
    if call.header("authorization").is_some() || call.header("cookie").is_some() {
        return reply::empty(401);
    }
    let pairs = call.query_pairs();
    let key = pairs.get("tempauth").and_then(|text| text.strip_prefix("v1.")).unwrap_or_default();
    let now = OffsetDateTime::now_utc();
    let Some(at) = store.tickets.iter().position(|ticket| ticket.key == key && ticket.expires > now) else {
        return reply::empty(401);
    };
    match (call.method.as_str(), call.path.as_str()) {
        ("GET", DOWNLOAD) => download(store, at, call),
        ("PUT", UPLOAD) => upload(store, at, call),
        ("DELETE", UPLOAD) => {
            store.tickets.remove(at);
            reply::empty(204)
        }
        _ => reply::empty(404),
    }
}

fn download(store: &Store, at: usize, call: &Call) -> Reply {
    let content = store.tickets.get(at).and_then(|ticket| {
        let drive = store.drives.iter().find(|drive| drive.id == ticket.drive)?;
        drive.item(&ticket.item)?.content.clone()
    });
    let Some(content) = content else { return reply::empty(404) };
    let Some(range) = call.header("range") else {
        return reply::body(200, "application/octet-stream", content);
    };
    let bounds = range.strip_prefix("bytes=").and_then(|range| range.split_once('-'));
    let bounds = bounds.and_then(|(from, to)| Some((from.parse::<usize>().ok()?, to.parse::<usize>().ok()?)));
    match bounds.and_then(|(from, to)| Some((from, to, content.get(from..=to)?.to_vec()))) {
        Some((from, to, part)) => {
            let reply = reply::body(206, "application/octet-stream", part);
            reply::with(reply, "content-range", &format!("bytes {from}-{to}/{}", content.len()))
        }
        None => reply::empty(416),
    }
}

/// Parts come in order, and say of how much.
fn upload(store: &mut Store, at: usize, call: &Call) -> Reply {
    let refuse = |status, code: &str| reply::json(status, &json!({"error": {"code": code, "message": code}}));
    let Some(upload) = store.tickets.get_mut(at).and_then(|ticket| ticket.upload.as_mut()) else {
        return reply::empty(404);
    };
    let range = call.header("content-range").and_then(|text| text.strip_prefix("bytes "));
    let parsed = range.and_then(|text| text.split_once('/')).and_then(|(span, total)| {
        let (from, to) = span.split_once('-')?;
        Some((from.parse::<usize>().ok()?, to.parse::<usize>().ok()?, total.parse::<usize>().ok()?))
    });
    let Some((from, to, total)) = parsed else { return refuse(400, "invalidRequest") };
    let fits = from == upload.bytes.len() && to + 1 == from + call.body.len() && to < total;
    if !fits || (to + 1 < total && !call.body.len().is_multiple_of(STEP)) {
        return refuse(416, "invalidRange");
    }
    upload.bytes.extend_from_slice(&call.body);
    if to + 1 < total {
        return reply::json(202, &json!({"nextExpectedRanges": [format!("{}-", to + 1)]}));
    }
    finish(store, at).unwrap_or_else(|| refuse(409, "nameAlreadyExists"))
}

fn finish(store: &mut Store, at: usize) -> Option<Reply> {
    let ticket = store.tickets.remove(at);
    let upload = ticket.upload?;
    let drive = store.drives.iter().position(|drive| drive.id == ticket.drive)?;
    let content = (upload.behaviour.as_str(), upload.bytes, upload.user);
    let (id, new) = write(store, drive, (&upload.folder, &upload.name), content).ok()?;
    let drive = store.drives.get(drive)?;
    Some(reply::json(if new { 201 } else { 200 }, &show::render(store, drive, drive.item(&id)?)))
}

/// Bytes without an announced length.
struct Endless(usize);

impl axum::body::HttpBody for Endless {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
        const CHUNK: usize = 64 * 1024;
        let left = self.0;
        self.0 = left.saturating_sub(CHUNK);
        std::task::Poll::Ready((left > 0).then(|| Ok(http_body::Frame::data(vec![b'x'; CHUNK].into()))))
    }
}
