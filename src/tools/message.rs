//! A mail as Graph writes it and as a model reads it, in a list or alone.

use serde::{Deserialize, Serialize};

use super::item::{Body, Party, line};
use super::text::{self, Cut};

/// What a list asks for.
pub(super) const LISTED: &str =
    "id,subject,from,toRecipients,receivedDateTime,bodyPreview,isRead,hasAttachments,importance";
/// What one mail is read with.
pub(super) const WHOLE: &str = "id,subject,from,toRecipients,ccRecipients,receivedDateTime,body,isDraft,hasAttachments";
/// As many recipients as say who is meant.
const RECIPIENTS: usize = 20;

/// Graph's message, as far as one of the selections fills it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Message {
    id: String,
    subject: Option<String>,
    from: Option<Party>,
    #[serde(default)]
    to_recipients: Vec<Party>,
    #[serde(default)]
    cc_recipients: Vec<Party>,
    received_date_time: Option<String>,
    body_preview: Option<String>,
    body: Option<Body>,
    is_read: Option<bool>,
    is_draft: Option<bool>,
    has_attachments: Option<bool>,
    importance: Option<String>,
}

/// What a model reads of it: nothing that is empty, nothing that goes without saying.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Email {
    id: String,
    from: String,
    /// Absent where it is the user alone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    to: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cc: Vec<String>,
    subject: String,
    received: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    preview: Option<String>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    text: Option<Text>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    unread: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    draft: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    attachments: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    importance: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Text {
    body: String,
    truncated: bool,
    /// An earlier message stood below and was left out.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    quoted_cut: bool,
}

impl Message {
    /// To the user with the address `own`, with its body, if that was asked for, of at most `most` characters; with what it quotes only if `quoted`.
    pub fn shown(self, own: &str, (most, quoted): (usize, bool)) -> Email {
        let to = match self.to_recipients.as_slice() {
            [only] if only.address().eq_ignore_ascii_case(own) => &[],
            all => all,
        };
        let shown = |parties: &[Party]| parties.iter().take(RECIPIENTS).map(Party::shown).collect();
        Email {
            id: self.id,
            from: self.from.map(|party| party.shown()).unwrap_or_default(),
            to: shown(to),
            cc: shown(&self.cc_recipients),
            subject: line(self.subject.as_deref()),
            received: self.received_date_time.unwrap_or_default(),
            preview: self.body_preview.map(|preview| text::preview(&preview)),
            text: self.body.map(|body| body.cut(most, quoted).into()),
            unread: self.is_read == Some(false),
            draft: self.is_draft == Some(true),
            attachments: self.has_attachments == Some(true),
            importance: self.importance.filter(|importance| importance != "normal"),
        }
    }
}

impl From<Cut> for Text {
    fn from(cut: Cut) -> Self {
        Self { body: cut.text, truncated: cut.truncated, quoted_cut: cut.above_history }
    }
}
