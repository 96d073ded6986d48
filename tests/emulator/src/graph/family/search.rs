//! Microsoft Search: `POST /search/query` over the mail, events, files and chats of the sample, with its refusals.

use serde_json::{Value, json};
use time::Date;

use super::Found;
use crate::graph::error::GraphError;
use crate::graph::message;
use crate::graph::request::{Answer, Family, Prefer, Request};
use crate::graph::shape::known_members;
use crate::graph::store::GraphStore;
use crate::json::{items, text};
use crate::sample::directory::Home;

const KNOWN: &[&str] = &["entityTypes", "query", "from", "size", "fields", "enableTopResults", "sortProperties"];
/// Entity type, whom it can be searched with, the scopes of which one opens it.
const TYPES: [(&str, u8, &[&str]); 6] = [
    ("message", 0, &["Mail.Read", "Mail.ReadWrite"]),
    ("chatMessage", 1, &["Chat.Read", "Chat.ReadWrite", "ChannelMessage.Read.All"]),
    ("event", 2, &["Calendars.Read", "Calendars.ReadWrite"]),
    ("driveItem", 3, &["Files.Read.All", "Files.ReadWrite.All", "Sites.Read.All", "Sites.ReadWrite.All"]),
    ("listItem", 3, &["Sites.Read.All", "Sites.ReadWrite.All"]),
    ("site", 3, &["Sites.Read.All", "Sites.ReadWrite.All"]),
];

/// What this family keeps between requests.
pub struct Store;

impl Store {
    /// The sample data around a day.
    pub fn sample(_today: Date) -> Self {
        Self
    }
}

/// Answers a request for one of this family's paths.
pub fn route(request: &Request<'_>, store: &mut GraphStore, path: &[&str]) -> Found {
    match (request.call.method.as_str(), path) {
        ("POST", ["search", "query"]) => query(request, store).map(Some),
        _ => Ok(None),
    }
}

/// What one request asks for.
struct Asked<'a> {
    types: Vec<&'a str>,
    words: Vec<String>,
    from: usize,
    size: usize,
}

fn query(request: &Request<'_>, store: &mut GraphStore) -> Result<Answer, GraphError> {
    if request.consent.user.home == Home::Personal {
        return Err(GraphError::new(400, "BadRequest", "Search is not available for personal accounts."));
    }
    let body = request.object()?;
    let [one] = items(&body, "/requests") else {
        return Err(GraphError::bad("The service supports a single searchRequest at a time."));
    };
    let asked = parse(request, one)?;
    let mut hits: Vec<Value> = Vec::new();
    for kind in &asked.types {
        hits.extend(all(request, store, kind));
    }
    hits.retain(|hit| {
        let found = hit.to_string().to_lowercase();
        asked.words.iter().all(|word| found.contains(word))
    });
    let total = hits.len();
    let ranked = hits.into_iter().enumerate().skip(asked.from).take(asked.size);
    let shown: Vec<_> = ranked.map(|(rank, hit)| ranked_hit(rank, hit, &asked.words)).collect();
    let more = asked.from + shown.len() < total;
    Ok(Answer::ok(json!({"value": [{"searchTerms": asked.words, "hitsContainers": [
        {"hits": shown, "total": total, "moreResultsAvailable": more},
    ]}]})))
}

