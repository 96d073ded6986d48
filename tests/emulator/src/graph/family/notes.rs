//! `OneNote`: each person's notebook, its sections and pages. It takes well-formed HTML with a title, and says no
//! Retry-After.

use std::collections::HashMap;

use serde_json::{Value, json};
use time::Date;

use super::Found;
use crate::graph::error::GraphError;
use crate::graph::message::html_to_text;
use crate::graph::query::{self, ListOptions, Sizes};
use crate::graph::request::{Answer, Request};
use crate::graph::store::GraphStore;
use crate::json::{items, set, text};
use crate::reply::escape;
use crate::sample::directory::{USERS, User};

const SIZES: Sizes = Sizes { default: 20, max: 100 };
const READ: &[&str] = &["Notes.Read", "Notes.ReadWrite"];
const CREATE: &[&str] = &["Notes.Create", "Notes.ReadWrite"];
const WRITE: &[&str] = &["Notes.ReadWrite"];
/// Elements that have no end.
const VOID: [&str; 4] = ["br", "hr", "img", "meta"];

/// What this family keeps between requests.
pub struct Store {
    books: HashMap<&'static str, Book>,
    next: usize,
}

struct Book {
    notebook: Value,
    /// With `html`, and the section each is in.
    pages: Vec<Value>,
}

impl Store {
    /// The sample data around a day.
    pub fn sample(today: Date) -> Self {
        Self { books: USERS.iter().map(|user| (user.oid, Book::sample(user, today))).collect(), next: 1000 }
    }
}

impl Book {
    fn sample(user: &User, today: Date) -> Self {
        let owner = user.oid.get(..8).unwrap_or("");
        let section = |number: usize, name: &str| json!({"id": format!("1-{owner}-s{number}"), "displayName": name});
        let inner = json!({"id": format!("1-{owner}-g2"), "displayName": "Former", "sections": [section(4, "Adatum")], "sectionGroups": []});
        let group = json!({"id": format!("1-{owner}-g1"), "displayName": "Suppliers", "sections": [section(3, "Fabrikam")],
            "sectionGroups": [inner]});
        let notebook = json!({
            "id": format!("1-{owner}-n1"), "displayName": format!("{} @ Contoso", user.names().0), "isShared": false,
            "lastModifiedDateTime": format!("{today}T08:00:00Z"), "sections": [section(1, "Meetings"), section(2, "Ideas")],
            "sectionGroups": [group],
        });
        let body = format!(
            "<div style=\"position:absolute;left:48px;top:120px;width:624px\"><p>Present: Adele, Megan &amp; Nora</p>\
             <ul><li>Launch stays in May</li><li>Samples by Friday</li></ul><p>{}</p></div>",
            user.marker
        );
        let mut pages = vec![page(
            &format!("1-{owner}-p1"),
            &format!("1-{owner}-s1"),
            &format!("Minutes: {}", user.project),
            &body,
        )];
        let more = (2..32).map(|number| {
            let title = format!("Idea {number}");
            page(&format!("1-{owner}-p{number}"), &format!("1-{owner}-s2"), &title, "<p>Try it.</p>")
        });
        pages.extend(more);
        Self { notebook, pages }
    }

    fn section(&self, id: &str) -> Option<&Value> {
        let groups = items(&self.notebook, "/sectionGroups").iter().flat_map(|group| items(group, "/sections"));
        items(&self.notebook, "/sections").iter().chain(groups).find(|section| text(section, "/id") == id)
    }
}

fn page(id: &str, section: &str, title: &str, body: &str) -> Value {
    let minute = id.bytes().fold(0_u8, |sum, byte| (sum + byte % 7) % 60);
    json!({"id": id, "section": section, "title": title, "lastModifiedDateTime": format!("2026-02-01T08:{minute:02}:00Z"),
        "createdDateTime": "2026-02-01T08:00:00Z",
        "html": format!("<html lang=\"en-US\"><head><title>{}</title><meta http-equiv=\"Content-Type\" content=\"text/html; charset=utf-8\" /></head><body data-absolute-enabled=\"true\">{body}</body></html>", escape(title))})
}

