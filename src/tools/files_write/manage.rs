//! Making folders, and renaming, moving and copying what is there.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{CONFLICT, Done, taken};
use crate::graph::GraphRequest;
use crate::graph::request::{Method, Segment};
use crate::identity::Scope;
use crate::tools::answer::Answer;
use crate::tools::call::Call;
use crate::tools::drive_item::DriveItem;
use crate::tools::place::{self, Place};
use crate::tools::{Input, Kind, Outcome, Preset, Tool, ToolError, handle, schema};

/// The tool.
pub(super) const TOOL: Tool = Tool {
    name: "manageFile",
    title: "Manage files",
    description: "Create a folder in a folder; rename, move or copy a file or folder.",
    kind: Kind::Write,
    preset: Preset::Files,
    needs: &[Scope::FilesReadWrite],
    also: &[],
    on_use: &[Scope::FilesReadWriteAll],
    example: r#"{"action":"move","path":"/plan.docx","toFolder":"/Reports/2026"}"#,
    schema: schema::of::<ManageFile>,
    handler: handle::<ManageFile>,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum Action {
    CreateFolder,
    Rename,
    Move,
    Copy,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ManageFile {
    action: Action,
    drive_id: Option<String>,
    item_id: Option<String>,
    path: Option<String>,
    /// New name
    name: Option<String>,
    /// Path or id
    to_folder: Option<String>,
    /// To copy to another drive
    to_drive: Option<String>,
}

/// The folder that something goes to.
struct Target<'a> {
    place: Place<'a>,
    /// Its id and drive, where the arguments say them.
    id: Option<&'a str>,
    drive: Option<&'a str>,
}

#[async_trait(?Send)]
impl Input for ManageFile {
    async fn run(self, call: &Call<'_>) -> Outcome {
        let place = Place::parse(self.drive_id.as_deref(), self.item_id.as_deref(), self.path.as_deref())?;
        let name = self.name.as_deref().map(|name| place::name("name", name)).transpose()?;
        let target = self.check(&place)?;
        let request = self.request(&place)?;
        place.require(call, Scope::FilesReadWrite, Scope::FilesReadWriteAll)?;
        let mut body = serde_json::Map::new();
        body.extend(name.map(|name| ("name".to_owned(), name.into())));
        if let Some(target) = target {
            target.place.require(call, Scope::FilesReadWrite, Scope::FilesReadWriteAll)?;
            body.insert("parentReference".to_owned(), target.reference(call, self.action).await?);
        }
        if self.action == Action::CreateFolder {
            body.extend([("folder".to_owned(), json!({})), (CONFLICT.to_owned(), "fail".into())]);
        }
        let clash = |error| taken(error, "name", "choose another name");
        let request = request.body(Value::Object(body));
        if self.action == Action::Copy {
            // Where its progress could be asked is a pre-authenticated address of another host: it stays unasked.
            call.send(&request).await.map_err(clash)?;
            let note = "Microsoft copies it in the background: list the folder in a moment to see it.";
            return Ok(Answer::of(&json!({"status": "started", "note": note})));
        }
        let item: DriveItem = call.json(&request).await.map_err(clash)?;
        Ok(Answer::of(&Done::of(self.action.done(), item)))
    }
}

impl ManageFile {
    /// Whether the arguments go with the action; where to, where they say so.
    fn check<'a>(&'a self, place: &Place<'_>) -> Result<Option<Target<'a>>, ToolError> {
        let action = json!(self.action);
        let needed = |name: &str| Err(ToolError::argument(name, format!("is needed with action={action}")));
        let unused = |name: &str| Err(ToolError::argument(name, format!("means nothing with action={action}")));
        let named = self.name.is_some();
        match self.action {
            Action::CreateFolder | Action::Rename if !named => return needed("name"),
            Action::CreateFolder | Action::Rename if self.to_folder.is_some() => return unused("toFolder"),
            Action::CreateFolder => {}
            _ if place.is_root() => return needed("path"),
            Action::Move if self.to_folder.is_none() => return needed("toFolder"),
            Action::Copy if self.to_folder.is_none() && !named => return needed("toFolder"),
            Action::Rename | Action::Move | Action::Copy => {}
        }
        match (self.action, &self.to_drive) {
            (Action::Copy, Some(_)) if self.to_folder.is_none() => return needed("toFolder"),
            (Action::Copy, Some(_)) | (_, None) => {}
            (Action::Move, Some(_)) => {
                return Err(ToolError::argument("toDrive", "nothing moves between drives: copy it, then delete it"));
            }
            (Action::CreateFolder | Action::Rename, Some(_)) => return unused("toDrive"),
        }
        self.to_folder.as_deref().map(|to| self.target(to)).transpose()
    }

    fn target<'a>(&'a self, to: &'a str) -> Result<Target<'a>, ToolError> {
        let drive = self.to_drive.as_deref().or(self.drive_id.as_deref());
        drive.map(|id| place::key("toDrive", id)).transpose()?;
        // Graph takes no word for an id here: the root's own is looked up.
        let to = if to.trim().eq_ignore_ascii_case("root") { "/" } else { to };
        let is_path = to.trim_start().starts_with('/');
        let (id, path) = if is_path {
            (None, Some(place::names("toFolder", to)?))
        } else {
            (Some(place::key("toFolder", to)?), None)
        };
        Ok(Target { place: Place::parse(drive, id, path)?, id, drive })
    }

    fn request(&self, place: &Place<'_>) -> Result<GraphRequest, ToolError> {
        let build = |method, rest: &[Segment<'static>]| GraphRequest::new(method, &place.segments(rest));
        Ok(match self.action {
            Action::CreateFolder => build(Method::Post, &[Segment::Word("children")])?,
            // The same name or folder once more changes nothing.
            Action::Rename | Action::Move => build(Method::Patch, &[])?.repeatable(),
            Action::Copy => build(Method::Post, &[Segment::Word("copy")])?,
        })
    }
}

impl Action {
    const fn done(self) -> &'static str {
        match self {
            Self::CreateFolder => "created",
            Self::Rename => "renamed",
            Self::Move => "moved",
            Self::Copy => "started",
        }
    }
}

impl Target<'_> {
    /// Graph's reference to the folder. A path is looked up, and for a copy the drive as well, because Graph wants both.
    async fn reference(&self, call: &Call<'_>, action: Action) -> Result<Value, ToolError> {
        match (self.id, self.drive, action) {
            (Some(id), _, Action::CreateFolder | Action::Rename | Action::Move) => Ok(json!({"id": id})),
            (Some(id), Some(drive), Action::Copy) => Ok(json!({"driveId": drive, "id": id})),
            (None, _, _) | (Some(_), None, Action::Copy) => {
                let path = self.place.segments(&[]);
                let look = GraphRequest::new(Method::Get, &path)?.query("$select", "id,folder,parentReference");
                let folder: DriveItem = call.json(&look).await?;
                if folder.folder.is_none() {
                    return Err(ToolError::argument("toFolder", "not a folder: name one, such as /Reports/2026"));
                }
                let drive = folder.parent_reference.and_then(|parent| parent.drive_id);
                Ok(match (drive, action) {
                    (Some(drive), Action::Copy) => json!({"driveId": drive, "id": folder.id}),
                    _ => json!({"id": folder.id}),
                })
            }
        }
    }
}
