//! Files that go along with a mail: as base64 in the call, or from OneDrive and SharePoint, whose content is read here
//! so that it never passes the model.
//!
//! They stand in Graph's message or are added to a draft one by one; what is larger than such a request bears is
//! refused, because a link (`shareFile`) is the better way then.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::ToolError;
use super::arguments::{LINE, line};
use super::call::Call;
use super::files_read;
use super::place::Place;

/// Files of one call.
const MOST: usize = 10;
/// Bytes of those that stand in the call: a call that waits for a person's answer is kept in one row of 2 MB.
const HERE: usize = 1_000_000;
/// Bytes of all of them together: Graph takes 4 MB in one request, and base64 makes a third more of it.
const LARGEST: usize = 2_500_000;

// No doc comment: it would stand in every schema that has the field.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Attachment {
    name: Option<String>,
    base64: Option<String>,
    drive_id: Option<String>,
    item_id: Option<String>,
}

/// One file, checked.
enum File<'a> {
    Here { name: String, base64: &'a str },
    Drive { name: Option<String>, place: Place<'a>, argument: String },
}

/// The files of a call.
pub(super) struct Attachments<'a> {
    files: Vec<File<'a>>,
    /// Bytes that stand in the call.
    here: usize,
}

impl<'a> Attachments<'a> {
    /// The files of the argument `attachments`.
    pub fn checked(list: Option<&'a [Attachment]>) -> Result<Self, ToolError> {
        let list = list.unwrap_or_default();
        if list.len() > MOST {
            return Err(ToolError::argument("attachments", format!("{} files, at most {MOST} are taken", list.len())));
        }
        let mut all = Self { files: Vec::new(), here: 0 };
        for (at, attachment) in list.iter().enumerate() {
            let file = all.file(attachment, &format!("attachments[{at}]"))?;
            all.files.push(file);
        }
        Ok(all)
    }

    fn file(&mut self, given: &'a Attachment, at: &str) -> Result<File<'a>, ToolError> {
        let name = given.name.as_deref().map(|name| file_name(&format!("{at}.name"), name)).transpose()?;
        match (name, &given.base64, &given.item_id) {
            (Some(name), Some(base64), None) if given.drive_id.is_none() => {
                let argument = format!("{at}.base64");
                let bytes = STANDARD.decode(base64).map(|bytes| bytes.len()).unwrap_or_default();
                if bytes == 0 {
                    return Err(ToolError::argument(argument, "not base64 such as SGVsbG8="));
                }
                self.here += bytes;
                if self.here > HERE {
                    let problem =
                        "files in a call can be 1 MB in all: put it in OneDrive (uploadFile), then give its itemId";
                    return Err(ToolError::argument(argument, problem));
                }
                Ok(File::Here { name, base64 })
            }
            (name, None, Some(item)) => {
                let within = |error| match error {
                    ToolError::Argument { name, problem } => ToolError::argument(format!("{at}.{name}"), problem),
                    other => other,
                };
                let place = Place::parse(given.drive_id.as_deref(), Some(item), None).map_err(within)?;
                let argument = format!("{at}.itemId");
                if place.is_root() {
                    return Err(ToolError::argument(argument, "not a file: take the id of one as listFiles gives it"));
                }
                Ok(File::Drive { name, place, argument })
            }
            _ => Err(ToolError::argument(at, "give name and base64, or itemId (with driveId) of a file in OneDrive")),
        }
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Whether some have to be fetched.
    pub fn are_elsewhere(&self) -> bool {
        self.files.iter().any(|file| matches!(file, File::Drive { .. }))
    }

    /// Refuses the call when the token or this deployment does not let them be read.
    pub fn require(&self, call: &Call<'_>) -> Result<(), ToolError> {
        self.files.iter().try_for_each(|file| match file {
            File::Here { .. } => Ok(()),
            File::Drive { place, argument, .. } => files_read::may_copy(call, place, argument),
        })
    }

    /// All of them as Graph's fileAttachments.
    pub async fn read(self, call: &Call<'_>) -> Result<Vec<Value>, ToolError> {
        let (mut all, mut room) = (Vec::new(), LARGEST.saturating_sub(self.here));
        for file in self.files {
            all.push(match file {
                File::Here { name, base64 } => attached(&name, base64),
                File::Drive { name, place, argument } => {
                    let copied = files_read::copy(call, place, &argument, room).await?;
                    let (own, bytes) = copied.ok_or_else(|| too_large(&argument))?;
                    room = room.saturating_sub(bytes.len());
                    let name = name.map_or_else(|| file_name(&argument, &own), Ok)?;
                    attached(&name, &STANDARD.encode(bytes))
                }
            });
        }
        Ok(all)
    }
}

fn attached(name: &str, base64: &str) -> Value {
    json!({"@odata.type": "#microsoft.graph.fileAttachment", "name": name, "contentBytes": base64})
}

fn too_large(argument: &str) -> ToolError {
    let problem = "attachments can be 2.5 MB in all: share a link (shareFile) instead";
    ToolError::argument(argument, problem)
}

/// The name under which it is saved: no path, and nothing that a reader would take for another name.
fn file_name(argument: &str, text: &str) -> Result<String, ToolError> {
    let name = line(argument, text, LINE)?;
    if matches!(name.as_str(), "." | "..") || name.contains(['/', '\\', ':', '*', '?', '"', '<', '>', '|']) {
        let problem = "not a file's name such as offer.pdf: it takes none of / \\ : * ? \" < > |";
        return Err(ToolError::argument(argument, problem));
    }
    Ok(name)
}
