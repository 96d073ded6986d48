//! Why a tool gave no result, and how that is told: what failed, whose fault it is, what to do next, and whether Graph
//! may have acted all the same.

use serde::Serialize;

use super::answer::clean;
use super::policy::Refusal;
use crate::agent::{InputMethod, InputRequest};
use crate::graph::request::InvalidSegment;
use crate::graph::{Failure, Origin};
use crate::identity::{ConsentBy, Scope, ScopeSet};

const MESSAGE_CHARS: usize = 400;

/// Why a tool gave no result.
#[derive(Debug, thiserror::Error)]
pub(super) enum ToolError {
    /// An argument is missing, malformed or out of bounds.
    #[error("{name}: {problem}")]
    Argument { name: String, problem: String },
    /// The caller's token is not good for this; a sign-in that asks for all of `needed` would be.
    #[error("the sign-in does not include {}", .missing.name())]
    StepUp { missing: Scope, needed: ScopeSet },
    /// It was asked for at the sign-in, and Microsoft did not grant it.
    #[error("Microsoft did not grant {} at the sign-in", .scope.name())]
    NotGranted { scope: Scope, consent: String },
    /// This deployment never asks for it.
    #[error("this server does not ask for {}", .0.name())]
    NotOffered(Scope),
    /// The operator switched writing off.
    #[error("this server is read-only")]
    ReadOnly,
    /// Microsoft has this for organisations only.
    #[error("Microsoft offers this to work and school accounts only")]
    WorkOnly { instead: &'static str },
    /// The catalogue has no such tool.
    #[error("no tool is named {0}")]
    NoSuchTool(String),
    /// There is no such resource.
    #[error("no resource has this URI")]
    NoSuchResource,
    /// Graph, or something on the way there, failed.
    #[error("{failure}")]
    Graph { failure: Failure, repeatable: bool },
    /// Another call with the same idempotency key is at work.
    #[error("another call with this idempotencyKey is still at work")]
    Busy { retry_after: u64 },
    /// Something may have been done, and it could not be found out.
    #[error("{0}")]
    Unconfirmed(Doubt),
    /// The object's storage failed before anything was sent.
    #[error("this server's storage failed")]
    Storage,
    /// The call was ended because it took too long.
    #[error("the call took too long and was ended")]
    TooLong { writes: bool },
    /// Nothing failed: the client must answer these before the call goes on.
    #[error("the client has to answer first")]
    InputRequired(Vec<InputRequest>),
    /// The call has to ask what its client does not answer.
    #[error("the client does not answer {}", .0.name())]
    CannotAsk(InputMethod),
    /// The client could not answer, or not to what it was asked.
    #[error("the client did not answer what it was asked")]
    NotAnswered,
    /// The call has to wait for an answer, and cannot be kept so long.
    #[error("the user has to agree first, and the arguments are too large to be kept until then: 1.9 MB at most")]
    TooLargeToWait,
    /// It may not go out to other people, or not yet.
    #[error("{0}")]
    Refused(Refusal),
    /// A cursor could not be made.
    #[error("the next page could not be sealed")]
    Seal,
}

/// A write whose outcome is unknown, and what the caller can do about it.
#[derive(Debug)]
pub(super) struct Doubt {
    pub what: &'static str,
    pub hint: String,
    /// Seconds after which the same call may be repeated; `None` when it must not be.
    pub retry_after: Option<u64>,
}

impl std::fmt::Display for Doubt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.what)
    }
}

impl From<Refusal> for ToolError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<InvalidSegment> for ToolError {
    fn from(_: InvalidSegment) -> Self {
        Self::argument("arguments", "an id in it cannot be used")
    }
}

impl ToolError {
    /// A fault of one argument.
    pub fn argument(name: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Argument { name: name.into(), problem: problem.into() }
    }