fn not_found() -> GraphError {
    GraphError::new(404, "20102", "The specified resource ID does not exist.")
}

fn require(request: &Request<'_>, any: &[&str]) -> Result<(), GraphError> {
    if request.consent.scopes.iter().any(|granted| any.contains(&granted.as_str())) {
        return Ok(());
    }
    Err(GraphError::new(
        403,
        "40004",
        "The OAuth token provided does not have the necessary scopes to complete the request.",
    ))
}

/// Answers a request for one of this family's paths.
pub fn route(request: &Request<'_>, store: &mut GraphStore, path: &[&str]) -> Found {
    let ["me", "onenote", rest @ ..] = path else { return Ok(None) };
    let notes = &mut store.family.notes;
    notes.next += usize::from(request.call.method == "POST");
    let next = notes.next;
    let Some(book) = notes.books.get_mut(request.consent.user.oid) else { return Ok(None) };
    Ok(Some(match (request.call.method.as_str(), rest) {
        ("GET", ["notebooks"]) => {
            require(request, READ)?;
            let mut notebook = book.notebook.clone();
            crate::json::remove(&mut notebook, "sections");
            crate::json::remove(&mut notebook, "sectionGroups");
            let options = ListOptions::parse(request, SIZES)?;
            query::page(request, &options, vec![notebook], "microsoft.graph.notebook")?
        }
        ("GET", ["notebooks", id]) => notebook(request, book, id)?,
        ("GET", ["sections", id, "pages"]) => {
            require(request, READ)?;
            book.section(id).ok_or_else(not_found)?;
            pages(request, book, Some(id))?
        }
        ("GET", ["pages"]) => {
            require(request, READ)?;
            pages(request, book, None)?
        }
        ("GET", ["pages", id, "content"]) => {
            require(request, READ)?;
            // A bare text is the form of a body that is no JSON.
            Answer::ok(text(find(book, id)?, "/html").into())
        }
        ("POST", ["sections", id, "pages"]) => create(request, book, (id, next))?,
        ("PATCH", ["pages", id, "content"]) => append(request, book, id)?,
        _ => return Ok(None),
    }))
}

fn find<'a>(book: &'a mut Book, id: &str) -> Result<&'a mut Value, GraphError> {
    book.pages.iter_mut().find(|page| text(page, "/id") == id).ok_or_else(not_found)
}

fn notebook(request: &Request<'_>, book: &Book, id: &str) -> Result<Answer, GraphError> {
    require(request, READ)?;
    if text(&book.notebook, "/id") != id {
        return Err(not_found());
    }
    let mut notebook = book.notebook.clone();
    let expand = query::option(request, "$expand").unwrap_or("");
    for member in ["sections", "sectionGroups"] {
        if !expand.contains(member) {
            crate::json::remove(&mut notebook, member);
        }
    }
    if !expand.contains("sectionGroups($levels=max") {
        for group in notebook.get_mut("sectionGroups").and_then(Value::as_array_mut).into_iter().flatten() {
            crate::json::remove(group, "sectionGroups");
        }
    }
    Ok(Answer::ok(notebook))
}

fn pages(request: &Request<'_>, book: &Book, section: Option<&str>) -> Result<Answer, GraphError> {
    let options = ListOptions::parse(request, SIZES)?;
    let wanted = match options.filter.as_deref() {
        None => String::new(),
        Some(filter) => {
            let inner = filter.strip_prefix("contains(tolower(title),'").and_then(|rest| rest.strip_suffix("')"));
            inner.ok_or_else(|| GraphError::new(400, "20112", "Invalid filter clause"))?.replace("''", "'")
        }
    };
    let fits = |page: &&Value| {
        section.is_none_or(|id| text(page, "/section") == id) && text(page, "/title").to_lowercase().contains(&wanted)
    };
    let expanded = query::option(request, "$expand").is_some();
    let shown = |page: &Value| {
        let mut page = page.clone();
        let section = book.section(text(&page, "/section")).cloned().unwrap_or_default();
        crate::json::remove(&mut page, "html");
        crate::json::remove(&mut page, "section");
        if expanded {
            set(&mut page, "@parentSection", section);
        }
        page
    };
    let mut list: Vec<Value> = book.pages.iter().filter(fits).map(shown).collect();
    query::sort(&mut list, &options.orderby);
    let mut answer = query::page(request, &options, list, "microsoft.graph.onenotePage")?;
    // What is expanded comes along whatever is selected.
    for page in answer.body.as_mut().and_then(|body| body.get_mut("value")?.as_array_mut()).into_iter().flatten() {
        if let Some(section) = page.get("@parentSection").cloned() {
            crate::json::remove(page, "@parentSection");
            set(page, "parentSection", section);
        }
    }
    Ok(answer)
}

