//! The one place through which everything passes that reaches other people, before any of it leaves: what the operator
//! allows (`SEND_POLICY`), what the user agrees to, how often.
//!
//! A handler describes its [`Deed`] and calls [`pass`]: to go on, to be refused, or to end with a question to the
//! client, whose answer comes with a second run. The answer is bound to the whole question, and that holds a digest of
//! everything that goes out, so who agreed to one mail did not agree to another. Sends nothing itself.

use std::fmt;

use serde_json::{Value, json};

use super::ask::Elicited;
use super::call::Call;
use super::error::ToolError;
use super::reach::{House, Reach};
use super::{answer, text};
use crate::agent::{AgentName, Command, InputMethod, Reply, UserCommand, UserReply};
use crate::config::{Confirm, Fallback, SendPolicy};
use crate::crypto::Digest;

/// Characters of the subject and of the text that a person is shown.
const SUBJECT: usize = 200;
const TEXT: usize = 600;
/// Characters of a digest that are shown: 96 bits.
const DIGEST: usize = 16;
/// Attachments that are named.
const NAMED: usize = 10;

/// Something that other people will see, as it is shown to the person who has to agree.
pub(super) struct Deed<'a> {
    /// What is asked, such as `Send this mail?`.
    pub question: &'a str,
    /// Whom it reaches.
    pub reach: Reach<'a>,
    /// Its subject or title.
    pub subject: &'a str,
    /// Its text: `html` or `text`, and the text.
    pub text: (&'a str, &'a str),
    /// Names of what goes along.
    pub attachments: Vec<String>,
    /// All that goes out. Agreement is to exactly this.
    pub content: Value,
    /// Whether it can wait as a draft.
    pub is_draft: bool,
    /// The digest of what the user was shown, by the caller's word.
    pub agreed: Option<&'a str>,
}

/// Why it does not go out.
#[derive(Debug)]
pub(super) enum Refusal {
    /// Recipients may not be there.
    Recipient(String),
    /// Too many recipients outside.
    External { found: usize, most: usize },
    /// Too much went out lately.
    Rate { retry_after: u64 },
    /// The user should be asked and cannot be.
    CannotAsk,
    /// The same, for what can wait as a draft.
    Held { digest: String, shown: String },
    /// Nothing goes out.
    DraftOnly,
    /// The user said no.
    Declined,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Recipient(who) => write!(f, "this server's policy allows nothing to go to {who}"),
            Self::External { found, most } => {
                write!(f, "{found} recipients are outside the organisation; this server's policy allows {most}")
            }
            Self::Rate { .. } => f.write_str("this server's policy allows no more to go out for now"),
            Self::CannotAsk => f.write_str("the user has to agree first, and this client cannot ask"),
            Self::Held { shown, .. } => write!(f, "the user has to agree first:\n{shown}"),
            Self::DraftOnly => f.write_str("this server's policy lets nothing go out; mails are kept as drafts"),
            Self::Declined => f.write_str("the user was asked and did not agree; nothing was sent"),
        }
    }
}

impl Refusal {
    /// For programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Recipient(_) | Self::External { .. } | Self::DraftOnly => "sendPolicy",
            Self::Rate { .. } => "sendRate",
            Self::CannotAsk => "cannotAsk",
            Self::Held { .. } => "agreementNeeded",
            Self::Declined => "declined",
        }
    }

    /// What to do next.
    pub fn hint(&self) -> String {
        match self {
            Self::Recipient(_) => "Leave this recipient out. Only the operator of this server can allow it.".to_owned(),
            Self::External { .. } => "Name fewer recipients outside the organisation.".to_owned(),
            Self::Rate { .. } => "Wait for retryAfter seconds.".to_owned(),
            Self::CannotAsk => {
                "Use a client that supports elicitation, or let the user do it in Outlook, Teams or Planner.".to_owned()
            }
            Self::Held { digest, .. } => {
                format!("Show the user all of this. If they agree, call sendDraft with digest {digest:?}.")
            }
            Self::DraftOnly => {
                "The user sends drafts from Outlook, and does there, in Teams or in Planner what has no draft."
                    .to_owned()
            }
            Self::Declined => "Do not repeat it unless the user asks for it.".to_owned(),
        }
    }

    /// Seconds after which the same would go out.
    pub const fn retry_after(&self) -> Option<u64> {
        match self {
            Self::Rate { retry_after } => Some(*retry_after),
            Self::Recipient(_)
            | Self::External { .. }
            | Self::CannotAsk
            | Self::Held { .. }
            | Self::DraftOnly
            | Self::Declined => None,
        }
    }

    /// Whether it stays a draft and nothing is wrong with it.
    pub const fn keeps_draft(&self) -> bool {
        matches!(self, Self::Held { .. } | Self::DraftOnly)
    }
}

/// Whether it matters at all whom this call reaches. If not, nobody has to find out.
pub(super) fn matters(call: &Call<'_>) -> bool {
    let policy = &call.context.config.send_policy;
    let asks =
        policy.confirm != Confirm::Never && (policy.fallback != Fallback::Send || call.can_ask(InputMethod::Elicit));
    asks || policy.draft_only || policy.domains.is_some() || policy.external.is_some() || policy.rate.is_some()
}

