//! The one way past AI Gateway: the content of a file, which Graph keeps on another host and hands out by a
//! pre-authenticated address (Graph's "Download the contents of a driveItem").
//!
//! 1. The address is one that Graph gave within this very call; no argument can name one.
//! 2. It is https, on the usual port, without a user, below one of the cloud's own domains.
//! 3. No redirect is followed.
//! 4. Nothing is sent with it: no `Authorization`, no cookie, no header of ours.
//! 5. At most [`LARGEST`] bytes are read, for at most [`LIMIT_MS`].
//! 6. The log line names the domain, never the address.
//!
//! `FILE_CONTENT=off` closes it.

use crate::graph::{Failure, Origin};
use crate::log::{Event, Kind};
use crate::ports::{OutboundRequest, OutboundResponse, UpstreamError};
use crate::tools::ToolError;
use crate::tools::call::Call;

/// Bytes of the largest file that is fetched.
pub(super) const LARGEST: usize = 10 * 1024 * 1024;
/// How long one download may take.
const LIMIT_MS: u64 = 20_000;

/// An address that Graph handed out, and the domain of its host. Not one of the cloud's file hosts: an error.
pub(in crate::tools) fn address(call: &Call<'_>, text: &str) -> Result<(String, &'static str), ToolError> {
    let found = call.context.config.microsoft.cloud.file_address(text);
    let found = found.map(|(url, domain)| (url.into(), domain));
    found.ok_or_else(|| failed(Origin::Graph, "ForeignFileHost", "It named a host that keeps no files of this cloud."))
}

/// The content behind an address that Graph handed out.
pub(super) async fn fetch(call: &Call<'_>, handed_out: &str) -> Result<Vec<u8>, ToolError> {
    let (url, domain) = address(call, handed_out)?;
    let ports = call.context.ports;
    let request =
        OutboundRequest { method: "GET".to_owned(), url, max_answer: Some(LARGEST), ..OutboundRequest::default() };
    let started = ports.clock.now_ms();
    let answer = ports.upstream.send(request, LIMIT_MS).await;
    let duration_ms = ports.clock.now_ms().saturating_sub(started);
    let outcome = judge(answer, ports.clock.now());
    let (status, bytes, reason) = match &outcome {
        Ok(bytes) => (Some(200), u64::try_from(bytes.len()).ok(), None),
        Err(failure) => (failure.status, None, Some(failure.code.as_str())),
    };
    ports.log.write(&Event {
        request_id: Some(call.context.request_id),
        grant_id: Some(call.context.caller.grant.to_string()),
        user_id: Some(call.context.caller.user.to_string()),
        tool: Some(call.name),
        route: Some(domain),
        status,
        bytes,
        reason,
        duration_ms: Some(duration_ms),
        ..Event::new(Kind::FileDownload)
    });
    outcome.map_err(|failure| ToolError::Graph { failure, repeatable: true })
}

fn judge(answer: Result<OutboundResponse, UpstreamError>, now: u64) -> Result<Vec<u8>, Failure> {
    let of = |origin, code: &str, told: &str| Failure { message: Some(told.to_owned()), ..Failure::of(origin, code) };
    let response = answer.map_err(|error| match error {
        UpstreamError::Timeout => of(Origin::Transport, "DownloadTimeout", "The file's host took too long."),
        UpstreamError::Unreachable => of(Origin::Transport, "DownloadUnreachable", "The file's host did not answer."),
        UpstreamError::TooLarge => of(Origin::Graph, "DownloadTooLarge", "The content is larger than 10 MB."),
    })?;
    let status = Some(response.status);
    match response.status {
        200 => Ok(response.body),
        300..=399 => {
            Err(Failure { status, ..of(Origin::Graph, "DownloadRedirected", "The file's host sent elsewhere.") })
        }
        _ => {
            let retry_after = response.retry_after(now);
            let told = "The file's host refused; its addresses are good for minutes only.";
            Err(Failure { status, retry_after, ..of(Origin::Transport, "DownloadRefused", told) })
        }
    }
}

fn failed(origin: Origin, code: &str, told: &str) -> ToolError {
    ToolError::Graph {
        failure: Failure { message: Some(told.to_owned()), ..Failure::of(origin, code) },
        repeatable: true,
    }
}
