//! `SharePoint`: the sites of the home tenant, their lists and items. A filter takes indexed columns only.

use serde_json::{Map, Value, json};
use time::Date;

use super::Found;
use crate::graph::error::GraphError;
use crate::graph::filter::{self, Clause};
use crate::graph::query::{self, ListOptions, Sizes};
use crate::graph::request::{Answer, Request};
use crate::graph::store::GraphStore;
use crate::json::{set, text};
use crate::sample::directory::Home;

const SIZES: Sizes = Sizes { default: 200, max: 5000 };
const READ: &[&str] = &["Sites.Read.All", "Sites.ReadWrite.All"];
const WRITE: &[&str] = &["Sites.ReadWrite.All"];
const HOST: &str = "contoso.sharepoint.example";
/// Ids, names and paths of the sites.
const SITES: [(&str, &str, &str); 3] = [
    (
        "contoso.sharepoint.example,2c712604-1370-44e7-a1f5-426573fda80a,2d2244c3-251a-49ea-93a8-39e1c3a060fe",
        "Contoso",
        "",
    ),
    (
        "contoso.sharepoint.example,da60e844-ba1d-49bc-b4d4-d5e36bae9019,712a596e-90a1-49e3-9b48-bfa80bee8740",
        "Project Heron",
        "sites/heron",
    ),
    (
        "contoso.sharepoint.example,da60e844-ba1d-49bc-b4d4-d5e36bae9019,0271110f-634f-4300-a841-3a8a2e851851",
        "Operations",
        "sites/operations",
    ),
];
/// The one list with items, its name, and the site it is in.
const LIST: (&str, &str) = ("b57af081-936c-4803-a120-d94887b03864", "Suppliers");
/// Its columns; whether they are indexed.
const COLUMNS: [(&str, bool); 5] =
    [("Title", true), ("Status", true), ("Country", false), ("Rating", false), ("Products", false)];

/// What this family keeps between requests.
pub struct Store {
    items: Vec<Value>,
}

impl Store {
    /// The sample data around a day.
    pub fn sample(_today: Date) -> Self {
        let names = ["Fabrikam", "Northwind", "Tailspin", "Litware", "Proseware", "Adatum"];
        let item = |number: usize| {
            let name = names.get(number % names.len()).copied().unwrap_or_default();
            let status = if number.is_multiple_of(3) { "Done" } else { "Open" };
            item(
                number + 1,
                &json!({"Title": format!("{name} {}", number / names.len() + 1), "Status": status,
                "Country": "Germany", "Rating": number % 5, "Products": ["Paper", "Ink"]}),
            )
        };
        Self { items: (0..60).map(item).collect() }
    }
}

fn item(number: usize, fields: &Value) -> Value {
    json!({
        "id": number.to_string(), "version": 1, "webUrl": format!("https://{HOST}/sites/heron/Lists/Suppliers/{number}_.000"),
        "lastModifiedDateTime": "2026-02-01T08:00:00Z", "createdDateTime": "2026-01-05T08:00:00Z",
        "lastModifiedBy": {"user": {"displayName": "Megan Bowen", "email": "megan@contoso.example"}}, "fields": fields,
    })
}

fn etag(item: &Value) -> String {
    let number: u64 = text(item, "/id").parse().unwrap_or(0);
    let version = item.get("version").and_then(Value::as_u64).unwrap_or(0);
    format!("\"5f0c0000-0000-4000-8000-{number:012},{version}\"")
}

fn not_found() -> GraphError {
    GraphError::new(404, "itemNotFound", "The specified item was not found.")
}

fn invalid(message: &str) -> GraphError {
    GraphError::new(400, "invalidRequest", message)
}

