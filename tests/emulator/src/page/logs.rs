//! The gateway's log store, shown to people.

use serde_json::Value;

use crate::App;
use crate::gateway::store::LogEntry;
use crate::reply::{self, Reply, escape};

/// The table on the first page.
pub fn section(app: &App) -> String {
    let world = app.world();
    let rows: String = world.gateway.logs.iter().rev().take(50).map(log_row).collect();
    let table = if rows.is_empty() {
        "<p>No call yet. Use a tool of the Worker and reload.</p>".to_owned()
    } else {
        format!(
            "<div class=\"wide\"><table><thead><tr><th>Time</th><th>Route</th><th>Status</th><th>Metadata</th><th>Payload</th>\
             <th>Tries</th></tr></thead><tbody>{rows}</tbody></table></div>"
        )
    };
    format!("<section><h2>AI Gateway log ({})</h2>{table}</section>", world.gateway.logs.len())
}

fn log_row(entry: &LogEntry) -> String {
    let class = if entry.status < 400 { "good" } else { "bad" };
    let code = entry.code.map_or(String::new(), |code| format!(" · {code}"));
    let payload = if entry.payload.is_some() { "<strong>kept</strong>" } else { "not collected" };
    format!(
        "<tr><td><a href=\"/logs/{id}\">{at}</a></td><td>{route}</td><td class=\"{class}\">{status}{code}{hit}</td><td>{metadata}</td>\
         <td>{payload}</td><td>{attempts}</td></tr>",
        id = escape(&entry.id),
        at = escape(entry.at.get(11..19).unwrap_or(&entry.at)),
        route = escape(&entry.route),
        status = entry.status,
        hit = if entry.cached { " · cache" } else { "" },
        metadata = metadata(&entry.metadata),
        attempts = entry.attempts,
    )
}

fn metadata(entries: &Value) -> String {
    let lines = entries.as_object().into_iter().flatten().map(|(name, value)| {
        let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        format!("<b>{}</b> {}<br>", escape(name), escape(&shown))
    });
    lines.collect()
}

/// One entry with everything that was kept of it.
pub fn entry(app: &App, id: &str) -> Reply {
    let world = app.world();
    let Some(entry) = world.gateway.logs.iter().find(|entry| entry.id == id) else {
        return reply::empty(404);
    };
    let pretty = |value: &Value| escape(&serde_json::to_string_pretty(value).unwrap_or_default());
    let payload = entry.payload.as_ref().map_or("Not collected: the call said so.".to_owned(), pretty);
    let response = entry.response.as_deref().map_or("Not collected.".to_owned(), escape);
    let body = format!(
        "<p><a href=\"/\">All logs</a></p><h1>Log {}</h1><h2>Metadata</h2><pre>{}</pre><h2>Payload</h2><pre>{payload}</pre>\
         <h2>Answer</h2><pre>{response}</pre><h2>Request headers</h2><pre>{}</pre><h2>Options</h2><pre>{}</pre>",
        escape(&entry.id),
        pretty(&entry.metadata),
        pretty(&entry.request_headers),
        pretty(&entry.options),
    );
    reply::html(200, crate::layout::document("Gateway log", &body))
}
