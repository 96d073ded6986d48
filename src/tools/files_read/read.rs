//! One file: its text by parts, what is known of it, its versions, or a link for the user.

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::download;
use super::facts::{Info, shown_type, shown_versions};
use crate::config::FileContent;
use crate::extract;
use crate::graph::GraphRequest;
use crate::graph::request::{Method, Segment};
use crate::identity::Scope;
use crate::tools::answer::{Answer, UNTRUSTED};
use crate::tools::arguments::bounded;
use crate::tools::call::Call;
use crate::tools::drive_item::DriveItem;
use crate::tools::place::Place;
use crate::tools::text::{Window, window};
use crate::tools::{Input, Kind, Outcome, Preset, Tool, ToolError, handle, schema};

/// The tool.
pub(super) const TOOL: Tool = Tool {
    name: "readFile",
    title: "Read a file",
    description: "A file's text by parts, its metadata, versions, or a short-lived download link.",
    kind: Kind::Read,
    preset: Preset::Files,
    needs: &[Scope::FilesRead],
    also: &[],
    on_use: &[Scope::FilesReadAll],
    example: r#"{"path":"/Reports/2026/notes.txt"}"#,
    schema: schema::of::<ReadFile>,
    handler: handle::<ReadFile>,
};

const FACTS: &str =
    "id,name,size,eTag,file,folder,package,webUrl,createdDateTime,lastModifiedDateTime,lastModifiedBy,parentReference";
const WITH_ADDRESS: &str = "id,name,size,file,folder,package,@microsoft.graph.downloadUrl";
/// Longest sharing link that is looked at.
const LINK: usize = 1400;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum As {
    #[default]
    Text,
    Info,
    Versions,
    Link,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ReadFile {
    drive_id: Option<String>,
    item_id: Option<String>,
    /// e.g. /Reports/plan.docx
    path: Option<String>,
    /// Instead: a sharing link
    share_url: Option<String>,
    #[serde(rename = "as")]
    #[schemars(extend("default" = "text"))]
    form: Option<As>,
    offset: Option<u32>,
    #[schemars(range(min = 1, max = 50000), extend("default" = 12000))]
    max_chars: Option<u32>,
}

/// What is read.
enum Target<'a> {
    Place(Place<'a>),
    /// By its sharing link, in Graph's form of it.
    Shared(String),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::tools) struct Content {
    untrusted: &'static str,
    name: String,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_offset: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

#[async_trait(?Send)]
impl Input for ReadFile {
    async fn run(self, call: &Call<'_>) -> Outcome {
        let most = bounded("maxChars", self.max_chars, 12_000, 50_000)?;
        let target = self.target()?;
        let facts = target.get(&[], FACTS)?;
        let with_address = target.get(&[], WITH_ADDRESS)?;
        target.require(call)?;
        let form = self.form.unwrap_or_default();
        match form {
            As::Info => Ok(Answer::of(&target.info(call.json(&facts).await?))),
            As::Versions => Ok(shown_versions(call.json(&target.versions(call, &facts).await?).await?)),
            As::Text | As::Link => {
                let item = file(call, &with_address, target.argument()).await?;
                if form == As::Link {
                    let address = download::address(call, &target.address(call, &item).await?)?.0;
                    let note = "Opens for anyone who has it, for some minutes: give it to the user alone.";
                    return Ok(Answer::of(
                        &json!({"name": item.shown_name(), "size": item.size, "link": address, "note": note}),
                    ));
                }
                let size = |number| usize::try_from(number).unwrap_or(usize::MAX);
                let (offset, most) = (size(self.offset.unwrap_or_default()), size(most));
                Ok(Answer::of(&target.text(call, &item, offset, most).await?))
            }
        }
    }
}

impl ReadFile {
    fn target(&self) -> Result<Target<'_>, ToolError> {
        let place = Place::parse(self.drive_id.as_deref(), self.item_id.as_deref(), self.path.as_deref())?;
        match &self.share_url {
            Some(url) if place == Place::default() => Ok(Target::Shared(share_token(url)?)),
            Some(_) => Err(ToolError::argument("shareUrl", "give it alone, or else itemId or path")),
            None if place.is_root() => Err(ToolError::argument("path", "give path, itemId or shareUrl")),
            None => Ok(Target::Place(place)),
        }
    }
}

impl Target<'_> {
    fn get(&self, rest: &[Segment<'static>], select: &str) -> Result<GraphRequest, ToolError> {
        let request = match self {
            Self::Place(place) => GraphRequest::new(Method::Get, &place.segments(rest))?,
            // A link that has to be redeemed is, for this request alone.
            Self::Shared(token) => {
                let path = [Segment::Word("shares"), Segment::Value(token), Segment::Word("driveItem")];
                GraphRequest::new(Method::Get, &[path.as_slice(), rest].concat())?
                    .prefer("redeemSharingLinkIfNecessary")
            }
        };
        Ok(if select.is_empty() { request } else { request.query("$select", select) })
    }

    /// Asks for its versions, which Graph has of an item in a drive and not of a link.
    async fn versions(&self, call: &Call<'_>, facts: &GraphRequest) -> Result<GraphRequest, ToolError> {
        let rest = [Segment::Word("versions")];
        let request = match self {
            Self::Place(place) => GraphRequest::new(Method::Get, &place.segments(&rest))?,
            Self::Shared(_) => {
                let item: DriveItem = call.json(facts).await?;
                let drive = item.parent_reference.and_then(|parent| parent.drive_id).unwrap_or_default();
                let place = Place::parse(Some(&drive), Some(&item.id), None)?;
                GraphRequest::new(Method::Get, &place.segments(&rest))?
            }
        };
        Ok(request.query("$select", "id,size,lastModifiedDateTime,lastModifiedBy"))
    }

    /// The argument that names it.
    const fn argument(&self) -> &'static str {
        match self {
            Self::Place(place) if place.is_named() => "path",
            Self::Place(_) => "itemId",
            Self::Shared(_) => "shareUrl",
        }
    }

    fn require(&self, call: &Call<'_>) -> Result<(), ToolError> {
        match self {
            Self::Place(place) => place.require(call, Scope::FilesRead, Scope::FilesReadAll),
            Self::Shared(_) => call.require(Scope::FilesReadAll),
        }
    }

    fn info(&self, item: DriveItem) -> Info {
        let drive = match self {
            Self::Place(place) => place.drive().map(str::to_owned),
            Self::Shared(_) => item.parent_reference.as_ref().and_then(|parent| parent.drive_id.clone()),
        };
        Info::of(item, drive)
    }

    /// The address of the content: with the item where Graph gives it there, else where Graph redirects to. The redirect
    /// comes back as it is; nobody follows it.
    async fn address(&self, call: &Call<'_>, item: &DriveItem) -> Result<String, ToolError> {
        if let Some(address) = &item.download_url {
            return Ok(address.clone());
        }
        let answer = call.send(&self.get(&[Segment::Word("content")], "")?).await?;
        let location = answer.headers.iter().find(|(name, _)| name == "location").map(|(_, value)| value.clone());
        Ok(location.unwrap_or_default())
    }

    async fn text(&self, call: &Call<'_>, item: &DriveItem, offset: usize, most: usize) -> Result<Content, ToolError> {
        let (name, kind) = (item.name.as_deref().unwrap_or_default(), item.media_type());
        if let Some(note) = unread(call, item) {
            return Ok(Content::of(item, Err(note)));
        }
        let bytes = download::fetch(call, &self.address(call, item).await?).await?;
        let read = extract::text(&*call.context.ports.documents, &bytes, name, kind);
        Ok(Content::of(item, read.map(|text| window(&text, offset, most)).map_err(|why| why.to_string())))
    }
}