/// Answers a request for one of this family's paths.
pub fn route(request: &Request<'_>, store: &mut GraphStore, path: &[&str]) -> Found {
    let ["sites", rest @ ..] = path else { return Ok(None) };
    let method = request.call.method.as_str();
    let any = if method == "GET" { READ } else { WRITE };
    let granted = request.consent.scopes.iter().any(|granted| any.contains(&granted.as_str()));
    if !granted || request.consent.user.home != Home::Contoso {
        return Err(GraphError::new(403, "accessDenied", "Access denied"));
    }
    Ok(Some(match (method, rest) {
        ("GET", []) => search(request)?,
        ("GET", [id]) => Answer::ok(site(id).map(shown)?),
        ("GET", [host, path @ ..]) if host.ends_with(':') => {
            let path = path.join("/");
            let found = SITES.iter().find(|(_, _, at)| *host == format!("{HOST}:") && *at == path);
            Answer::ok(found.map(shown).ok_or_else(not_found)?)
        }
        ("GET", [id, "lists"]) => {
            site(id)?;
            list(request, lists(id), "microsoft.graph.list")?
        }
        ("GET", [id, "drives"]) => {
            let (_, name, at) = site(id)?;
            let drive = json!({"id": format!("b!{name}"), "name": "Documents", "driveType": "documentLibrary",
                "webUrl": format!("https://{HOST}/{at}/Shared%20Documents")});
            list(request, vec![drive], "microsoft.graph.drive")?
        }
        (_, [id, "lists", name, "items", rest @ ..]) => {
            site(id)?;
            if !lists(id).iter().any(|list| text(list, "/id") == *name || text(list, "/displayName") == *name) {
                return Err(not_found());
            }
            return items(request, &mut store.family.sharepoint.items, rest);
        }
        _ => return Ok(None),
    }))
}

fn items(request: &Request<'_>, all: &mut Vec<Value>, path: &[&str]) -> Found {
    let position = |id: &str, all: &[Value]| all.iter().position(|item| text(item, "/id") == id).ok_or_else(not_found);
    Ok(Some(match (request.call.method.as_str(), path) {
        ("GET", []) => page(request, all)?,
        ("POST", []) => create(request, all)?,
        ("GET", [id]) => {
            let at = position(id, all)?;
            Answer::ok(all.get(at).map(|item| rendered(request, item)).unwrap_or_default())
        }
        ("PATCH", [id, "fields"]) => {
            let at = position(id, all)?;
            let item = all.get_mut(at).ok_or_else(not_found)?;
            matches(request, item)?;
            let fields = known(&request.object()?)?;
            put(item, &fields);
            let version = item.get("version").and_then(Value::as_u64).unwrap_or(0);
            set(item, "version", version + 1);
            Answer::ok(item.get("fields").cloned().unwrap_or_default())
        }
        ("DELETE", [id]) => {
            let at = position(id, all)?;
            matches(request, all.get(at).ok_or_else(not_found)?)?;
            all.remove(at);
            Answer::empty(204)
        }
        _ => return Ok(None),
    }))
}

fn site(id: &str) -> Result<&'static (&'static str, &'static str, &'static str), GraphError> {
    SITES.iter().find(|(site, _, at)| *site == id || (id == "root" && at.is_empty())).ok_or_else(not_found)
}

fn shown((id, name, at): &(&str, &str, &str)) -> Value {
    let last = at.rsplit('/').next().filter(|last| !last.is_empty()).unwrap_or(HOST);
    json!({"id": id, "displayName": name, "name": last, "description": format!("Team site of {name}"),
        "webUrl": format!("https://{HOST}/{at}")})
}

fn lists(site: &str) -> Vec<Value> {
    let of = |id: &str, name: &str, template: &str, hidden: bool| {
        json!({"id": id, "displayName": name, "name": name, "webUrl": format!("https://{HOST}/Lists/{name}"),
            "list": {"template": template, "hidden": hidden}})
    };
    let mut lists = vec![of("0c1d0000-0000-4000-8000-00000000000a", "Documents", "documentLibrary", false)];
    if SITES.iter().any(|(id, _, at)| *id == site && *at == "sites/heron") {
        lists.push(of(LIST.0, LIST.1, "genericList", false));
        lists.push(of("0c1d0000-0000-4000-8000-00000000000b", "Workflow Tasks", "genericList", true));
    }
    lists
}

fn list(request: &Request<'_>, values: Vec<Value>, kind: &str) -> Result<Answer, GraphError> {
    query::page(request, &ListOptions::parse(request, SIZES)?, values, kind)
}

