//! The address book: saving and deleting contacts.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::address::Addresses;
use super::answer::{Answer, clean};
use super::arguments::{self, LINE, identifier};
use super::call::Call;
use super::outbox::IMMUTABLE;
use super::{Input, Kind, Outcome, Preset, Tool, ToolError, handle, schema};
use crate::graph::GraphRequest;
use crate::graph::request::{Method, Segment};
use crate::identity::Scope;

/// The tools of this family.
pub(super) const TOOLS: &[Tool] = &[
    Tool {
        name: "saveContact",
        title: "Save a contact",
        description: "Create a contact of the user's address book, or with id change one. Lists replace what was there.",
        kind: Kind::Write,
        preset: Preset::People,
        needs: &[Scope::ContactsReadWrite],
        also: &[],
        on_use: &[],
        example: r#"{"name":"Nora Lind","emails":["nora@fabrikam.example"],"mobile":"+49 30 5550100"}"#,
        schema: schema::of::<SaveContact>,
        handler: handle::<SaveContact>,
    },
    Tool {
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
    },
];

/// Addresses and business numbers that a contact has room for.
const ADDRESSES: usize = 3;
const PHONES: usize = 2;
/// Characters of a note.
const NOTES: usize = 30_000;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SaveContact {
    /// Absent: create
    id: Option<String>,
    /// Required to create
    name: Option<String>,
    /// At most 3
    emails: Option<Addresses>,
    /// Business numbers
    #[schemars(length(max = 2))]
    phones: Option<Vec<String>>,
    mobile: Option<String>,
    company: Option<String>,
    title: Option<String>,
    notes: Option<String>,
}

/// Graph's contact, as far as it is written here.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Fields {
    #[serde(skip_serializing_if = "Option::is_none")]
    display_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_addresses: Option<Vec<EmailAddress>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    business_phones: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mobile_phone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    company_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    job_title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    personal_notes: Option<String>,
}

#[derive(Serialize)]
struct EmailAddress {
    name: String,
    address: String,
}

#[async_trait(?Send)]
impl Input for SaveContact {
    async fn run(self, call: &Call<'_>) -> Outcome {
        let body = serde_json::to_value(self.fields()?).unwrap_or_default();
        let contacts = [Segment::Word("me"), Segment::Word("contacts")];
        let (request, status) = match self.id.as_deref() {
            Some(_) if body == json!({}) => {
                return Err(ToolError::argument("arguments", "name at least one thing to change"));
            }
            Some(id) => {
                let path = [contacts.as_slice(), &[Segment::Value(identifier("id", id)?)]].concat();
                // The same values once more change nothing.
                (GraphRequest::new(Method::Patch, &path)?.repeatable(), "changed")
            }
            None if self.name.is_none() => return Err(ToolError::argument("name", "a new contact needs one")),
            None => (GraphRequest::new(Method::Post, &contacts)?, "created"),
        };
        let mut contact: Contact = call.json(&request.prefer(IMMUTABLE).body(body)).await?;
        contact.display_name = contact.display_name.map(|name| clean(&name, 255));
        Ok(Answer::of(&json!({"status": status, "contact": contact})))
    }
}

impl SaveContact {
    fn fields(&self) -> Result<Fields, ToolError> {
        let line = |name, text: &Option<String>| arguments::optional(name, text.as_deref(), LINE);
        let name = line("name", &self.name)?;
        let emails = self.emails.as_ref().map(|emails| emails.checked("emails")).transpose()?;
        if emails.as_ref().is_some_and(|emails| emails.len() > ADDRESSES) {
            return Err(ToolError::argument("emails", "a contact has room for 3"));
        }
        if self.phones.as_ref().is_some_and(|phones| phones.len() > PHONES) {
            return Err(ToolError::argument("phones", "a contact has room for 2; another can be its mobile"));
        }
        let phones = self.phones.as_ref().map(|all| all.iter().map(|one| arguments::line("phones", one, 64)).collect());
        let entry = |address: String| EmailAddress { name: name.clone().unwrap_or_else(|| address.clone()), address };
        Ok(Fields {
            email_addresses: emails.map(|emails| emails.into_iter().map(entry).collect()),
            business_phones: phones.transpose()?,
            mobile_phone: line("mobile", &self.mobile)?,
            company_name: line("company", &self.company)?,
            job_title: line("title", &self.title)?,
            personal_notes: self.notes.as_deref().map(|text| arguments::prose("notes", text, NOTES)).transpose()?,
            display_name: name,
        })
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct DeleteContact {
    /// From getContacts with source=contacts
    id: String,
    /// Only say what it would do
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
