//! At most once: mails and messages, for which Graph has no idempotency of its own.
//!
//! A mail is made as a draft that carries our key, then sent; a draft that has left the drafts cannot be sent again, so
//! after doubt one look at it says whether it went. An answer or a forward is a draft of Graph's that has to be
//! completed first: one of which it is not known whether it was is thrown away and made again. Where only sending is permitted, and for Teams, there is nothing to
//! look at: the request goes out once, and doubt is reported.

mod gate;
mod single;

use std::cell::Cell;

use serde::Deserialize;
use serde_json::{Value, json};

use super::call::Call;
use super::error::{Doubt, ToolError};
use super::ledger::{Entry, Ledger, Step};
use super::mailbox::Mailbox;
use super::policy::Refusal;
use super::zone;
use crate::graph::request::{Method, Segment, filter_literal};
use crate::graph::{Failure, GraphRequest, Origin};

pub(super) use gate::Mail;
pub(super) use single::{once, repeatable, transaction};

/// Named MAPI property that holds the ledger's stamp; its GUID is this server's own.
const PROPERTY: &str = "String {8b5f4f0a-5c0e-4b7e-9d43-6a1f0c2e7d11} Name m365McpKey";
/// Seconds that Exchange gets to take a draft away before it is sent once more.
const SETTLE: u64 = 60;
/// Wait before the second look after doubt.
const LOOK_AGAIN_MS: u64 = 2000;
pub(super) const IMMUTABLE: &str = "IdType=\"ImmutableId\"";

/// What became of it.
#[derive(Debug)]
pub(super) enum Delivery {
    /// It lies in the drafts.
    Draft(String),
    /// So it does, and it was to be sent.
    Held(String, Refusal),
    /// It was sent now.
    Sent,
    /// It was sent by an earlier call with the same key.
    SentBefore,
}

/// Where the draft comes from.
pub(super) enum Source<'a> {
    /// This message.
    New(Value),
    /// The draft of this id.
    Saved(&'a str),
    /// What this action makes of another mail (`createReply` and its like), once the changes are in it that the
    /// function reads off Graph's draft; `None` where that cannot be read.
    Derived { action: &'static str, of: &'a str, message: Value, complete: &'a dyn Fn(&Value) -> Option<Value> },
}

/// A mail on its way.
pub(super) struct Outgoing<'a> {
    pub call: &'a Call<'a>,
    pub ledger: Ledger<'a>,
    /// The caller's key or one of ours, for the hint; `None` where the tool takes none.
    pub key: Option<&'a str>,
    pub mailbox: &'a Mailbox,
    pub source: Source<'a>,
    /// Whether it goes out, or stays a draft.
    pub send: bool,
    /// The digest of what the user was shown, by the caller's word.
    pub agreed: Option<&'a str>,
    /// Whether what goes out has passed the policy in this run.
    pub passed: Cell<bool>,
}

/// A message as far as a look at it needs.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Look {
    id: String,
    is_draft: bool,
}

#[derive(Deserialize)]
struct Found {
    value: Vec<Look>,
}