/// Lets the deed pass, or says why not. The last thing before it leaves: what passes is counted.
pub(super) async fn pass(call: &Call<'_>, deed: &Deed<'_>) -> Result<(), ToolError> {
    let policy = &call.context.config.send_policy;
    let house = House::of(call);
    if deed.reach.is_nobody() {
        return Ok(());
    }
    limits(policy, &deed.reach, &house)?;
    if policy.draft_only {
        return Err(Refusal::DraftOnly.into());
    }
    if asks(policy, &deed.reach, &house) {
        consent(call, deed, &house)?;
    }
    count(call).await
}

/// Refuses what cannot pass whatever else will be in it, so that nothing is prepared for it.
pub(super) fn foresee(call: &Call<'_>, reach: &Reach<'_>) -> Result<(), ToolError> {
    let policy = &call.context.config.send_policy;
    let house = House::of(call);
    limits(policy, reach, &house)?;
    let nobody = policy.fallback == Fallback::Refuse && !call.can_ask(InputMethod::Elicit);
    if nobody && asks(policy, reach, &house) { Err(Refusal::CannotAsk.into()) } else { Ok(()) }
}

fn asks(policy: &SendPolicy, reach: &Reach<'_>, house: &House<'_>) -> bool {
    match policy.confirm {
        Confirm::Always => true,
        Confirm::External => reach.outside(house) > 0,
        Confirm::Never => false,
    }
}

fn limits(policy: &SendPolicy, reach: &Reach<'_>, house: &House<'_>) -> Result<(), Refusal> {
    if let Some(domains) = &policy.domains
        && let Some(stranger) = reach.beyond(house, domains)
    {
        return Err(Refusal::Recipient(stranger));
    }
    let found = reach.outside(house);
    match policy.external.filter(|most| found > *most) {
        Some(most) => Err(Refusal::External { found, most }),
        None => Ok(()),
    }
}

/// The user's word, or what the operator put in its place where the client cannot ask.
fn consent(call: &Call<'_>, deed: &Deed<'_>, house: &House<'_>) -> Result<(), ToolError> {
    let digest = deed.digest();
    if !call.can_ask(InputMethod::Elicit) {
        let agreed = deed.agreed == Some(&digest);
        return match call.context.config.send_policy.fallback {
            Fallback::Send => Ok(()),
            Fallback::Draft if deed.is_draft && agreed => Ok(()),
            Fallback::Draft if deed.is_draft => Err(Refusal::Held { shown: deed.shown(house, &digest), digest }.into()),
            Fallback::Draft | Fallback::Refuse => Err(Refusal::CannotAsk.into()),
        };
    }
    // A form and not an empty one: a client that accepts by itself has not said yes.
    let yes = json!({"type": "boolean", "title": "Yes, go ahead"});
    let schema = json!({"type": "object", "properties": {"agree": yes}, "required": ["agree"]});
    let shown = format!("{}\n{}", deed.question, deed.shown(house, &digest));
    match call.elicit("agree", &shown, &schema)? {
        Elicited::Accepted(content) if content.get("agree") == Some(&Value::Bool(true)) => Ok(()),
        Elicited::Accepted(_) | Elicited::Declined | Elicited::Cancelled => Err(Refusal::Declined.into()),
    }
}

/// Counts it where all clients of the user are counted together. Looking and counting are one statement there.
async fn count(call: &Call<'_>) -> Result<(), ToolError> {
    let Some(rate) = call.context.config.send_policy.rate else { return Ok(()) };
    let name = AgentName::User(call.context.caller.user);
    let command = Command::User(UserCommand::CountOutward(rate));
    match call.context.ports.agents.call(&name, &command).await {
        Ok(Reply::User(Ok(UserReply::Counted { wait: None }))) => Ok(()),
        Ok(Reply::User(Ok(UserReply::Counted { wait: Some(retry_after) }))) => {
            Err(Refusal::Rate { retry_after }.into())
        }
        Ok(_) | Err(_) => Err(ToolError::Storage),
    }
}

impl Deed<'_> {
    /// Of what nobody has to look at, because nothing [`matters`].
    pub const fn unseen() -> Self {
        Self {
            question: "",
            reach: Reach::People(Vec::new()),
            subject: "",
            text: ("", ""),
            attachments: Vec::new(),
            content: Value::Null,
            is_draft: false,
            agreed: None,
        }
    }

    fn digest(&self) -> String {
        let all = json!([self.question, self.reach.names(), self.attachments, self.content]);
        Digest::of(all.to_string().as_bytes()).to_string().chars().take(DIGEST).collect()
    }

    /// For a person. What others wrote is cleaned and stands on lines that begin with `>`, so that it cannot pass for a
    /// line of ours.
    fn shown(&self, house: &House<'_>, digest: &str) -> String {
        let mut lines = self.reach.shown(house);
        let line = |text: &str, most| answer::clean(text, most).replace(['\n', '\t'], " ");
        if !self.subject.is_empty() {
            lines.push(format!("Subject: {}", line(self.subject, SUBJECT)));
        }
        if !self.attachments.is_empty() {
            let names: Vec<_> = self.attachments.iter().take(NAMED).map(|name| line(name, SUBJECT)).collect();
            let more = self.attachments.len().checked_sub(NAMED + 1).map_or("", |_| ", …");
            lines.push(format!("Attached ({}): {}{more}", self.attachments.len(), names.join(", ")));
        }
        let (kind, text) = self.text;
        let cut = text::with_hidden(kind, text, TEXT);
        lines.extend(cut.text.lines().map(|line| format!("> {line}")));
        if cut.truncated {
            lines.push("(There is more.)".to_owned());
        }
        lines.push(format!("Digest of all of it: {digest}"));
        lines.join("\n")
    }
}
