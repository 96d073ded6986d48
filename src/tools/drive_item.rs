//! Graph's driveItem as the tools of files read it, and the row that a model sees of it.

use serde::{Deserialize, Serialize};

use super::answer::clean;
use super::arguments::LINE;

/// What a row is made of.
pub(super) const SELECT: &str =
    "id,name,size,folder,file,package,lastModifiedDateTime,lastModifiedBy,parentReference,remoteItem";

/// A file or folder.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DriveItem {
    pub id: String,
    pub name: Option<String>,
    pub size: Option<u64>,
    pub e_tag: Option<String>,
    pub web_url: Option<String>,
    pub created_date_time: Option<String>,
    pub last_modified_date_time: Option<String>,
    pub last_modified_by: Option<Identity>,
    pub folder: Option<Folder>,
    pub file: Option<File>,
    /// A notebook, which is neither.
    pub package: Option<Package>,
    pub parent_reference: Option<Parent>,
    /// What a shortcut into another drive leads to.
    pub remote_item: Option<Box<DriveItem>>,
    /// Pre-authenticated: opens for whoever has it.
    #[serde(rename = "@microsoft.graph.downloadUrl")]
    pub download_url: Option<String>,
}

/// A folder's facet.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Folder {
    pub child_count: Option<u32>,
}

/// A file's facet.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct File {
    pub mime_type: Option<String>,
}

/// The facet of a package.
#[derive(Deserialize)]
pub(super) struct Package {
    #[serde(rename = "type")]
    pub kind: Option<String>,
}

/// The folder that an item is in.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Parent {
    pub drive_id: Option<String>,
    pub path: Option<String>,
}

/// Graph's identitySet, as far as it names a person.
#[derive(Deserialize)]
pub(super) struct Identity {
    pub user: Option<Person>,
}

/// A person.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Person {
    pub display_name: Option<String>,
    pub email: Option<String>,
}

impl Identity {
    /// The person's name.
    pub fn shown(self) -> Option<String> {
        self.user.and_then(|user| user.display_name).map(|name| clean(&name, LINE))
    }
}

impl Person {
    /// Name and address, as far as there are any.
    pub fn shown(self) -> String {
        match (self.display_name, self.email) {
            (Some(name), Some(email)) if name != email => clean(&format!("{name} <{email}>"), 2 * LINE),
            (name, email) => clean(&email.or(name).unwrap_or_default(), LINE),
        }
    }
}

impl DriveItem {
    /// Its name, as others wrote it.
    pub fn shown_name(&self) -> String {
        clean(self.name.as_deref().unwrap_or_default(), LINE)
    }

    /// Its media type, where it is a file.
    pub fn media_type(&self) -> Option<&str> {
        self.file.as_ref()?.mime_type.as_deref()
    }

    /// The path of the folder that it is in.
    pub fn folder_path(&self) -> Option<String> {
        let path = self.parent_reference.as_ref()?.path.as_deref()?;
        let (_, below) = path.split_once("root:")?;
        Some(clean(if below.is_empty() { "/" } else { below }, 2 * LINE))
    }
}

/// A file or folder as a list shows it; what has `children` is a folder.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Row {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    drive_id: Option<String>,
    name: String,
    /// The folder that it is in, where that is not the one asked for.
    #[serde(rename = "in", skip_serializing_if = "Option::is_none")]
    within: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    children: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    package: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    modified: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
}

impl Row {
    /// The row of an item of the drive that was asked for; `found` by a search, so that its folder is not known.
    pub fn of(item: DriveItem, found: bool) -> Self {
        let name = item.shown_name();
        let within = if found { item.folder_path() } else { None };
        // A shortcut is what it leads to, in that drive.
        let (item, remote) = match item.remote_item {
            Some(target) => (*target, true),
            None => (item, false),
        };
        let drive_id = item.parent_reference.and_then(|parent| parent.drive_id).filter(|_| remote);
        Self {
            id: item.id,
            drive_id,
            name,
            within,
            size: item.size.filter(|_| item.folder.is_none()),
            children: item.folder.map(|folder| folder.child_count.unwrap_or_default()),
            package: item.package.and_then(|package| package.kind).map(|kind| clean(&kind, 40)),
            modified: item.last_modified_date_time,
            by: item.last_modified_by.and_then(Identity::shown),
        }
    }
}
