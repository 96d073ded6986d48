//! Reading mail: a folder's list and full-text search. Sending is `send`.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::answer::{Answer, UNTRUSTED};
use super::arguments::{self, bounded, identifier};
use super::call::Call;
use super::mailbox::Mailbox;
use super::message::{self, Email, Message};
use super::page::{self, Page, Position};
use super::{Input, Kind, Outcome, Preset, Tool, ToolError, address, handle, item, schema, send, when};
use crate::graph::GraphRequest;
use crate::graph::request::{Segment, filter_literal, quoted_phrase};
use crate::identity::Scope;

/// The tools of this family.
pub(super) const TOOLS: &[Tool] = &[
    send::TOOL,
    Tool {
        name: "getEmails",
        title: "List emails",
        description: "List a mail folder, newest first: id, from, subject, time, preview, flags.",
        kind: Kind::Read,
        preset: Preset::Core,
        needs: &[Scope::MailRead],
        also: &[],
        on_use: &[Scope::MailReadShared],
        example: r#"{"folder":"inbox","count":10,"since":"2026-03-01T00:00:00+01:00"}"#,
        schema: schema::of::<GetEmails>,
        handler: handle::<GetEmails>,
    },
    Tool {
        name: "searchEmails",
        title: "Search emails",
        description: "Full-text mail search in KQL, such as: from:ann subject:budget received>=2026-01-01 hasAttachments:true",
        kind: Kind::Read,
        preset: Preset::Core,
        needs: &[Scope::MailRead],
        also: &[],
        on_use: &[Scope::MailReadShared],
        example: r#"{"query":"from:ann subject:budget","count":10}"#,
        schema: schema::of::<SearchEmails>,
        handler: handle::<SearchEmails>,
    },
];

const OWN: [&str; 2] = ["/me/mailFolders/{id}/messages", "/me/messages"];
const SHARED: [&str; 2] = ["/users/{id}/mailFolders/{id}/messages", "/users/{id}/messages"];
/// Before any mail: `$filter` must name what `$orderby` sorts by, first.
const EVER: &str = "1900-01-01T00:00:00Z";

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GetEmails {
    /// inbox, sentitems, drafts, archive, deleteditems, or a folder id
    #[schemars(extend("default" = "inbox"))]
    folder: Option<String>,
    #[schemars(range(min = 1, max = 50), extend("default" = 10))]
    count: Option<u32>,
    /// true: only unread
    unread: Option<bool>,
    /// Sender address
    from: Option<String>,
    /// ISO date-time with offset
    since: Option<String>,
    /// ISO date-time with offset
    until: Option<String>,
    /// Shared mailbox address
    mailbox: Option<String>,
    cursor: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SearchEmails {
    query: String,
    #[schemars(range(min = 1, max = 50), extend("default" = 10))]
    count: Option<u32>,
    /// Limit to one folder
    folder: Option<String>,
    /// Shared mailbox address
    mailbox: Option<String>,
    cursor: Option<String>,
}

#[async_trait(?Send)]
impl Input for GetEmails {
    async fn run(self, call: &Call<'_>) -> Outcome {
        let count = bounded("count", self.count, 10, 50)?;
        let folder = identifier("folder", self.folder.as_deref().unwrap_or("inbox"))?;
        let mailbox = Mailbox::parse(self.mailbox.as_deref())?;
        let mut request = list(&mailbox, Some(folder), count)?;
        if let Some(filter) = self.filter()? {
            request = request.query("$filter", filter);
        }
        let request = request.query("$orderby", "receivedDateTime desc");
        answer(call, &mailbox, page::begin(call, self.cursor.as_deref(), &request)?, count).await
    }
}

impl GetEmails {
    fn filter(&self) -> Result<Option<String>, ToolError> {
        let since = self.since.as_deref().map(|text| when::instant("since", text)).transpose()?;
        let until = self.until.as_deref().map(|text| when::instant("until", text)).transpose()?;
        if let (Some(since), Some(until)) = (since, until)
            && since >= until
        {
            return Err(ToolError::argument("until", "must be later than since"));
        }
        let from = self.from.as_deref().map(|text| address::one("from", text)).transpose()?;
        let unread = self.unread == Some(true);
        if since.is_none() && until.is_none() && from.is_none() && !unread {
            return Ok(None);
        }
        let mut clauses = vec![format!("receivedDateTime ge {}", since.map_or_else(|| EVER.to_owned(), when::utc))];
        clauses.extend(until.map(|until| format!("receivedDateTime lt {}", when::utc(until))));
        clauses.extend(unread.then(|| "isRead eq false".to_owned()));
        clauses.extend(from.map(|from| format!("from/emailAddress/address eq {}", filter_literal(&from))));
        Ok(Some(clauses.join(" and ")))
    }
}

#[async_trait(?Send)]
impl Input for SearchEmails {
    async fn run(self, call: &Call<'_>) -> Outcome {
        let count = bounded("count", self.count, 10, 50)?;
        let query = arguments::line("query", &self.query, 1000)?;
        let folder = self.folder.as_deref().map(|folder| identifier("folder", folder)).transpose()?;
        let mailbox = Mailbox::parse(self.mailbox.as_deref())?;
        let request = list(&mailbox, folder, count)?.query("$search", quoted_phrase(&query));
        answer(call, &mailbox, page::begin(call, self.cursor.as_deref(), &request)?, count).await
    }
}

fn list(mailbox: &Mailbox, folder: Option<&str>, count: u32) -> Result<GraphRequest, ToolError> {
    let messages = Segment::Word("messages");
    let path = match folder {
        Some(folder) => mailbox.path(&[Segment::Word("mailFolders"), Segment::Value(folder), messages]),
        None => mailbox.path(&[messages]),
    };
    Ok(item::get(&path)?.query("$select", message::LISTED).query("$top", count.to_string()))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MailList {
    untrusted: &'static str,
    emails: Vec<Email>,
    truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

async fn answer(call: &Call<'_>, mailbox: &Mailbox, start: Position, count: u32) -> Outcome {
    mailbox.require(call, Scope::MailRead, Scope::MailReadShared)?;
    // A cursor of another mailbox is of a path that these are not.
    let families = match mailbox {
        Mailbox::Own => OWN,
        Mailbox::Shared(_) => SHARED,
    };
    let own = mailbox.address(call);
    let Page { items, next_cursor } = page::read::<Message>(call, &families, start, count).await?;
    Ok(Answer::of(&MailList {
        untrusted: UNTRUSTED,
        emails: items.into_iter().map(|message| message.shown(own, (0, false))).collect(),
        truncated: next_cursor.is_some(),
        next_cursor,
    }))
}
