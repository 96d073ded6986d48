//! At most once: mails and messages, for which Graph has no idempotency of its own.
//!
//! A mail is made as a draft that carries our key, then sent; a draft that has left the drafts cannot be sent again, so
//! after doubt one look at it says whether it went. Where only sending is permitted, and for Teams, there is nothing to
//! look at: the request goes out once, and doubt is reported.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::call::Call;
use super::error::{Doubt, ToolError};
use super::ledger::{Entry, Ledger, Step};
use crate::crypto::Digest;
use crate::graph::request::{Method, Segment, filter_literal};
use crate::graph::{Failure, GraphRequest, GraphResponse, Origin};

/// Named MAPI property that holds the key's digest; its GUID is this server's own.
const PROPERTY: &str = "String {8b5f4f0a-5c0e-4b7e-9d43-6a1f0c2e7d11} Name m365McpKey";
/// Seconds that Exchange gets to take a draft away before it is sent once more.
const SETTLE: u64 = 60;
/// Wait before the second look after doubt.
const LOOK_AGAIN_MS: u64 = 2000;
pub(super) const IMMUTABLE: &str = "IdType=\"ImmutableId\"";

/// What became of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Delivery {
    /// It lies in the drafts.
    Draft(String),
    /// It was sent now.
    Sent,
    /// It was sent by an earlier call with the same key.
    SentBefore,
}

