//! What a mail has to pass before it goes out: the send policy, with what the mail says and to whom at that moment.
//!
//! A new mail passes before it is drafted, so a refused one leaves nothing behind. A draft that was there before this
//! run, or of which Graph wrote parts, is read again and passes as it is then: what was changed since the user agreed
//! is asked about anew. One that was made here for an answer and is refused is thrown away.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Delivery, Outgoing, Source, unreadable};
use crate::crypto::Digest;
use crate::graph::request::Method;
use crate::tools::call::Call;
use crate::tools::error::ToolError;
use crate::tools::item::{Body, Party};
use crate::tools::ledger::Step;
use crate::tools::policy::{self, Deed};
use crate::tools::reach::{Reach, ascii};

/// What of a draft its digest and its form are made of.
const SELECT: &str = "subject,body,from,toRecipients,ccRecipients,bccRecipients";
const ATTACHMENTS: &str = "attachments($select=id,name,size)";

/// A mail of ours or of Graph's, as far as it is shown.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::tools) struct Mail {
    subject: Option<String>,
    body: Body,
    from: Option<Party>,
    #[serde(default)]
    to_recipients: Vec<Party>,
    #[serde(default)]
    cc_recipients: Vec<Party>,
    #[serde(default)]
    bcc_recipients: Vec<Party>,
    #[serde(default)]
    attachments: Vec<Attachment>,
    #[serde(skip)]
    question: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Attachment {
    id: Option<String>,
    name: Option<String>,
    size: Option<u64>,
    /// In a mail of ours, which Graph has not yet seen.
    content_bytes: Option<String>,
}

impl Mail {
    /// Reads what we or Graph wrote.
    pub fn read(call: &Call<'_>, mail: &Value) -> Result<Self, ToolError> {
        let mut mail = Self::deserialize(mail).map_err(|_| unreadable())?;
        let from = mail.from.as_ref().map(Party::address).unwrap_or_default();
        mail.question = if from.is_empty() || from.eq_ignore_ascii_case(call.own_address()) {
            "Send this mail?".to_owned()
        } else {
            format!("Send this mail from {}?", ascii(from))
        };
        Ok(mail)
    }

    /// Its going out.
    pub fn deed<'a>(&'a self, agreed: Option<&'a str>) -> Deed<'a> {
        let (to, cc, bcc) = (&self.to_recipients, &self.cc_recipients, &self.bcc_recipients);
        let people = [("To", to), ("Cc", cc), ("Bcc", bcc)];
        let people = people.iter().flat_map(|(how, list)| list.iter().map(|party| (*how, party.address().to_owned())));
        let files: Vec<_> = self.attachments.iter().map(Attachment::content).collect();
        Deed {
            question: &self.question,
            reach: Reach::People(people.collect()),
            subject: self.subject.as_deref().unwrap_or_default(),
            text: (&self.body.content_type, &self.body.content),
            attachments: self.attachments.iter().filter_map(|file| file.name.clone()).collect(),
            content: json!([
                self.from.as_ref().map(Party::address),
                self.subject,
                self.body.content_type,
                self.body.content,
                files,
            ]),
            is_draft: true,
            agreed,
        }
    }
}

impl Attachment {
    /// What nothing else is the same as.
    fn content(&self) -> Value {
        let digest = self.content_bytes.as_ref().map(|bytes| Digest::of(bytes.as_bytes()).to_string());
        json!([self.id, self.name, self.size, digest])
    }
}

impl Outgoing<'_> {
    /// A new mail, before there is anything. One that has to wait is drafted all the same.
    pub(super) async fn pass_new(&self, message: &Value) -> Result<(), ToolError> {
        match policy::pass(self.call, &Mail::read(self.call, message)?.deed(None)).await {
            Ok(()) => self.passed.set(true),
            Err(ToolError::Refused(refusal)) if refusal.keeps_draft() => {}
            Err(error) => return self.ledger.forget().and(Err(error)),
        }
        Ok(())
    }

    /// The draft as it is now. What becomes of it where it may not go out and stays.
    pub(super) async fn pass_draft(&self, id: &str) -> Result<Option<Delivery>, ToolError> {
        if self.passed.get() || !policy::matters(self.call) {
            return Ok(None);
        }
        let request = self.message(Method::Get, id)?.query("$select", SELECT).query("$expand", ATTACHMENTS);
        let found: Value = self.call.json(&request).await?;
        let draft = Mail::read(self.call, &found)?;
        if let Source::Derived { complete, .. } = &self.source {
            // It has been completed; what is learnt is whom it reaches.
            let _: Option<Value> = complete(&found);
        }
        let made_here = !matches!(self.source, Source::Saved(_));
        if made_here {
            self.ledger.mark(Step::Drafted, Some(id))?;
        }
        match policy::pass(self.call, &draft.deed(self.agreed)).await {
            Ok(()) => Ok(None),
            Err(ToolError::Refused(refusal)) if made_here && refusal.keeps_draft() => {
                Ok(Some(Delivery::Held(id.to_owned(), refusal)))
            }
            Err(error @ ToolError::Refused(_)) if made_here => {
                self.call.send(&self.message(Method::Delete, id)?).await?;
                self.ledger.forget().and(Err(error))
            }
            Err(error) => Err(error),
        }
    }
}
