//! The message resource as an answer shows it: ids by preference, body by preference, derived members.

use serde_json::{Value, json};

use super::request::{Prefer, Request};
use super::store::{Mailbox, StoredMessage};
use crate::json::{set, text};

/// OData type of a message, as error messages name it.
pub const KIND: &str = "Microsoft.OutlookServices.Message";

/// Renders a stored message.
pub fn render(mailbox: &Mailbox, message: &StoredMessage, prefer: &Prefer) -> Value {
    let mut value = message.value.clone();
    crate::json::remove(&mut value, "files");
    let id = if prefer.immutable { mailbox.immutable_id(message) } else { mailbox.mutable_id(message) };
    let etag = format!("CQAAABYAAAD{:06}", message.key);
    set(&mut value, "@odata.etag", format!("W/\"{etag}\""));
    set(&mut value, "id", id);
    set(&mut value, "changeKey", etag);
    set(&mut value, "parentFolderId", mailbox.folder_id(message.folder));
    let html = text(&message.value, "/body/content").to_owned();
    let is_html = text(&message.value, "/body/contentType") != "text";
    let plain = if is_html { html_to_text(&html) } else { html.clone() };
    let preview: String = plain.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(255).collect();
    set(&mut value, "bodyPreview", preview);
    if prefer.text_body {
        set(&mut value, "body", json!({"contentType": "text", "content": plain}));
    }
    value
}

/// Takes out what an answer without `$select` does not have.
pub fn default_shape(mut value: Value, request: &Request<'_>) -> Value {
    let asked = |name: &str| super::query::option(request, "$select").is_some_and(|list| list.contains(name));
    let expanded =
        super::query::option(request, "$expand").is_some_and(|e| e.starts_with("singleValueExtendedProperties"));
    if !asked("uniqueBody") {
        crate::json::remove(&mut value, "uniqueBody");
    }
    if !asked("internetMessageHeaders") {
        crate::json::remove(&mut value, "internetMessageHeaders");
    }
    if !expanded {
        crate::json::remove(&mut value, "singleValueExtendedProperties");
    }
    value
}

/// A plain text of an HTML body much as Exchange makes it: tags away, blocks to lines, addresses of links and names of
/// pictures kept, what a style hides kept too, the common entities back.
pub fn html_to_text(html: &str) -> String {
    let (mut out, mut link) = (String::new(), None);
    let mut rest = html;
    while let Some((before, after)) = rest.split_once('<') {
        out.push_str(before);
        let (tag, remaining) = after.split_once('>').unwrap_or((after, ""));
        let name: String = tag.trim_start_matches('/').chars().take_while(char::is_ascii_alphanumeric).collect();
        rest = remaining;
        match name.to_ascii_lowercase().as_str() {
            "style" | "head" | "title" if !tag.starts_with('/') => {
                let end = format!("</{name}>");
                rest = remaining.split_once(end.as_str()).map_or("", |(_, after)| after);
            }
            "a" if tag.starts_with('/') => {
                out.extend(link.take().map(|address| format!("<{address}>")));
            }
            "a" => link = attribute(tag, "href").filter(|address| address.starts_with("http")),
            "img" => out.extend(attribute(tag, "alt").map(|name| format!("[{name}]"))),
            "td" | "th" if !tag.starts_with('/') => out.push('\t'),
            "hr" => out.push_str("\r\n________________________________\r\n"),
            "p" | "div" | "br" | "tr" | "li" | "h1" | "h2" | "h3" | "blockquote" | "table" => {
                out.push_str("\r\n");
            }
            _ => {}
        }
    }
    out.push_str(rest);
    let entities = [
        ("&nbsp;", "\u{a0}"),
        ("&zwnj;", "\u{200c}"),
        ("&#847;", "\u{34f}"),
        ("&shy;", "\u{ad}"),
        ("&#8199;", "\u{2007}"),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&amp;", "&"),
    ];
    entities.iter().fold(out, |text, (from, to)| text.replace(from, to))
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = tag.split_once(&format!("{name}=\""))?;
    rest.split_once('"').map(|(value, _)| value).filter(|value| !value.is_empty())
}