impl Outgoing<'_> {
    /// Drafts and sends, or goes on where an earlier call with the same key stopped.
    pub async fn deliver(&self) -> Result<Delivery, ToolError> {
        let entry = self.ledger.open()?;
        let outcome = self.go_on(entry).await;
        self.ledger.release();
        outcome
    }

    async fn go_on(&self, entry: Option<Entry>) -> Result<Delivery, ToolError> {
        let Some(entry) = entry else { return self.begin().await };
        match (entry.step, entry.draft) {
            (Step::Begun, _) | (Step::Drafted, None) => self.begin_again().await,
            // Its owner may have sent it by other means meanwhile.
            (Step::Drafted, Some(id)) if matches!(self.source, Source::Saved(_)) => self.send_saved(&id).await,
            (Step::Drafted, Some(id)) => self.proceed(&id).await,
            (Step::Sending, Some(id)) => self.resend(&id, entry.at).await,
            (Step::Sending, None) => Err(unknown("The mail may have been sent.")),
            (Step::Done, Some(id)) if !self.send => Ok(Delivery::Draft(id)),
            (Step::Done, _) => Ok(Delivery::SentBefore),
        }
    }

    async fn begin(&self) -> Result<Delivery, ToolError> {
        match &self.source {
            Source::Saved(id) => self.send_saved(id).await,
            Source::New(message) => {
                if self.send {
                    self.pass_new(message).await?;
                }
                self.draft(&["messages"], None, message.clone()).await
            }
            Source::Derived { action, of, message, .. } => {
                self.draft(&["messages", action], Some(of), message.clone()).await
            }
        }
    }

    /// An earlier call may have left a draft behind.
    async fn begin_again(&self) -> Result<Delivery, ToolError> {
        if let Source::Saved(id) = self.source {
            return self.send_saved(id).await;
        }
        match (self.find().await?, &self.source) {
            (Some(look), _) if !look.is_draft => Ok(self.done(Delivery::SentBefore)),
            (Some(look), Source::Derived { .. }) => {
                self.call.send(&self.message(Method::Delete, &look.id)?).await?;
                self.begin().await
            }
            (Some(look), Source::New(_) | Source::Saved(_)) => self.proceed(&look.id).await,
            (None, _) => self.begin().await,
        }
    }

    async fn send_saved(&self, id: &str) -> Result<Delivery, ToolError> {
        match self.look(id).await? {
            Some(look) if look.is_draft => self.proceed(id).await,
            Some(_) => Ok(self.done(Delivery::SentBefore)),
            None => {
                self.ledger.forget()?;
                Err(ToolError::argument("id", "no draft has this id: it was sent or deleted, or never was one"))
            }
        }
    }

    /// Makes the draft: a message of ours, or what `words` make of the mail `of`.
    async fn draft(&self, words: &[&'static str], of: Option<&str>, mut message: Value) -> Result<Delivery, ToolError> {
        if let Value::Object(fields) = &mut message {
            let property = json!([{"id": PROPERTY, "value": self.ledger.stamp()}]);
            fields.insert("singleValueExtendedProperties".to_owned(), property);
        }
        let mut path: Vec<_> = words.iter().map(|word| Segment::Word(word)).collect();
        let body = if let Some(of) = of {
            path.insert(1, Segment::Value(of));
            json!({ "message": message })
        } else {
            message
        };
        let mut request = GraphRequest::new(Method::Post, &self.mailbox.path(&path))?.prefer(IMMUTABLE).body(body);
        if of.is_some() {
            // Else the history that Graph quotes says when a mail was sent in UTC.
            request = request.times_in(zone::choose(self.call, None).await?.name());
        }
        self.ledger.mark(Step::Begun, None)?;
        match self.call.json::<Value>(&request).await {
            Err(error) if error.in_doubt() => self.draft_in_doubt().await,
            Err(error) => {
                self.ledger.forget()?;
                Err(error)
            }
            Ok(draft) => self.complete(&draft).await,
        }
    }

    async fn draft_in_doubt(&self) -> Result<Delivery, ToolError> {
        match self.find().await {
            Ok(Some(look)) if !look.is_draft => Ok(self.done(Delivery::SentBefore)),
            Ok(Some(look)) if matches!(self.source, Source::New(_)) => self.proceed(&look.id).await,
            Ok(Some(look)) => {
                let draft: Value = self.call.json(&self.message(Method::Get, &look.id)?).await?;
                self.complete(&draft).await
            }
            Ok(None) | Err(_) => Err(self.unconfirmed("Nothing was sent, but a draft may have been left behind.", 5)),
        }
    }

    /// Puts into a draft of Graph's what the caller wrote. Until that is known to be done, nothing is sent.
    async fn complete(&self, draft: &Value) -> Result<Delivery, ToolError> {
        let look = Look::deserialize(draft).map_err(|_| unreadable())?;
        if let Source::Derived { complete, .. } = &self.source {
            let changes = complete(draft).ok_or_else(unreadable)?;
            // The values are absolute: the same change once more changes nothing.
            self.call.send(&self.message(Method::Patch, &look.id)?.body(changes).repeatable()).await?;
            self.ledger.mark(Step::Drafted, Some(&look.id))?;
        }
        self.proceed(&look.id).await
    }

    /// Sends a draft that certainly was not sent, unless a draft is all that was asked for or it may not go out.
    async fn proceed(&self, id: &str) -> Result<Delivery, ToolError> {
        if !self.send {
            self.ledger.mark(Step::Done, Some(id))?;
            return Ok(Delivery::Draft(id.to_owned()));
        }
        if let Some(kept) = self.pass_draft(id).await? {
            return Ok(kept);
        }
        let path = self.mailbox.path(&[Segment::Word("messages"), Segment::Value(id), Segment::Word("send")]);
        let request = GraphRequest::new(Method::Post, &path)?.prefer(IMMUTABLE);
        self.ledger.mark(Step::Sending, Some(id))?;
        match self.call.send(&request).await {
            Ok(_) => Ok(self.done(Delivery::Sent)),
            Err(error) if error.in_doubt() => self.send_in_doubt(id).await,
            Err(error) => {
                self.ledger.mark(Step::Drafted, Some(id))?;
                Err(error)
            }
        }
    }

    async fn send_in_doubt(&self, id: &str) -> Result<Delivery, ToolError> {
        for wait in [0, LOOK_AGAIN_MS] {
            if wait > 0 {
                self.call.context.ports.timer.sleep(wait).await;
            }
            match self.look(id).await {
                Ok(Some(look)) if !look.is_draft => return Ok(self.done(Delivery::Sent)),
                Ok(_) | Err(_) => {}
            }
        }
        Err(self.unconfirmed("It is not confirmed that the mail was sent.", SETTLE))
    }

    /// An earlier call asked Graph to send this draft and got no answer.
    async fn resend(&self, id: &str, asked_at: u64) -> Result<Delivery, ToolError> {
        match self.look(id).await? {
            None => Err(unknown("The draft is gone: the mail may have been sent.")),
            Some(look) if !look.is_draft => Ok(self.done(Delivery::SentBefore)),
            Some(_) => match (asked_at + SETTLE).checked_sub(self.call.now()).filter(|left| *left > 0) {
                Some(left) => Err(self.unconfirmed("It is not confirmed that the mail was sent.", left)),
                None => self.proceed(id).await,
            },
        }
    }

    /// Notes that it is done. When that fails the mail is out all the same, and a look at the draft will say so.
    fn done(&self, delivery: Delivery) -> Delivery {
        match self.ledger.mark(Step::Done, None) {
            Ok(()) | Err(_) => delivery,
        }
    }

    async fn look(&self, id: &str) -> Result<Option<Look>, ToolError> {
        let request = self.message(Method::Get, id)?.query("$select", "id,isDraft");
        match self.call.json(&request).await {
            Ok(look) => Ok(Some(look)),
            Err(ToolError::Graph { failure: Failure { status: Some(404), .. }, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn message(&self, method: Method, id: &str) -> Result<GraphRequest, ToolError> {
        let path = self.mailbox.path(&[Segment::Word("messages"), Segment::Value(id)]);
        Ok(GraphRequest::new(method, &path)?.prefer(IMMUTABLE))
    }

    /// The message that carries our key.
    async fn find(&self) -> Result<Option<Look>, ToolError> {
        let carries = format!(
            "singleValueExtendedProperties/Any(ep: ep/id eq {} and ep/value eq {})",
            filter_literal(PROPERTY),
            filter_literal(&self.ledger.stamp())
        );
        let request = GraphRequest::new(Method::Get, &self.mailbox.path(&[Segment::Word("messages")]))?
            .query("$filter", carries)
            .query("$select", "id,isDraft")
            .query("$top", "1")
            .prefer(IMMUTABLE);
        let found: Found = self.call.json(&request).await?;
        Ok(found.value.into_iter().next())
    }

    fn unconfirmed(&self, what: &'static str, wait: u64) -> ToolError {
        let with = self.key.map(|key| format!(" with idempotencyKey {key:?}")).unwrap_or_default();
        let hint =
            format!("Repeat the call unchanged{with} after {wait} seconds: it looks first and never sends twice.");
        ToolError::Unconfirmed(Doubt { what, hint, retry_after: Some(wait) })
    }
}

/// Graph made a draft, in words that cannot be read.
fn unreadable() -> ToolError {
    let failure = Failure::of(Origin::Graph, "UnreadableAnswer").maybe_acted();
    ToolError::Graph { failure, repeatable: false }
}

fn unknown(what: &'static str) -> ToolError {
    let hint = "Look where it would have gone (Sent Items, the channel). Only if it is not there, call again with a new idempotencyKey.";
    ToolError::Unconfirmed(Doubt { what, hint: hint.to_owned(), retry_after: None })
}
