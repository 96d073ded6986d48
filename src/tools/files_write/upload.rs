//! Writing a file. What is small comes with the call and goes through Graph; for what is larger the user's own program
//! gets an address from Graph, so that the bytes pass neither the model nor this server.

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{CONFLICT, Done, taken};
use crate::graph::GraphRequest;
use crate::graph::request::{Method, Segment};
use crate::identity::Scope;
use crate::tools::answer::Answer;
use crate::tools::call::Call;
use crate::tools::drive_item::DriveItem;
use crate::tools::files_read;
use crate::tools::place::Place;
use crate::tools::{Input, Kind, Outcome, Preset, Tool, ToolError, handle, schema};

/// The tool.
pub(super) const TOOL: Tool = Tool {
    name: "uploadFile",
    title: "Write a file",
    description: "Write a file from text or base64 (3 MB at most); size instead gives an upload link for a larger one.",
    kind: Kind::Write,
    preset: Preset::Files,
    needs: &[Scope::FilesReadWrite],
    also: &[],
    on_use: &[Scope::FilesReadWriteAll],
    example: r##"{"path":"/Reports/2026/notes.md","text":"# Notes"}"##,
    schema: schema::of::<UploadFile>,
    handler: handle::<UploadFile>,
};

/// Bytes that a call may bring: as base64 they are just what a request to this server may hold.
const LARGEST: usize = 3_000_000;
/// Bytes that Graph takes in one file.
const LARGEST_BY_LINK: u64 = 250 * 1024 * 1024 * 1024;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum IfExists {
    #[default]
    Fail,
    Replace,
    Rename,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct UploadFile {
    drive_id: Option<String>,
    /// File to replace, with etag; or path's folder
    item_id: Option<String>,
    /// e.g. /Reports/notes.md
    path: Option<String>,
    text: Option<String>,
    base64: Option<String>,
    #[schemars(with = "Option<i64>")]
    size: Option<u64>,
    #[schemars(extend("default" = "fail"))]
    if_exists: Option<IfExists>,
    etag: Option<String>,
}

/// What is to be written.
enum Source {
    Bytes { media_type: &'static str, bytes: Vec<u8> },
    Link { size: u64 },
}

/// Graph's uploadSession.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Session {
    upload_url: String,
    expiration_date_time: Option<String>,
}

#[async_trait(?Send)]
impl Input for UploadFile {
    async fn run(self, call: &Call<'_>) -> Outcome {
        let place = Place::parse(self.drive_id.as_deref(), self.item_id.as_deref(), self.path.as_deref())?;
        let conflict = self.conflict(&place)?;
        let source = self.source()?;
        let request = self.request(&place, conflict, &source)?;
        place.require(call, Scope::FilesReadWrite, Scope::FilesReadWriteAll)?;
        let clash = |error| taken(error, "path", "choose another name, or ifExists=replace or rename");
        if let Source::Link { size } = source {
            let session: Session = call.json(&request).await.map_err(clash)?;
            return link(call, session, size);
        }
        let response = call.send(&request).await.map_err(clash)?;
        let status = if response.status == 201 { "created" } else { "replaced" };
        let item: DriveItem = response
            .json()
            .map_err(|failure| ToolError::Graph { failure: failure.maybe_acted(), repeatable: request.idempotent })?;
        Ok(Answer::of(&Done::of(status, item)))
    }
}

impl UploadFile {
    /// What Graph does where the file is there already; `None` where the id says which file it is.
    fn conflict(&self, place: &Place<'_>) -> Result<Option<IfExists>, ToolError> {
        let wanted = self.if_exists.unwrap_or_default();
        if let Some(etag) = &self.etag
            && (etag.is_empty() || etag.len() > 300 || !etag.bytes().all(|byte| byte.is_ascii_graphic()))
        {
            return Err(ToolError::argument("etag", "not one that readFile with as=info gave"));
        }
        if place.is_root() {
            return Err(ToolError::argument("path", "needs the name of the file, such as /Reports/notes.md"));
        }
        if place.is_named() {
            return match (&self.etag, wanted) {
                (Some(_), IfExists::Fail | IfExists::Rename) => {
                    Err(ToolError::argument("etag", "goes with ifExists=replace"))
                }
                (Some(_) | None, _) => Ok(Some(wanted)),
            };
        }
        match (&self.etag, self.if_exists) {
            (None, _) => {
                Err(ToolError::argument("etag", "is needed to replace a file by its id: readFile with as=info has it"))
            }
            (Some(_), Some(IfExists::Fail | IfExists::Rename)) => {
                Err(ToolError::argument("ifExists", "a file by its id is replaced: leave it out"))
            }
            (Some(_), Some(IfExists::Replace) | None) => Ok(None),
        }
    }

    fn source(&self) -> Result<Source, ToolError> {
        match (&self.text, &self.base64, self.size) {
            (Some(text), None, None) => sized("text", "text/plain", text.as_bytes().to_vec()),
            (None, Some(text), None) => {
                let bytes = STANDARD.decode(text.trim());
                let bytes = bytes.map_err(|_| ToolError::argument("base64", "not base64 such as SGVsbG8="))?;
                sized("base64", "application/octet-stream", bytes)
            }
            (None, None, Some(size)) if (1..=LARGEST_BY_LINK).contains(&size) => Ok(Source::Link { size }),
            (None, None, Some(_)) => Err(ToolError::argument("size", "from 1 byte to 250 GB")),
            _ => Err(ToolError::argument("text", "give exactly one of text, base64 and size")),
        }
    }

    fn request(
        &self,
        place: &Place<'_>,
        conflict: Option<IfExists>,
        source: &Source,
    ) -> Result<GraphRequest, ToolError> {
        let word = |conflict| match conflict {
            IfExists::Fail => "fail",
            IfExists::Replace => "replace",
            IfExists::Rename => "rename",
        };
        let build = |method, last| GraphRequest::new(method, &place.segments(&[Segment::Word(last)]));
        let request = match source {
            Source::Bytes { media_type, bytes } => {
                let put = build(Method::Put, "content")?.content(media_type, bytes.clone());
                let put = conflict.map_or_else(|| put.clone(), |conflict| put.clone().query(CONFLICT, word(conflict)));
                // Only to replace whatever is there does no more the second time.
                if conflict == Some(IfExists::Replace) && self.etag.is_none() { put } else { put.once() }
            }
            Source::Link { .. } => {
                let behaviour = word(conflict.unwrap_or(IfExists::Replace));
                build(Method::Post, "createUploadSession")?.body(json!({"item": {CONFLICT: behaviour}}))
            }
        };
        Ok(self.etag.iter().fold(request, |request, etag| request.header("if-match", etag)))
    }
}

fn sized(argument: &str, media_type: &'static str, bytes: Vec<u8>) -> Result<Source, ToolError> {
    match bytes.len() {
        length if length > LARGEST => {
            let problem = format!("{length} bytes, at most {LARGEST} are taken: give size instead, for an upload link");
            Err(ToolError::argument(argument, problem))
        }
        _ => Ok(Source::Bytes { media_type, bytes }),
    }
}

fn link(call: &Call<'_>, session: Session, size: u64) -> Outcome {
    let (address, _) = files_read::address(call, &session.upload_url)?;
    let last = size - 1;
    let note = format!(
        "PUT the bytes to link, without Authorization, with \"Content-Range: bytes 0-{last}/{size}\"; above 60 MiB in \
         order, in ranges of a multiple of 327680 bytes. It writes for anyone who has it: for the user alone."
    );
    let expires = session.expiration_date_time;
    Ok(Answer::of(&json!({"status": "uploadLink", "link": address, "expires": expires, "note": note})))
}
