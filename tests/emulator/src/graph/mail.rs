//! Listing messages: `/me/messages` and `/me/mailFolders/{id}/messages`.

use serde_json::{Value, json};

use super::error::GraphError;
use super::filter::{self, Clause};
use super::kql::Search;
use super::message::{self, KIND};
use super::query::{self, ListOptions, Sizes};
use super::request::{Answer, Family, Request};
use super::store::{Mailbox, VENDORS, WELL_KNOWN};

/// Scopes that read mail.
pub const READ: &[&str] = &["Mail.Read", "Mail.ReadWrite", "Mail.Read.Shared", "Mail.ReadWrite.Shared"];
const SIZES: Sizes = Sizes { default: 10, max: 1000 };
const SORTABLE: &[&str] = &[
    "receivedDateTime",
    "sentDateTime",
    "createdDateTime",
    "lastModifiedDateTime",
    "subject",
    "importance",
    "isRead",
    "hasAttachments",
    "from/emailAddress/address",
    "from/emailAddress/name",
];

/// A page of messages of one folder or, without one, of the whole mailbox.
pub fn list(request: &Request<'_>, mailbox: &Mailbox, folder: Option<&str>) -> Result<Answer, GraphError> {
    request.require(READ, Family::Outlook)?;
    let folder = match folder {
        Some(id) => Some(mailbox.folder(id).ok_or_else(|| folder_error(id))?),
        None => None,
    };
    let options = ListOptions::parse(request, SIZES)?;
    let mut items = Vec::new();
    for stored in &mailbox.messages {
        if folder.is_none_or(|name| name == stored.folder) {
            items.push(message::render(mailbox, stored, &request.prefer));
        }
    }
    let mut items = match &options.search {
        Some(search) => searched(&options, search, items)?,
        None => filtered(&options, items)?,
    };
    if options.orderby.is_empty() {
        query::sort(&mut items, &[("receivedDateTime".to_owned(), true)]);
    }
    let items = items.into_iter().map(|item| message::default_shape(item, request)).collect();
    query::page(request, &options, items, KIND)
}

/// An id of the right form that is not there, or a text that is no id at all.
fn folder_error(id: &str) -> GraphError {
    if id.len() > 20 {
        GraphError::no_item()
    } else {
        GraphError::new(404, "ErrorItemNotFound", "The specified folder could not be found in the store.")
    }
}

fn searched(options: &ListOptions, search: &str, items: Vec<Value>) -> Result<Vec<Value>, GraphError> {
    if options.filter.is_some() {
        return Err(GraphError::new(
            400,
            "SearchWithFilter",
            "The query parameter '$filter' is not supported with '$search'.",
        ));
    }
    if !options.orderby.is_empty() {
        return Err(GraphError::new(
            400,
            "SearchWithOrderBy",
            "The query parameter '$orderby' is not supported with '$search'.",
        ));
    }
    if options.count {
        return Err(GraphError::new(
            400,
            "SearchWithCount",
            "The query parameter '$count' is not supported with '$search'.",
        ));
    }
    let search = Search::parse(search)?;
    let mut found: Vec<Value> = items.into_iter().filter(|item| search.holds(item)).collect();
    query::sort(&mut found, &[("sentDateTime".to_owned(), true)]);
    found.truncate(1000);
    Ok(found)
}

fn filtered(options: &ListOptions, items: Vec<Value>) -> Result<Vec<Value>, GraphError> {
    let clauses = options.filter.as_deref().map(filter::parse).transpose()?.unwrap_or_default();
    check_properties(&clauses)?;
    check_order(&clauses, &options.orderby)?;
    let mut kept: Vec<Value> =
        items.into_iter().filter(|item| clauses.iter().all(|clause| clause.holds(item))).collect();
    query::sort(&mut kept, &options.orderby);
    Ok(kept)
}

fn check_properties(clauses: &[Clause]) -> Result<(), GraphError> {
    const KNOWN: &[&str] = &[
        "receivedDateTime",
        "sentDateTime",
        "from/emailAddress/address",
        "sender/emailAddress/address",
        "isRead",
        "isDraft",
        "hasAttachments",
        "importance",
        "subject",
        "conversationId",
        "internetMessageId",
        "singleValueExtendedProperties",
        "flag/flagStatus",
        "createdDateTime",
        "lastModifiedDateTime",
        "from/emailAddress/name",
    ];
    let unknown = clauses.iter().map(Clause::property).find(|name| !KNOWN.contains(name));
    unknown.map_or(Ok(()), |name| {
        Err(GraphError::bad(&format!("Could not find a property named '{name}' on type '{KIND}'.")))
    })
}

/// Every sorted property must be in the filter, first and in the same order.
fn check_order(clauses: &[Clause], orderby: &[(String, bool)]) -> Result<(), GraphError> {
    if let Some((name, _)) = orderby.iter().find(|(name, _)| !SORTABLE.contains(&name.as_str())) {
        return Err(GraphError::bad(&format!("Could not find a property named '{name}' on type '{KIND}'.")));
    }
    let mut filtered: Vec<&str> = Vec::new();
    for name in clauses.iter().map(Clause::property) {
        if !filtered.contains(&name) {
            filtered.push(name);
        }
    }
    let in_order = orderby.iter().enumerate().all(|(at, (name, _))| filtered.get(at) == Some(&name.as_str()));
    if clauses.is_empty() || in_order {
        return Ok(());
    }
    Err(GraphError::new(400, "InefficientFilter", "The restriction or sort order is too complex for this operation."))
}

/// GET `/me/mailFolders`.
pub fn folders(request: &Request<'_>, mailbox: &Mailbox) -> Result<Answer, GraphError> {
    request.require(READ, Family::Outlook)?;
    let options = ListOptions::parse(request, SIZES)?;
    query::page(request, &options, inside(mailbox, "msgfolderroot"), "microsoft.graph.mailFolder")
}

/// The folders in a folder; all of the sample are in the root.
pub fn inside(mailbox: &Mailbox, parent: &str) -> Vec<Value> {
    let sample = WELL_KNOWN.iter().copied().filter(|name| *name != "msgfolderroot").chain([VENDORS]);
    let sample = sample.filter(|_| parent == "msgfolderroot");
    let made = mailbox.made.iter().filter(|folder| folder.parent == parent).map(|folder| folder.key);
    sample.chain(made).map(|name| folder(mailbox, name)).collect()
}

/// One folder as it is shown.
pub fn folder(mailbox: &Mailbox, name: &str) -> Value {
    let made = mailbox.made.iter().find(|folder| folder.key == name);
    let within = || mailbox.messages.iter().filter(|message| message.folder == name);
    let unread = within().filter(|message| !crate::json::flag(&message.value, "/isRead")).count();
    let parent = made.map_or("msgfolderroot", |folder| folder.parent);
    json!({
        "id": mailbox.folder_id(name), "isHidden": false, "parentFolderId": mailbox.folder_id(parent),
        "displayName": made.map_or_else(|| display_name(name), |folder| folder.name.as_str()),
        "childFolderCount": mailbox.made.iter().filter(|folder| folder.parent == name).count(),
        "unreadItemCount": unread, "totalItemCount": within().count(), "sizeInBytes": 4096,
    })
}

fn display_name(folder: &str) -> &str {
    match folder {
        "inbox" => "Inbox",
        "drafts" => "Drafts",
        "sentitems" => "Sent Items",
        "deleteditems" => "Deleted Items",
        "archive" => "Archive",
        "junkemail" => "Junk Email",
        "outbox" => "Outbox",
        other => other,
    }
}