/// What a request for an item finds, if it is a file.
async fn file(call: &Call<'_>, request: &GraphRequest, argument: &str) -> Result<DriveItem, ToolError> {
    let item: DriveItem = call.json(request).await?;
    match item.file {
        Some(_) => Ok(item),
        None => Err(ToolError::argument(argument, "not a file: listFiles shows what is in a folder")),
    }
}

/// The beginning of a file of the user's own drive, at most `most` characters of it.
pub(in crate::tools) async fn content(call: &Call<'_>, id: &str, most: usize) -> Result<Content, ToolError> {
    let target = Target::Place(Place::parse(None, Some(id), None)?);
    let item = file(call, &target.get(&[], WITH_ADDRESS)?, target.argument()).await?;
    target.text(call, &item, 0, most).await
}

/// Refuses what [`copy`] may not fetch.
pub(in crate::tools) fn may_copy(call: &Call<'_>, place: &Place<'_>, argument: &str) -> Result<(), ToolError> {
    if call.context.config.file_content == FileContent::Off {
        return Err(ToolError::argument(argument, "this server fetches no contents of files: shareFile makes a link"));
    }
    place.require(call, Scope::FilesRead, Scope::FilesReadAll)
}

/// The name and content of a file that is passed on; `None` where it has more than `most` bytes.
pub(in crate::tools) async fn copy(
    call: &Call<'_>,
    place: Place<'_>,
    argument: &str,
    most: usize,
) -> Result<Option<(String, Vec<u8>)>, ToolError> {
    let target = Target::Place(place);
    let item = file(call, &target.get(&[], WITH_ADDRESS)?, argument).await?;
    if item.size.is_some_and(|size| size > most as u64) {
        return Ok(None);
    }
    let bytes = download::fetch(call, &target.address(call, &item).await?).await?;
    Ok((bytes.len() <= most).then(|| (item.name.unwrap_or_default(), bytes)))
}

/// Why a content is not to be fetched.
fn unread(call: &Call<'_>, item: &DriveItem) -> Option<String> {
    if call.context.config.file_content == FileContent::Off {
        return Some("This server does not fetch contents of files: as=link gives a link for the user.".to_owned());
    }
    if item.size.is_some_and(|size| size > download::LARGEST as u64) {
        return Some("Larger than 10 MB: too large to be read; as=link gives a link.".to_owned());
    }
    extract::form(item.name.as_deref().unwrap_or_default(), item.media_type()).err().map(|why| why.to_string())
}

impl Content {
    fn of(item: &DriveItem, read: Result<Window, String>) -> Self {
        let (window, note) = read.map_or_else(|note| (None, Some(note)), |window| (Some(window), None));
        let (truncated, next_offset) = window.as_ref().map_or((false, None), |window| (window.truncated, window.next));
        Self {
            untrusted: UNTRUSTED,
            name: item.shown_name(),
            kind: shown_type(item),
            size: item.size.unwrap_or_default(),
            text: window.map(|window| window.text),
            truncated,
            next_offset,
            note,
        }
    }
}

/// Graph's form of a sharing link. What the link says is for Graph to judge; it is never fetched from here.
fn share_token(url: &str) -> Result<String, ToolError> {
    let url = url.trim();
    let plain = url.bytes().all(|byte| byte.is_ascii_graphic()) && url.len() <= LINK;
    if !plain || url.strip_prefix("https://").is_none_or(|rest| rest.starts_with('/') || !rest.contains('/')) {
        let problem = "not a sharing link such as https://contoso.sharepoint.com/:w:/g/Eabc";
        return Err(ToolError::argument("shareUrl", problem));
    }
    Ok(format!("u!{}", URL_SAFE_NO_PAD.encode(url)))
}
