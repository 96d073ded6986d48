//! What was begun under an idempotency key, in the object's SQL (`migrations/0002_idempotency.sql`): digests, an id of
//! Graph's and a step, never a text.
//!
//! Whoever works on a key holds its lease; a lease that a dead call left behind runs out. Every step is written only
//! while the lease is still held, so that a call which slept too long cannot act on what it once knew.

use serde_json::json;

use super::call::Call;
use super::error::ToolError;
use crate::crypto::{self, Digest};
use crate::ports::{SqlRow, SqlValue};

/// Longer than any call can take, with all its waiting.
const LEASE: u64 = 300;
/// Keys are remembered for a week.
const KEPT: u64 = 7 * 24 * 3600;

/// Only the row of this key, and only while this call holds it.
const HELD: &str = "WHERE tool = ? AND key = ? AND lease = ?";

/// How far it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing is known to have been done; a draft may exist.
    Begun,
    /// The draft exists and was not sent.
    Drafted,
    /// Graph was asked to send or post it, and no answer is known.
    Sending,
    /// Done.
    Done,
}

impl Step {
    const fn name(self) -> &'static str {
        match self {
            Self::Begun => "begun",
            Self::Drafted => "drafted",
            Self::Sending => "sending",
            Self::Done => "done",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        [Self::Begun, Self::Drafted, Self::Sending, Self::Done].into_iter().find(|step| step.name() == name)
    }
}

/// What is known of an earlier call with the same key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub step: Step,
    pub draft: Option<String>,
    /// Unix seconds of the last step.
    pub at: u64,
}

/// The page of one key.
pub(super) struct Ledger<'a> {
    /// Whose.
    pub call: &'a Call<'a>,
    key: String,
    /// The digest of what the key is for.
    arguments: String,
    lease: String,
}

impl<'a> Ledger<'a> {
    /// The page of `key`, for these arguments.
    pub fn of(call: &'a Call<'a>, key: &str, arguments: &Digest) -> Self {
        let key = Digest::of(key.as_bytes()).to_string();
        let lease = crypto::random_text::<12>(&*call.context.ports.random);
        Self { call, key, arguments: arguments.to_string(), lease }
    }

    /// A digest that Graph may keep with what is made: of the user, the tool, the key and the arguments. A mailbox holds
    /// mails of other people, of other tools and of years ago, and none of those with the same key is taken for this one.
    pub fn stamp(&self) -> String {
        let user = self.call.context.caller.user.to_string();
        Digest::of(json!([user, self.call.name, self.key, self.arguments]).to_string().as_bytes()).to_string()
    }

    /// Takes the lease. `None` when the key is new; refuses it for other arguments than before, and while another
    /// call works on it.
    pub fn open(&self) -> Result<Option<Entry>, ToolError> {
        let now = self.call.now();
        self.call.sql("DELETE FROM idempotency WHERE at < ?", &[SqlValue::seconds(now.saturating_sub(KEPT))])?;
        let columns = "SELECT arguments, step, draft, at, leased_until FROM idempotency WHERE tool = ? AND key = ?";
        let rows = self.call.sql(columns, &[self.tool(), text(&self.key)])?;
        let Some(row) = rows.first() else {
            self.insert(now)?;
            return Ok(None);
        };
        let found = Row::read(row).ok_or(ToolError::Storage)?;
        if found.arguments != self.arguments {
            return Err(ToolError::argument("idempotencyKey", "was used before with other arguments: take a new key"));
        }
        if found.leased_until > now {
            return Err(ToolError::Busy { retry_after: found.leased_until - now });
        }
        self.call.sql(
            "UPDATE idempotency SET lease = ?, leased_until = ? WHERE tool = ? AND key = ?",
            &[text(&self.lease), SqlValue::seconds(now + LEASE), self.tool(), text(&self.key)],
        )?;
        Ok(Some(found.entry))
    }

    /// Writes a step, if the lease is still held.
    pub fn mark(&self, step: Step, draft: Option<&str>) -> Result<(), ToolError> {
        let now = self.call.now();
        let set = "UPDATE idempotency SET step = ?, draft = coalesce(?, draft), at = ?, leased_until = ?";
        let values = [
            text(step.name()),
            draft.map_or(SqlValue::Null, text),
            SqlValue::seconds(now),
            SqlValue::seconds(now + LEASE),
        ];
        let rows = self.call.sql(&format!("{set} {HELD} RETURNING 1"), &[&values[..], &self.held()].concat())?;
        if rows.is_empty() { Err(ToolError::Busy { retry_after: LEASE }) } else { Ok(()) }
    }

    /// Forgets the key, because nothing was done under it.
    pub fn forget(&self) -> Result<(), ToolError> {
        self.call.sql(&format!("DELETE FROM idempotency {HELD}"), &self.held()).map(drop)
    }

    /// Gives the lease back. A failure is left to time: the lease runs out.
    pub fn release(&self) {
        let set = "UPDATE idempotency SET lease = NULL, leased_until = 0";
        let _: Result<_, ToolError> = self.call.sql(&format!("{set} {HELD}"), &self.held());
    }

    fn insert(&self, now: u64) -> Result<(), ToolError> {
        let statement = "INSERT INTO idempotency (tool, key, arguments, step, lease, leased_until, at) \
                         VALUES (?, ?, ?, ?, ?, ?, ?)";
        let (step, arguments) = (text(Step::Begun.name()), text(&self.arguments));
        let (until, at) = (SqlValue::seconds(now + LEASE), SqlValue::seconds(now));
        self.call
            .sql(statement, &[self.tool(), text(&self.key), arguments, step, text(&self.lease), until, at])
            .map(drop)
    }

    fn tool(&self) -> SqlValue {
        text(self.call.name)
    }

    fn held(&self) -> [SqlValue; 3] {
        [self.tool(), text(&self.key), text(&self.lease)]
    }
}

struct Row {
    arguments: String,
    entry: Entry,
    leased_until: u64,
}

impl Row {
    fn read(row: &SqlRow) -> Option<Self> {
        let [SqlValue::Text(arguments), SqlValue::Text(step), draft, SqlValue::Integer(at), SqlValue::Integer(until)] =
            row.as_slice()
        else {
            return None;
        };
        let draft = match draft {
            SqlValue::Text(id) => Some(id.clone()),
            SqlValue::Null | SqlValue::Integer(_) | SqlValue::Blob(_) => None,
        };
        let entry = Entry { step: Step::parse(step)?, draft, at: u64::try_from(*at).ok()? };
        Some(Self { arguments: arguments.clone(), entry, leased_until: u64::try_from(*until).ok()? })
    }
}

fn text(value: &str) -> SqlValue {
    SqlValue::Text(value.to_owned())
}