    /// Whether Graph may have acted although the call failed.
    pub const fn in_doubt(&self) -> bool {
        match self {
            Self::Graph { failure, repeatable } => failure.may_have_acted && !*repeatable,
            Self::Unconfirmed(_) | Self::TooLong { writes: true } => true,
            Self::Argument { .. }
            | Self::StepUp { .. }
            | Self::NotGranted { .. }
            | Self::NotOffered(_)
            | Self::ReadOnly
            | Self::WorkOnly { .. }
            | Self::NoSuchTool(_)
            | Self::NoSuchResource
            | Self::Busy { .. }
            | Self::Storage
            | Self::TooLong { writes: false }
            | Self::InputRequired(_)
            | Self::CannotAsk(_)
            | Self::NotAnswered
            | Self::TooLargeToWait
            | Self::Refused(_)
            | Self::Seal => false,
        }
    }

    /// What the caller is told. `example` are arguments that work.
    pub fn report<'a>(&'a self, request_id: &'a str, example: Option<&str>) -> Report<'a> {
        let mut report = self.outline(request_id);
        if let (Self::Argument { .. }, Some(example)) = (self, example) {
            report.hint = format!("Correct the argument and call again. Arguments that work: {example}");
        }
        report
    }

    fn outline<'a>(&'a self, request_id: &'a str) -> Report<'a> {
        let of = |source, code: &'a str, hint: &str| Report {
            code,
            source,
            message: self.to_string(),
            retryable: false,
            retry_after: None,
            missing_scope: None,
            admin_consent: None,
            may_have_acted: self.in_doubt(),
            request_id,
            graph_request_id: None,
            hint: hint.to_owned(),
        };
        match self {
            Self::Argument { .. } => of("arguments", "invalidArgument", "Correct the argument and call again."),
            Self::StepUp { missing, .. } => Report {
                missing_scope: Some(missing.name()),
                admin_consent: Some(missing.consent_by() == ConsentBy::Admin),
                ..of("signIn", "missingScope", "Sign in again and agree to this permission; the user must do it.")
            },
            Self::NotGranted { scope, consent } => Report {
                missing_scope: Some(scope.name()),
                admin_consent: Some(true),
                ..of(
                    "signIn",
                    "missingScope",
                    &format!(
                        "Signing in again does not help yet. An administrator of the organisation can consent at \
                         {consent}; after that, disconnect this client and sign in again."
                    ),
                )
            },
            Self::NotOffered(scope) => Report {
                missing_scope: Some(scope.name()),
                ..of("server", "missingScope", "Only the operator of this server can change that.")
            },
            Self::ReadOnly => of("server", "readOnly", "The operator of this server switched off tools that write."),
            Self::WorkOnly { instead } => of("graph", "workAccountOnly", instead),
            Self::NoSuchTool(_) => of("arguments", "unknownTool", "Call one of the listed tools."),
            Self::NoSuchResource => of("arguments", "unknownResource", "Read one of the listed resources."),
            Self::Graph { failure, repeatable } => of_failure(failure, *repeatable, &of("", &failure.code, "")),
            Self::Busy { retry_after } => Report {
                retryable: true,
                retry_after: Some(*retry_after),
                ..of("server", "inProgress", "Wait, then repeat the call with the same idempotencyKey.")
            },
            Self::Unconfirmed(doubt) => Report {
                retryable: doubt.retry_after.is_some(),
                retry_after: doubt.retry_after,
                ..of("graph", "outcomeUnknown", &doubt.hint)
            },
            Self::Storage => Report {
                retryable: true,
                ..of("server", "storage", "Try again; the same idempotencyKey, where the tool has one, keeps it safe.")
            },
            Self::TooLong { writes: false } => {
                Report { retryable: true, ..of("server", "tooLong", "Ask for less, or try again in a moment.") }
            }
            Self::TooLong { writes: true } => {
                of("server", "tooLong", "It may have been done: look for the result before calling again.")
            }
            Self::InputRequired(_) | Self::CannotAsk(_) => of(
                "client",
                "cannotAsk",
                "The user must agree first, and this client cannot ask: use a client that supports elicitation.",
            ),
            Self::NotAnswered => of("client", "notAnswered", "Call again, and let the user answer."),
            Self::TooLargeToWait => {
                of("arguments", "tooLarge", "Nobody was asked and nothing was sent. Send less; put files in OneDrive.")
            }
            Self::Refused(refusal) => {
                let retry_after = refusal.retry_after();
                let retryable = retry_after.is_some();
                Report { retryable, retry_after, ..of("sendPolicy", refusal.code(), &refusal.hint()) }
            }
            Self::Seal => of("server", "internal", "Ask for fewer items, or report the requestId to the operator."),
        }
    }
}

