//! What Outlook's items share: how they are asked for, and people and bodies as Graph writes them.

use serde::Deserialize;

use super::ToolError;
use super::answer::clean;
use super::outbox::IMMUTABLE;
use super::text::{self, Cut};
use crate::graph::GraphRequest;
use crate::graph::request::{Method, Segment};

/// Reads items with ids that outlive a move. Bodies come as they were written: the text that Exchange would make of them
/// holds what their style hides.
pub(super) fn get(path: &[Segment<'_>]) -> Result<GraphRequest, ToolError> {
    Ok(GraphRequest::new(Method::Get, path)?.prefer(IMMUTABLE))
}

/// Somebody as Graph writes them.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Party {
    pub email_address: Option<EmailAddress>,
}

/// Graph's emailAddress.
#[derive(Deserialize)]
pub(super) struct EmailAddress {
    pub name: Option<String>,
    pub address: Option<String>,
}

impl Party {
    /// The address; nothing where there is none.
    pub fn address(&self) -> &str {
        self.email_address.as_ref().and_then(|mailbox| mailbox.address.as_deref()).unwrap_or_default()
    }

    /// Their name, or else their address.
    pub fn called(&self) -> String {
        let Some(mailbox) = &self.email_address else { return String::new() };
        let name = clean(mailbox.name.as_deref().unwrap_or_default(), 100);
        if name.is_empty() { clean(self.address(), 320) } else { name }
    }

    /// `Name <address>`, or what there is of it.
    pub fn shown(&self) -> String {
        let Some(mailbox) = &self.email_address else { return String::new() };
        let name = clean(mailbox.name.as_deref().unwrap_or_default(), 100);
        let address = clean(mailbox.address.as_deref().unwrap_or_default(), 320);
        if name.is_empty() || name == address { address } else { format!("{name} <{address}>") }
    }
}

/// Graph's itemBody.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Body {
    pub content_type: String,
    pub content: String,
}

impl Body {
    /// Its text, at most `most` characters, with the quoted history only if `quoted`.
    pub fn cut(&self, most: usize, quoted: bool) -> Cut {
        text::body(&self.content_type, &self.content, most, quoted)
    }
}

/// One line of text by others, as long as subjects and places are.
pub(super) fn line(text: Option<&str>) -> String {
    clean(text.unwrap_or_default(), 255)
}