fn search(request: &Request<'_>) -> Result<Answer, GraphError> {
    let wanted = request.query.filled("search").ok_or_else(|| invalid("A search is needed."))?.to_lowercase();
    let fits = |(_, name, _): &&(&str, &str, &str)| wanted == "*" || name.to_lowercase().contains(&wanted);
    // `search` without a dollar sign is an argument of its own here, not of the list.
    let mut options = ListOptions::parse(request, SIZES)?;
    options.search = None;
    let mut found: Vec<Value> = SITES.iter().filter(fits).map(shown).collect();
    if options.select.is_some() {
        // A search that selects fields leaves this one out.
        for site in &mut found {
            set(site, "displayName", Value::Null);
        }
    }
    query::page(request, &options, found, "microsoft.graph.site")
}

fn page(request: &Request<'_>, all: &[Value]) -> Result<Answer, GraphError> {
    let mut options = ListOptions::parse(request, SIZES)?;
    options.select = None;
    let clauses = options.filter.as_deref().map(filter::parse).transpose()?.unwrap_or_default();
    let indexed = |clause: &Clause| {
        COLUMNS.iter().any(|(name, indexed)| *indexed && clause.property() == format!("fields/{name}"))
    };
    if !clauses.iter().all(indexed) {
        return Err(invalid("Field cannot be referenced in filter or orderby as it is not indexed."));
    }
    let kept = all.iter().filter(|item| clauses.iter().all(|clause| clause.holds(item)));
    query::page(request, &options, kept.map(|item| rendered(request, item)).collect(), "microsoft.graph.listItem")
}

/// The item with the columns that were asked for.
fn rendered(request: &Request<'_>, item: &Value) -> Value {
    let mut shown = item.clone();
    set(&mut shown, "eTag", etag(item));
    crate::json::remove(&mut shown, "version");
    let expand = query::option(request, "$expand").unwrap_or("");
    let Some(chosen) = expand.strip_prefix("fields") else {
        crate::json::remove(&mut shown, "fields");
        return shown;
    };
    let chosen = chosen.strip_prefix("($select=").and_then(|rest| rest.strip_suffix(')'));
    let mut fields = item.get("fields").cloned().unwrap_or_default();
    if let (Some(chosen), Some(fields)) = (chosen, fields.as_object_mut()) {
        fields.retain(|name, _| chosen.split(',').any(|wanted| wanted == name));
    } else {
        set(&mut fields, "_UIVersionString", "1.0");
        set(&mut fields, "ContentType", "Item");
        set(&mut fields, "LinkTitle", text(item, "/fields/Title"));
    }
    set(&mut fields, "@odata.etag", etag(item));
    set(&mut shown, "fields", fields);
    shown
}

fn matches(request: &Request<'_>, item: &Value) -> Result<(), GraphError> {
    match request.call.header("if-match") {
        Some(given) if given != etag(item) => {
            Err(GraphError::new(412, "notAllowed", "ETag does not match current item's value"))
        }
        Some(_) | None => Ok(()),
    }
}

/// The columns of a body, which the list must have; of several values the type must be said.
fn known(body: &Value) -> Result<Map<String, Value>, GraphError> {
    let mut fields = body.as_object().cloned().ok_or_else(|| invalid("The request is malformed or incorrect."))?;
    for (name, value) in &fields {
        let column = name.trim_end_matches("@odata.type");
        let typed = !value.is_array() || fields.contains_key(&format!("{name}@odata.type"));
        if !COLUMNS.iter().any(|(known, _)| *known == column) || !typed {
            return Err(invalid(&format!("Field '{column}' is not recognized")));
        }
    }
    fields.retain(|name, _| !name.contains('@'));
    Ok(fields)
}

fn put(item: &mut Value, fields: &Map<String, Value>) {
    let mut kept = item.get("fields").cloned().unwrap_or_default();
    for (name, value) in fields {
        set(&mut kept, name, value.clone());
    }
    set(item, "fields", kept);
}

fn create(request: &Request<'_>, all: &mut Vec<Value>) -> Result<Answer, GraphError> {
    let body = request.object()?;
    let fields = known(body.get("fields").unwrap_or(&Value::Null))?;
    let highest = all.iter().filter_map(|item| text(item, "/id").parse::<usize>().ok()).max().unwrap_or(0);
    let made = item(highest + 1, &fields.into());
    all.push(made.clone());
    let location = request.url(&format!("sites/items/{}", text(&made, "/id")));
    Ok(Answer::created(rendered(request, &made), location))
}