/// A mail on its way.
pub(super) struct Outgoing<'a> {
    pub call: &'a Call<'a>,
    pub ledger: Ledger<'a>,
    /// The caller's key or one of ours, for the hint.
    pub key: &'a str,
    pub message: Value,
    /// Whether it goes out, or stays a draft.
    pub send: bool,
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
    pub async fn deliver(&self, arguments: &Digest) -> Result<Delivery, ToolError> {
        let entry = self.ledger.open(arguments)?;
        let outcome = self.go_on(entry).await;
        self.ledger.release();
        outcome
    }

    async fn go_on(&self, entry: Option<Entry>) -> Result<Delivery, ToolError> {
        let Some(entry) = entry else { return self.draft_and_send().await };
        match (entry.step, entry.draft) {
            (Step::Begun, _) | (Step::Drafted, None) => match self.find().await? {
                Some(look) if !look.is_draft => Ok(self.done(Delivery::SentBefore)),
                Some(look) => self.proceed(&look.id).await,
                None => self.draft_and_send().await,
            },
            (Step::Drafted, Some(id)) => self.proceed(&id).await,
            (Step::Sending, Some(id)) => self.resend(&id, entry.at).await,
            (Step::Sending, None) => Err(unknown("The mail may have been sent.")),
            (Step::Done, Some(id)) if !self.send => Ok(Delivery::Draft(id)),
            (Step::Done, _) => Ok(Delivery::SentBefore),
        }
    }

    async fn draft_and_send(&self) -> Result<Delivery, ToolError> {
        let mut message = self.message.clone();
        if let Value::Object(fields) = &mut message {
            let property = json!([{"id": PROPERTY, "value": self.ledger.key()}]);
            fields.insert("singleValueExtendedProperties".to_owned(), property);
        }
        let request = GraphRequest::new(Method::Post, &[Segment::Word("me"), Segment::Word("messages")])?
            .prefer(IMMUTABLE)
            .body(message);
        self.ledger.mark(Step::Begun, None)?;
        let draft: Look = match self.call.json(&request).await {
            Err(error) if error.in_doubt() => return self.draft_in_doubt().await,
            Err(error) => {
                self.ledger.forget()?;
                return Err(error);
            }
            Ok(draft) => draft,
        };
        self.proceed(&draft.id).await
    }

    async fn draft_in_doubt(&self) -> Result<Delivery, ToolError> {
        match self.find().await {
            Ok(Some(look)) if look.is_draft => self.proceed(&look.id).await,
            Ok(Some(_)) => Ok(self.done(Delivery::SentBefore)),
            Ok(None) | Err(_) => Err(self.unconfirmed("Nothing was sent, but a draft may have been left behind.", 5)),
        }
    }

    /// Sends a draft that certainly was not sent, unless a draft is all that was asked for.
    async fn proceed(&self, id: &str) -> Result<Delivery, ToolError> {
        if !self.send {
            self.ledger.mark(Step::Done, Some(id))?;
            return Ok(Delivery::Draft(id.to_owned()));
        }
        let path = [Segment::Word("me"), Segment::Word("messages"), Segment::Value(id), Segment::Word("send")];
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
        let path = [Segment::Word("me"), Segment::Word("messages"), Segment::Value(id)];
        let request = GraphRequest::new(Method::Get, &path)?.query("$select", "id,isDraft").prefer(IMMUTABLE);
        match self.call.json(&request).await {
            Ok(look) => Ok(Some(look)),
            Err(ToolError::Graph { failure: Failure { status: Some(404), .. }, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The message that carries our key.
    async fn find(&self) -> Result<Option<Look>, ToolError> {
        let carries = format!(
            "singleValueExtendedProperties/Any(ep: ep/id eq {} and ep/value eq {})",
            filter_literal(PROPERTY),
            filter_literal(self.ledger.key())
        );
        let request = GraphRequest::new(Method::Get, &[Segment::Word("me"), Segment::Word("messages")])?
            .query("$filter", carries)
            .query("$select", "id,isDraft")
            .query("$top", "1")
            .prefer(IMMUTABLE);
        let found: Found = self.call.json(&request).await?;
        Ok(found.value.into_iter().next())
    }

    fn unconfirmed(&self, what: &'static str, wait: u64) -> ToolError {
        let hint = format!(
            "Repeat the call unchanged with idempotencyKey {:?} after {wait} seconds: it looks first and never sends twice.",
            self.key
        );
        ToolError::Unconfirmed(Doubt { what, hint, retry_after: Some(wait) })
    }
}

/// Sends one request that cannot be looked up afterwards: once for a key, and never again after doubt. `None` when an
/// earlier call with the same key did it.
pub(super) async fn once(
    ledger: &Ledger<'_>,
    arguments: &Digest,
    call: &Call<'_>,
    request: &GraphRequest,
) -> Result<Option<GraphResponse>, ToolError> {
    let entry = ledger.open(arguments)?;
    let outcome = match entry.map(|entry| entry.step) {
        None | Some(Step::Begun | Step::Drafted) => post(ledger, call, request).await.map(Some),
        Some(Step::Sending) => Err(unknown("An earlier call with this idempotencyKey may have sent it.")),
        Some(Step::Done) => Ok(None),
    };
    ledger.release();
    outcome
}

async fn post(ledger: &Ledger<'_>, call: &Call<'_>, request: &GraphRequest) -> Result<GraphResponse, ToolError> {
    ledger.mark(Step::Sending, None)?;
    match call.send(request).await {
        Ok(response) => {
            // It is done even if that cannot be noted; the key then stays in doubt, which never sends twice.
            let _: Result<(), ToolError> = ledger.mark(Step::Done, None);
            Ok(response)
        }
        // Told as it is: which policy withheld the answer is worth more than that it is missing.
        Err(error @ ToolError::Graph { failure: Failure { origin: Origin::Policy, .. }, .. }) if error.in_doubt() => {
            Err(error)
        }
        Err(error) if error.in_doubt() => Err(unknown("It may have been sent although no result came back.")),
        Err(error) => {
            ledger.forget()?;
            Err(error)
        }
    }
}

fn unknown(what: &'static str) -> ToolError {
    let hint = "Look where it would have gone (Sent Items, the channel). Only if it is not there, call again with a new idempotencyKey.";
    ToolError::Unconfirmed(Doubt { what, hint: hint.to_owned(), retry_after: None })
}

/// The id under which Graph itself makes a repeated request harmless.
pub(super) fn transaction(key: &str) -> String {
    Digest::of(key.as_bytes()).to_string()
}

/// Sends a request that Graph makes harmless to repeat by [`transaction`], and reads its answer. The same key with other
/// arguments is refused, because Graph would answer with what it made the first time.
pub(super) async fn repeatable<T: DeserializeOwned>(
    call: &Call<'_>,
    key: &str,
    request: &GraphRequest,
) -> Result<T, ToolError> {
    let ledger = Ledger::of(call, key);
    let asked = json!([request.path_and_query(), request.body]);
    let known = ledger.open(&Digest::of(asked.to_string().as_bytes()))?.is_some();
    let outcome = call.json(request).await;
    let outcome = match outcome {
        Err(ToolError::Graph { failure, .. }) if failure.may_have_acted => Err(repeat_with(key)),
        Err(error) if !known => ledger.forget().and(Err(error)),
        Ok(_) | Err(_) => outcome,
    };
    ledger.release();
    outcome
}

fn repeat_with(key: &str) -> ToolError {
    let hint = format!("Repeat the call unchanged with idempotencyKey {key:?}: it does nothing twice.");
    ToolError::Unconfirmed(Doubt {
        what: "It may have been created although no result came back.",
        hint,
        retry_after: Some(5),
    })
}
