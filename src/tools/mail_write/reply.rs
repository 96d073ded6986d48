//! Answering and forwarding. Graph makes the draft, with its recipients, its subject and the quoted history; what the
//! user wrote is put above that, and the draft goes out by `outbox`, at most once.

use std::cell::{Cell, RefCell};

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::above;
use crate::crypto::Digest;
use crate::identity::Scope;
use crate::tools::address::{self, Addresses, Recipient};
use crate::tools::answer::{Answer, clean};
use crate::tools::arguments::{self, BODY, identifier};
use crate::tools::call::Call;
use crate::tools::item::Party;
use crate::tools::ledger::Ledger;
use crate::tools::mailbox::Mailbox;
use crate::tools::outbox::{Outgoing, Source};
use crate::tools::policy;
use crate::tools::reach::Reach;
use crate::tools::send::{Body, ContentType, Mode, Sent, told};
use crate::tools::{Input, Kind, Outcome, Preset, Tool, ToolError, handle, schema};

/// The tool.
pub(super) const TOOL: Tool = Tool {
    name: "replyToEmail",
    title: "Reply or forward",
    description: "Reply, reply to all or forward, keeping the thread. mode=draft saves it for review instead.",
    kind: Kind::Outward,
    preset: Preset::Mail,
    needs: &[Scope::MailReadWrite],
    also: &[Scope::MailSend, Scope::MailboxSettingsRead],
    on_use: &[Scope::MailReadWriteShared, Scope::MailSendShared],
    example: r#"{"id":"AAkALgAA=","body":"Thank you.","contentType":"text"}"#,
    schema: schema::of::<ReplyToEmail>,
    handler: handle::<ReplyToEmail>,
};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum Manner {
    #[default]
    Reply,
    ReplyAll,
    Forward,
}

impl Manner {
    const fn action(self) -> &'static str {
        match self {
            Self::Reply => "createReply",
            Self::ReplyAll => "createReplyAll",
            Self::Forward => "createForward",
        }
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ReplyToEmail {
    id: String,
    #[schemars(extend("default" = "reply"))]
    kind: Option<Manner>,
    body: String,
    #[schemars(extend("default" = "html"))]
    content_type: Option<ContentType>,
    /// Further recipients; needed to forward
    to: Option<Addresses>,
    cc: Option<Addresses>,
    #[schemars(extend("default" = "send"))]
    mode: Option<Mode>,
    /// Shared mailbox address
    mailbox: Option<String>,
    idempotency_key: Option<String>,
    // Not taken; only so that whoever tries is told how it is done.
    #[schemars(skip)]
    attachments: Option<IgnoredAny>,
}

/// What the caller wrote, checked.
struct Answering<'a> {
    id: &'a str,
    manner: Manner,
    html: String,
    to: Vec<String>,
    cc: Vec<String>,
}

#[derive(Serialize)]
struct Answered<'a> {
    #[serde(flatten)]
    sent: Sent<'a>,
    /// Whom Graph and the caller named, as the draft has them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    to: Vec<String>,
}

#[async_trait(?Send)]
impl Input for ReplyToEmail {
    async fn run(self, call: &Call<'_>) -> Outcome {
        let answering = self.checked()?;
        let mailbox = Mailbox::parse(self.mailbox.as_deref())?;
        let given = arguments::key(self.idempotency_key.as_deref())?;
        let send = self.mode.unwrap_or_default() == Mode::Send;
        mailbox.require(call, Scope::MailReadWrite, Scope::MailReadWriteShared)?;
        if send {
            mailbox.require(call, Scope::MailSend, Scope::MailSendShared)?;
        }
        if send {
            policy::foresee(call, &Reach::people(&[("To", &answering.to), ("Cc", &answering.cc)]))?;
        }
        let key = call.key(given);
        let reached = RefCell::new(Vec::new());
        let complete = |draft: &Value| answering.changes(draft, &reached);
        let (action, of, message) = (answering.manner.action(), answering.id, answering.message());
        let source = Source::Derived { action, of, message, complete: &complete };
        let (mailbox, passed) = (&mailbox, Cell::default());
        let ledger = Ledger::of(call, &key, &answering.digest(send, mailbox));
        let outgoing = Outgoing { call, ledger, key: Some(&key), mailbox, source, send, agreed: None, passed };
        let delivery = outgoing.deliver().await?;
        let to = reached.into_inner();
        let recipients = Some(to.len()).filter(|count| *count > 0);
        Ok(Answer::of(&Answered { sent: told(delivery, recipients, &key), to }))
    }
}

