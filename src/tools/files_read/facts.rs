//! What is known of a file beside its content: metadata and versions.

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::tools::answer::{Answer, UNTRUSTED, clean};
use crate::tools::drive_item::{DriveItem, Identity};

/// Versions that are shown, the newest.
const VERSIONS: usize = 50;

/// The metadata of a file or folder.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Info {
    untrusted: &'static str,
    id: String,
    name: String,
    #[serde(rename = "in", skip_serializing_if = "Option::is_none")]
    within: Option<String>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    children: Option<u32>,
    size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    modified: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    drive_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    etag: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    web_url: Option<String>,
}

/// Graph's list of versions.
#[derive(Deserialize)]
pub(super) struct Versions {
    value: Vec<Version>,
    #[serde(rename = "@odata.nextLink")]
    next: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Version {
    id: String,
    size: Option<u64>,
    last_modified_date_time: Option<String>,
    last_modified_by: Option<Identity>,
}

impl Info {
    /// What is known of an item; `drive_id` where it is not in the user's own.
    pub fn of(item: DriveItem, drive_id: Option<String>) -> Self {
        Self {
            untrusted: UNTRUSTED,
            name: item.shown_name(),
            within: item.folder_path(),
            kind: shown_type(&item),
            children: item.folder.map(|folder| folder.child_count.unwrap_or_default()),
            size: item.size.unwrap_or_default(),
            created: item.created_date_time,
            modified: item.last_modified_date_time,
            by: item.last_modified_by.and_then(Identity::shown),
            drive_id,
            etag: item.e_tag,
            web_url: item.web_url,
            id: item.id,
        }
    }
}

/// Without parameters such as a charset; `oneNote` for a notebook.
pub(super) fn shown_type(item: &DriveItem) -> Option<String> {
    let package = || item.package.as_ref()?.kind.as_deref();
    item.media_type().or_else(package).map(|kind| clean(kind.split(';').next().unwrap_or_default(), 100))
}

/// The answer that shows them.
pub(super) fn shown_versions(versions: Versions) -> Answer {
    let truncated = versions.next.is_some() || versions.value.len() > VERSIONS;
    let rows: Vec<_> = versions.value.into_iter().take(VERSIONS).map(VersionRow::of).collect();
    Answer::of(&json!({"untrusted": UNTRUSTED, "versions": rows, "truncated": truncated}))
}

#[derive(Serialize)]
struct VersionRow {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    modified: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
}

impl VersionRow {
    fn of(version: Version) -> Self {
        let by = version.last_modified_by.and_then(Identity::shown);
        Self { id: version.id, size: version.size, modified: version.last_modified_date_time, by }
    }
}
