//! The address book: saving and deleting contacts.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::answer::{Answer, clean};
use super::arguments::identifier;
use super::call::Call;
use super::outbox::IMMUTABLE;
use super::{Input, Kind, Outcome, Preset, Tool, handle, schema};
use crate::graph::GraphRequest;
use crate::graph::request::{Method, Segment};
use crate::identity::Scope;

/// The tools of this family.
pub(super) const TOOLS: &[Tool] = &[Tool {
    name: "deleteContact",
    title: "Delete a contact",
    description: "Delete a contact of the user's address book; it goes to Deleted Items.",
    kind: Kind::Destructive,
    preset: Preset::People,
    needs: &[Scope::ContactsReadWrite],
    also: &[],
    on_use: &[],
    example: r#"{"id":"AAkALgAA=","dryRun":true}"#,
    schema: schema::of::<DeleteContact>,
    handler: handle::<DeleteContact>,
}];

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct DeleteContact {
    /// From getContacts with source=contacts
    id: String,
    /// true: only say what would be deleted
    dry_run: Option<bool>,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Contact {
    id: String,
    display_name: Option<String>,
}

#[async_trait(?Send)]
impl Input for DeleteContact {
    async fn run(self, call: &Call<'_>) -> Outcome {
        let path = [Segment::Word("me"), Segment::Word("contacts"), Segment::Value(identifier("id", &self.id)?)];
        if self.dry_run == Some(true) {
            let request = GraphRequest::new(Method::Get, &path)?.query("$select", "id,displayName").prefer(IMMUTABLE);
            let mut contact: Contact = call.json(&request).await?;
            contact.display_name = contact.display_name.map(|name| clean(&name, 255));
            return Ok(Answer::planned(&json!({ "delete": contact })));
        }
        call.send(&GraphRequest::new(Method::Delete, &path)?.prefer(IMMUTABLE)).await?;
        Ok(Answer::of(&json!({"status": "deleted", "id": self.id})))
    }
}