impl ReplyToEmail {
    fn checked(&self) -> Result<Answering<'_>, ToolError> {
        if self.attachments.is_some() {
            let way = "not here: use mode=draft, then updateDraft with the attachments, then sendDraft";
            return Err(ToolError::argument("attachments", way));
        }
        let manner = self.kind.unwrap_or_default();
        let to = address::optional("to", self.to.as_ref())?;
        if manner == Manner::Forward && to.is_empty() {
            return Err(ToolError::argument("to", "a forward needs at least one e-mail address"));
        }
        let body = arguments::prose("body", &self.body, BODY)?;
        Ok(Answering {
            id: identifier("id", &self.id)?,
            manner,
            html: above::html(self.content_type.unwrap_or_default(), &body),
            to,
            cc: address::optional("cc", self.cc.as_ref())?,
        })
    }
}

impl Answering<'_> {
    /// What Graph is to start from. A forward without a recipient it would refuse; to an answer it names its own.
    fn message(&self) -> Value {
        match self.manner {
            Manner::Forward => json!({ "toRecipients": Recipient::all(&self.to) }),
            Manner::Reply | Manner::ReplyAll => json!({}),
        }
    }

    fn digest(&self, send: bool, mailbox: &Mailbox) -> Digest {
        let mailbox = match mailbox {
            Mailbox::Own => "",
            Mailbox::Shared(address) => address,
        };
        let all = json!([send, mailbox, self.id, self.manner, self.html, self.to, self.cc]);
        Digest::of(all.to_string().as_bytes())
    }

    /// The changes to Graph's draft; `reached` learns to whom it goes.
    fn changes(&self, draft: &Value, reached: &RefCell<Vec<String>>) -> Option<Value> {
        let draft = Draft::deserialize(draft).ok()?;
        let (to, cc) = (together(&draft.to_recipients, &self.to), together(&draft.cc_recipients, &self.cc));
        *reached.borrow_mut() = to.iter().chain(&cc).map(|address| clean(address, 320)).collect();
        let list = |added: &[String], all: &[String]| (!added.is_empty()).then(|| Recipient::all(all));
        let content = above::history(&self.html, &draft.body.content_type, &draft.body.content);
        Some(json!(Changes {
            body: Body { content_type: ContentType::Html, content },
            to_recipients: list(&self.to, &to),
            cc_recipients: list(&self.cc, &cc),
        }))
    }
}

/// Graph's draft, as far as it is completed. Nothing has a default: what is missing here would be missing in the mail.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Draft {
    body: Written,
    to_recipients: Vec<Party>,
    cc_recipients: Vec<Party>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    content_type: String,
    content: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Changes {
    body: Body,
    #[serde(skip_serializing_if = "Option::is_none")]
    to_recipients: Option<Vec<Recipient>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cc_recipients: Option<Vec<Recipient>>,
}

/// The addresses of a draft's list and those that are added, each once.
fn together(known: &[Party], added: &[String]) -> Vec<String> {
    let known = known.iter().filter_map(|party| party.email_address.as_ref()?.address.clone());
    let mut all: Vec<String> = known.collect();
    for address in added {
        if !all.iter().any(|known| known.eq_ignore_ascii_case(address)) {
            all.push(address.clone());
        }
    }
    all
}
