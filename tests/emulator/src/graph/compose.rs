//! Messages as clients write them: which members there are, their checks, and what Outlook fills in.

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

use super::error::GraphError;
use super::family::mail::attachments;
use super::message::KIND;
use super::shape::{item_body, known_members, recipients};
use super::store::Mailbox;
use crate::json::{items, set, text};
use crate::sample::mail::recipient;

const LISTS: &[&str] = &["toRecipients", "ccRecipients", "bccRecipients", "replyTo"];
const WRITABLE: &[&str] = &[
    "subject",
    "body",
    "toRecipients",
    "ccRecipients",
    "bccRecipients",
    "replyTo",
    "from",
    "sender",
    "importance",
    "internetMessageId",
    "internetMessageHeaders",
    "singleValueExtendedProperties",
    "categories",
    "flag",
    "isRead",
    "isDeliveryReceiptRequested",
    "isReadReceiptRequested",
    "inferenceClassification",
    "attachments",
];

/// Now, in whole seconds.
pub fn now() -> String {
    let second = OffsetDateTime::now_utc().replace_nanosecond(0).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    second.format(&Rfc3339).unwrap_or_default()
}

/// Refuses what is no message.
pub fn check(body: &Value) -> Result<(), GraphError> {
    known_members(body, WRITABLE, KIND)?;
    item_body(body.get("body"))?;
    if let Some(list) = body.get("attachments") {
        attachments::check_all(list)?;
    }
    for list in LISTS {
        recipients(body.get(list))?;
    }
    for property in items(body, "/singleValueExtendedProperties") {
        let id = text(property, "/id");
        let named = id.starts_with("String {")
            && id.contains("} Name ")
            && id.split_once("} Name ").is_some_and(|(_, name)| !name.is_empty());
        if !named || !property.get("value").is_some_and(Value::is_string) {
            return Err(GraphError::new(
                400,
                "ErrorInvalidProperty",
                "PropertyId values may only be in one of the following formats: 'MapiPropertyType namespaceGuid Name propertyName'.",
            ));
        }
    }
    Ok(())
}

/// A stored message made of what a client wrote.
pub fn compose(mailbox: &Mailbox, body: &Value) -> Value {
    let (stamp, me) = (now(), recipient((mailbox.user.name, mailbox.user.email)));
    let unique = Uuid::new_v4();
    let mut message = json!({
        "createdDateTime": stamp, "lastModifiedDateTime": stamp, "receivedDateTime": stamp, "sentDateTime": stamp,
        "categories": [], "hasAttachments": false, "internetMessageId": format!("<{unique}@mail.contoso.example>"),
        "subject": "", "importance": "normal", "conversationId": mailbox.conversation_id(&unique.to_string()),
        "conversationIndex": "AQHc", "isDeliveryReceiptRequested": false, "isReadReceiptRequested": false,
        "isRead": true, "isDraft": true, "webLink": "https://outlook.office365.example/owa/",
        "inferenceClassification": "focused", "body": {"contentType": "text", "content": ""},
        "uniqueBody": {"contentType": "text", "content": ""}, "internetMessageHeaders": [],
        "sender": me, "from": me, "toRecipients": [], "ccRecipients": [], "bccRecipients": [], "replyTo": [],
        "flag": {"flagStatus": "notFlagged"}, "singleValueExtendedProperties": [],
    });
    apply(&mut message, body);
    message
}

/// Puts a client's changes over a message.
pub fn apply(message: &mut Value, changes: &Value) {
    for (name, value) in changes.as_object().into_iter().flatten() {
        if name == "attachments" {
            let files = value.as_array().into_iter().flatten();
            files.for_each(|file| attachments::attach(message, file));
        } else if name == "body" {
            let kind = text(value, "/contentType").to_ascii_lowercase();
            let kind = if kind.is_empty() { "text" } else { kind.as_str() };
            let body = json!({"contentType": kind, "content": text(value, "/content")});
            set(message, "uniqueBody", body.clone());
            set(message, "body", body);
        } else if LISTS.contains(&name.as_str()) {
            // Outlook fills in a missing name with the address.
            let people = value.as_array().into_iter().flatten().map(|person| {
                let address = text(person, "/emailAddress/address");
                let name = Some(text(person, "/emailAddress/name")).filter(|name| !name.is_empty());
                recipient((name.unwrap_or(address), address))
            });
            set(message, name, people.collect::<Vec<_>>());
        } else {
            set(message, name, value.clone());
        }
    }
}