fn create(request: &Request<'_>, book: &mut Book, (section, number): (&str, usize)) -> Result<Answer, GraphError> {
    require(request, CREATE)?;
    book.section(section).ok_or_else(not_found)?;
    let kind = request.call.header("content-type").unwrap_or("").to_ascii_lowercase();
    if !kind.starts_with("text/html") && !kind.starts_with("application/xhtml+xml") {
        return Err(GraphError::new(415, "20115", "The content type is not supported."));
    }
    let html = String::from_utf8_lossy(&request.call.body).into_owned();
    well_formed(&html)?;
    let (head, body) = html.split_once("</head><body>").ok_or_else(malformed)?;
    let body = body.strip_suffix("</body></html>").ok_or_else(malformed)?;
    let title = head.split_once("<title>").and_then(|(_, rest)| rest.strip_suffix("</title>")).ok_or_else(malformed)?;
    let made = page(&format!("1-new-p{number}"), section, html_to_text(title).trim(), body);
    book.pages.push(made.clone());
    let mut shown = made;
    crate::json::remove(&mut shown, "html");
    crate::json::remove(&mut shown, "section");
    let location = request.url(&format!("me/onenote/pages/{}", text(&shown, "/id")));
    Ok(Answer::created(shown, location))
}

fn append(request: &Request<'_>, book: &mut Book, id: &str) -> Result<Answer, GraphError> {
    require(request, WRITE)?;
    let page = find(book, id)?;
    let commands = request.call.json().ok_or_else(malformed)?;
    let [command] = items(&commands, "") else { return Err(malformed()) };
    if (text(command, "/target"), text(command, "/action")) != ("body", "append") {
        return Err(malformed());
    }
    let content = text(command, "/content");
    well_formed(content)?;
    let html = text(page, "/html").replace("</body></html>", &format!("{content}</body></html>"));
    set(page, "html", html);
    Ok(Answer::empty(204))
}

fn malformed() -> GraphError {
    GraphError::new(400, "20001", "The request body is not well-formed, or holds what is not supported.")
}

/// Refuses elements that are not closed or not nested, attributes without quotes, and what would be fetched or run.
fn well_formed(html: &str) -> Result<(), GraphError> {
    let mut open = Vec::new();
    for tag in html.split('<').skip(1) {
        let (tag, _) = tag.split_once('>').ok_or_else(malformed)?;
        let name: String = tag.trim_start_matches('/').chars().take_while(char::is_ascii_alphanumeric).collect();
        if tag.starts_with('!') {
            continue;
        }
        if tag.contains("='")
            || tag.matches('"').count() % 2 == 1
            || matches!(name.as_str(), "script" | "iframe" | "img")
        {
            return Err(malformed());
        }
        if tag.starts_with('/') {
            if open.pop() != Some(name) {
                return Err(malformed());
            }
        } else if VOID.contains(&name.as_str()) {
            if !tag.ends_with('/') {
                return Err(malformed());
            }
        } else {
            open.push(name);
        }
    }
    if open.is_empty() { Ok(()) } else { Err(malformed()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_well_formed_html_is_taken() {
        assert!(
            well_formed("<!DOCTYPE html><html><head><title>a</title></head><body><p>b<br /></p></body></html>").is_ok()
        );
        for wrong in ["<p>", "</p>", "<b><i></b></i>", "<br>", "<p class='x'></p>", "<img src=\"x\" />", "<p"] {
            assert!(well_formed(wrong).is_err(), "{wrong}");
        }
    }
}