fn parse<'a>(request: &Request<'_>, one: &'a Value) -> Result<Asked<'a>, GraphError> {
    if one.get("region").is_some() {
        return Err(GraphError::bad("Region is only supported with application permissions."));
    }
    known_members(one, KNOWN, "microsoft.graph.searchRequest")?;
    let types: Vec<_> = items(one, "/entityTypes").iter().filter_map(Value::as_str).collect();
    let mut group = None;
    for name in &types {
        let known = TYPES.iter().find(|(kind, ..)| kind == name);
        let (_, of, scopes) = known.ok_or_else(|| GraphError::bad("An entity type is not supported."))?;
        request.require(scopes, Family::Teams)?;
        if group.is_some_and(|other| other != *of) {
            return Err(GraphError::bad("The combination of entity types is not supported."));
        }
        group = Some(*of);
    }
    let number = |name: &str, usual: usize| match one.get(name) {
        None => Ok(usual),
        Some(value) => {
            let number = value.as_u64().and_then(|number| usize::try_from(number).ok());
            number.ok_or_else(|| GraphError::bad("from and size are numbers."))
        }
    };
    let (from, size) = (number("from", 0)?, number("size", 25)?);
    let words = text(one, "/query/queryString").to_lowercase();
    let most = if matches!(group, Some(0 | 2)) { 25 } else { 500 };
    if types.is_empty() || words.trim().is_empty() || size == 0 || size > most {
        return Err(GraphError::bad("The search request has no entity type, no query, or a size that is not allowed."));
    }
    let words = words.split_whitespace().filter(|word| *word != "and").map(|word| word.trim_matches('"').to_owned());
    Ok(Asked { types, words: words.collect(), from, size })
}

/// With the marks that Search puts around what matched.
fn ranked_hit(rank: usize, resource: Value, words: &[String]) -> Value {
    let whole = ["bodyPreview", "subject", "name", "displayName"];
    let summary = whole.iter().map(|name| text(&resource, &format!("/{name}"))).find(|text| !text.is_empty());
    let marked: Vec<_> = summary.unwrap_or_default().split(' ').map(|word| mark(word, words)).collect();
    // Exchange's ids come in the plain base64 alphabet here.
    let id = text(&resource, "/id").replace('-', "/").replace('_', "+");
    json!({"hitId": id, "rank": rank + 1, "summary": format!("{}<ddd/>", marked.join(" ")), "resource": resource})
}

fn mark(word: &str, words: &[String]) -> String {
    let hit = words.iter().any(|wanted| word.to_lowercase().contains(wanted));
    if hit { format!("<c0>{word}</c0>") } else { word.to_owned() }
}

fn all(request: &Request<'_>, store: &mut GraphStore, kind: &str) -> Vec<Value> {
    let own = request.consent.user;
    let prefer = Prefer::default();
    let mut found: Vec<Value> = match kind {
        "message" => {
            let mailbox = store.mailbox(own);
            mailbox.messages.iter().map(|one| message::render(mailbox, one, &prefer)).collect()
        }
        "event" => {
            let mailbox = store.mailbox(own);
            mailbox.events.iter().map(|one| one.render_master(mailbox, &prefer)).collect()
        }
        "driveItem" => vec![file("01HERONPLAN", "Heron plan.docx"), file("01HERONBUDGET", "Heron budget.xlsx")],
        "listItem" => vec![json!({"id": "7", "webUrl": "https://contoso.example/sites/heron/Lists/Risks/7",
            "fields": {"title": "Heron risk: late parts"}, "lastModifiedDateTime": "2026-01-05T08:00:00Z",
            "parentReference": {"siteId": "contoso.example,1,2", "sharepointIds": {"listId": "risks"}}})],
        "site" => vec![json!({"id": "contoso.example,1,2", "displayName": "Heron", "name": "heron",
            "webUrl": "https://contoso.example/sites/heron", "createdDateTime": "2026-01-05T08:00:00Z"})],
        _ => vec![
            json!({"id": "1700000000001", "chatId": "19:heron@thread.v2", "createdDateTime": "2026-01-05T08:00:00Z",
            "from": {"emailAddress": {"name": own.name, "address": own.email}}, "subject": "Heron lunch",
            "webUrl": "https://teams.contoso.example/l/message/1"}),
        ],
    };
    for one in &mut found {
        crate::json::set(one, "@odata.type", format!("#microsoft.graph.{kind}"));
        crate::json::remove(one, "body");
    }
    found
}

fn file(id: &str, name: &str) -> Value {
    json!({"id": id, "name": name, "webUrl": format!("https://contoso.example/files/{id}"),
        "lastModifiedDateTime": "2026-01-05T08:00:00Z", "size": 20480,
        "lastModifiedBy": {"user": {"displayName": "Megan Bowen"}}, "parentReference": {"driveId": "b!heron"}})
}