/// What a failed call answers.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report<'a> {
    code: &'a str,
    /// Whose word it is: `arguments`, `client`, `signIn`, `policy` (AI Gateway or an account policy), `graph`, `transport`,
    /// `sendPolicy`, `server`.
    source: &'static str,
    message: String,
    retryable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    missing_scope: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    admin_consent: Option<bool>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    may_have_acted: bool,
    request_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    graph_request_id: Option<&'a str>,
    hint: String,
}

fn of_failure<'a>(failure: &'a Failure, repeatable: bool, outline: &Report<'a>) -> Report<'a> {
    let doubt = failure.may_have_acted && !repeatable;
    let (source, who, hint) = match failure.origin {
        Origin::Policy => ("policy", "A gateway policy refused the call; Microsoft did not.", policy_hint(failure)),
        Origin::Graph => ("graph", "Microsoft Graph refused the call.", graph_hint(failure)),
        Origin::Transport => ("transport", "Microsoft Graph could not be reached.", "Try again in a moment."),
        Origin::SignIn => ("signIn", "The Microsoft sign-in is over.", "The user must sign in again."),
        Origin::Operator => (
            "server",
            "Microsoft refuses this server's own credential.",
            "Neither repeating nor signing in helps: only the operator can mend it; quote the requestId.",
        ),
    };
    let told = failure.message.as_deref().map(|text| clean(text, MESSAGE_CHARS)).unwrap_or_default();
    let hint = if doubt {
        "Microsoft Graph may have acted although no result came back: look for the result before calling again."
    } else {
        hint
    };
    Report {
        source,
        message: format!("{who} {told}").trim_end().to_owned(),
        retryable: !doubt && is_passing(failure),
        retry_after: failure.retry_after,
        graph_request_id: failure.graph_request_id.as_deref(),
        hint: hint.to_owned(),
        ..*outline
    }
}

/// Whether the same call may succeed later without anything being changed.
fn is_passing(failure: &Failure) -> bool {
    match failure.origin {
        Origin::Transport => true,
        Origin::SignIn | Origin::Operator => false,
        Origin::Policy | Origin::Graph => {
            failure.retry_after.is_some() || matches!(failure.status, Some(408 | 429 | 500 | 502..=504))
        }
    }
}

fn policy_hint(failure: &Failure) -> &'static str {
    if is_passing(failure) {
        "Wait for retryAfter seconds, or a minute, then call again."
    } else {
        "Do not repeat it as it is. The operator of this server can say which policy applies; quote the requestId."
    }
}

/// Graph's code for a user without a mailbox in Exchange Online, whose status is that of an id which leads nowhere.
pub(super) const NO_MAILBOX: &str = "MailboxNotEnabledForRESTAPI";

fn graph_hint(failure: &Failure) -> &'static str {
    match failure.status {
        _ if failure.code == NO_MAILBOX => "There is no mailbox in Exchange Online: no mail, calendar or contacts.",
        Some(400) => "Graph takes the arguments for wrong: correct what its message names.",
        Some(401) => "The user must sign in again.",
        Some(403) => "A permission, licence or policy of the organisation is missing; repeating it will not help.",
        Some(404) => "Nothing has this id, or the user may not see it: list again and use an id from there.",
        Some(409) => "Another one has this name, or it was changed meanwhile: list or read again first.",
        Some(412) => "It was changed meanwhile: read it again first.",
        Some(413) => "It is too large for Microsoft Graph: send less.",
        Some(429) => "Wait for retryAfter seconds, or a minute, then call again.",
        _ => "Try again in a moment; if it persists, quote the requestId to the operator.",
    }
}
