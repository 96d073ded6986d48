//! The emulator's own page, for people: what the gateway logged, who signed in and sent what,
//! faults and key rotation as plain forms. It runs no script and loads nothing.

use axum::http::Method;
use serde_json::Value;

use crate::App;
use crate::call::{Call, Pairs};
use crate::faults::{Fault, Match, Target};
use crate::gateway::store::LogEntry;
use crate::reply::{self, Reply, escape};
use crate::sample::directory::USERS;

const TARGETS: [(Target, &str); 4] = [
    (Target::Gateway, "gateway"),
    (Target::Graph, "graph"),
    (Target::Entra, "entra"),
    (Target::Access, "access"),
];

/// Answers a request to the emulator's own address.
pub async fn handle(app: &App, call: &Call) -> Reply {
    match (&call.method, call.path.as_str()) {
        (&Method::GET, "/") => reply::html(200, layout("m365 emulator", &overview(app))),
        (&Method::GET, path) => match path.strip_prefix("/logs/") {
            Some(id) => log_page(app, id),
            None => reply::empty(404),
        },
        (&Method::POST, path) => {
            // A page of another site must not be able to press these buttons.
            let foreign = call
                .header("sec-fetch-site")
                .is_some_and(|site| site != "same-origin");
            if foreign {
                return reply::empty(403);
            }
            match act(app, path, &call.form()).await {
                Ok(()) => reply::see_other("/"),
                Err(message) => reply::html(
                    400,
                    layout(
                        "Refused",
                        &format!(
                            "<h1>Refused</h1><p>{}</p><p><a href=\"/\">Back</a></p>",
                            escape(&message)
                        ),
                    ),
                ),
            }
        }
        _ => reply::empty(405),
    }
}

async fn act(app: &App, path: &str, form: &Pairs) -> Result<(), String> {
    let user = form.filled("user");
    match path {
        "/faults" => app.world().faults.add(read_fault(form)?)?,
        "/faults/clear" => app.world().faults.clear(),
        "/reset" => app.reset(),
        "/entra/rotate" => drop(app.entra_keys.rotate(form.filled("drop").is_some()).await),
        "/access/rotate" => drop(app.access_keys.rotate(form.filled("drop").is_some()).await),
        "/entra/expire" => app.world().entra.expire(user),
        "/entra/revoke" => app.world().entra.revoke(user),
        "/log-id" => {
            let mut world = app.world();
            world.gateway.log_id = !world.gateway.log_id;
        }
        _ => return Err("no such button".to_owned()),
    }
    Ok(())
}

fn read_fault(form: &Pairs) -> Result<Fault, String> {
    let (target, name) = form
        .get("fault")
        .and_then(|both| both.split_once('/'))
        .ok_or("choose a fault")?;
    let found = TARGETS
        .iter()
        .find(|(_, word)| *word == target)
        .ok_or("no such target")?;
    let owned = |field: &str| form.filled(field).map(str::to_owned);
    let only = Match {
        method: owned("method"),
        path: owned("path"),
    };
    let times = form
        .filled("times")
        .map(str::parse)
        .transpose()
        .map_err(|_| "times is a number")?;
    let retry_after = form
        .filled("retryAfter")
        .map(str::parse)
        .transpose()
        .map_err(|_| "Retry-After is a number")?;
    let delay_ms = form
        .filled("delayMs")
        .map(str::parse)
        .transpose()
        .map_err(|_| "delay is a number")?;
    let fault = name.to_owned();
    Ok(Fault {
        target: found.0,
        fault,
        times,
        only: Some(only),
        retry_after,
        delay_ms,
    })
}

fn overview(app: &App) -> String {
    let published = app.settings.redirect_uri.clone();
    format!(
        "<header><h1>m365 emulator</h1><p class=\"note\">This is <strong>not</strong> Microsoft and not Cloudflare. Every person, \
         tenant and message here is invented; nothing leaves this machine.</p>\
         <p>Worker <a href=\"{worker}\">{worker}</a> · redirect URI <code>{redirect}</code> · \
         <a href=\"/_control/gateway/logs\">logs as JSON</a> · <a href=\"/_control/graph/calls\">Graph calls</a> · \
         <a href=\"/_control/entra/calls\">Entra calls</a></p></header>{logs}{people}{faults}{keys}",
        worker = escape(&app.settings.worker),
        redirect = escape(&published),
        logs = logs(app),
        people = people(app),
        faults = faults(app),
        keys = keys(app),
    )
}

fn logs(app: &App) -> String {
    let world = app.world();
    let rows: String = world
        .gateway
        .logs
        .iter()
        .rev()
        .take(50)
        .map(log_row)
        .collect();
    let table = if rows.is_empty() {
        "<p>No call yet. Use a tool of the Worker and reload.</p>".to_owned()
    } else {
        format!(
            "<div class=\"wide\"><table><thead><tr><th>Time</th><th>Route</th><th>Status</th><th>Metadata</th><th>Payload</th>\
             <th>Tries</th></tr></thead><tbody>{rows}</tbody></table></div>"
        )
    };
    format!(
        "<section><h2>AI Gateway log ({})</h2>{table}</section>",
        world.gateway.logs.len()
    )
}

fn log_row(entry: &LogEntry) -> String {
    let class = if entry.status < 400 { "good" } else { "bad" };
    let code = entry
        .code
        .map_or(String::new(), |code| format!(" · {code}"));
    let payload = if entry.payload.is_some() {
        "<strong>kept</strong>"
    } else {
        "not collected"
    };
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
    let lines = entries
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| {
            let shown = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            format!("<b>{}</b> {}<br>", escape(name), escape(&shown))
        });
    lines.collect()
}

fn log_page(app: &App, id: &str) -> Reply {
    let world = app.world();
    let Some(entry) = world.gateway.logs.iter().find(|entry| entry.id == id) else {
        return reply::empty(404);
    };
    let pretty = |value: &Value| escape(&serde_json::to_string_pretty(value).unwrap_or_default());
    let payload = entry
        .payload
        .as_ref()
        .map_or("Not collected: the call said so.".to_owned(), pretty);
    let response = entry
        .response
        .as_deref()
        .map_or("Not collected.".to_owned(), escape);
    let body = format!(
        "<p><a href=\"/\">All logs</a></p><h1>Log {}</h1><h2>Metadata</h2><pre>{}</pre><h2>Payload</h2><pre>{payload}</pre>\
         <h2>Answer</h2><pre>{response}</pre><h2>Request headers</h2><pre>{}</pre><h2>Options</h2><pre>{}</pre>",
        escape(&entry.id),
        pretty(&entry.metadata),
        pretty(&entry.request_headers),
        pretty(&entry.options),
    );
    reply::html(200, layout("Gateway log", &body))
}

fn people(app: &App) -> String {
    let mut world = app.world();
    let mut rows = String::new();
    for user in USERS {
        let refresh = world
            .entra
            .refresh
            .values()
            .filter(|consent| consent.user.oid == user.oid)
            .count();
        let mailbox = world.graph.mailbox(user);
        let count = |folder: &str| {
            mailbox
                .messages
                .iter()
                .filter(|message| message.folder == folder)
                .count()
        };
        rows.push_str(
            &[
                "<tr><td>",
                &escape(user.name),
                "</td><td>",
                &escape(user.email),
                "</td><td>",
                &count("inbox").to_string(),
                "</td><td><a href=\"/_control/graph/messages?folder=sentitems&amp;user=",
                &escape(user.email),
                "\">",
                &count("sentitems").to_string(),
                "</a></td><td>",
                &count("drafts").to_string(),
                "</td><td>",
                &refresh.to_string(),
                "</td><td>",
                &button("/entra/expire", "Expire tokens", Some(user.email)),
                &button("/entra/revoke", "Revoke sign-in", Some(user.email)),
                "</td></tr>",
            ]
            .concat(),
        );
    }
    format!(
        "<section><h2>People</h2><div class=\"wide\"><table><thead><tr><th>Name</th><th>Sign-in</th><th>Inbox</th><th>Sent</th><th>Drafts</th>\
         <th>Refresh tokens</th><th></th></tr></thead><tbody>{rows}</tbody></table></div></section>"
    )
}

fn button(action: &str, label: &str, user: Option<&str>) -> String {
    let field = user.map_or(String::new(), |user| {
        format!(
            "<input type=\"hidden\" name=\"user\" value=\"{}\">",
            escape(user)
        )
    });
    format!("<form method=\"post\" action=\"{action}\">{field}<button>{label}</button></form>")
}

fn faults(app: &App) -> String {
    let mut choices = String::new();
    for (target, word) in TARGETS {
        let options: String = target
            .names()
            .iter()
            .map(|name| format!("<option value=\"{word}/{name}\">{name}</option>"))
            .collect();
        choices.push_str(&["<optgroup label=\"", word, "\">", &options, "</optgroup>"].concat());
    }
    let ordered = serde_json::to_value(&app.world().faults).unwrap_or_default();
    let list: String = ordered
        .as_array()
        .into_iter()
        .flatten()
        .map(|fault| format!("<li><code>{}</code></li>", escape(&fault.to_string())))
        .collect();
    let list = if list.is_empty() {
        "<p>None ordered.</p>".to_owned()
    } else {
        format!("<ul>{list}</ul>")
    };
    format!(
        "<section><h2>Faults</h2>{list}<form method=\"post\" action=\"/faults\" class=\"fields\">\
         <label>Fault <select name=\"fault\">{choices}</select></label>\
         <label>Times <input name=\"times\" value=\"1\" size=\"3\" inputmode=\"numeric\"></label>\
         <label>Method <input name=\"method\" size=\"6\"></label><label>Path contains <input name=\"path\" size=\"18\"></label>\
         <label>Retry-After <input name=\"retryAfter\" size=\"4\" inputmode=\"numeric\"></label>\
         <label>Delay ms <input name=\"delayMs\" size=\"6\" inputmode=\"numeric\"></label><button>Order</button></form>{}</section>",
        button("/faults/clear", "Clear all faults", None)
    )
}

fn keys(app: &App) -> String {
    let shows = if app.world().gateway.log_id {
        "Stop sending cf-aig-log-id"
    } else {
        "Send cf-aig-log-id"
    };
    format!(
        "<section><h2>Keys and state</h2>{}{}{}{}</section>",
        button("/entra/rotate", "Rotate Entra key", None),
        button("/access/rotate", "Rotate Access key", None),
        button("/log-id", shows, None),
        button("/reset", "Reset everything", None),
    )
}

/// A whole document around a body that is already HTML.
pub fn layout(title: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <title>{}</title><style>{STYLE}</style></head><body><main>{body}</main></body></html>",
        escape(title)
    )
}

const STYLE: &str = "\
:root{color-scheme:light dark;--line:#d5d8dd;--soft:#f4f5f7;--good:#17693a;--bad:#a4201c;--link:#0b57d0}\
@media(prefers-color-scheme:dark){:root{--line:#3a3f47;--soft:#1e2228;--good:#6fd19a;--bad:#ff8f87;--link:#8ab4f8}}\
body{margin:0;font:15px/1.5 system-ui,sans-serif;background:Canvas;color:CanvasText}main{max-width:70rem;margin:0 auto;padding:1.5rem 1rem}\
a{color:var(--link)}h1{font-size:1.5rem;margin:.2rem 0}h2{font-size:1.1rem;margin:2rem 0 .5rem}\
.note{border-left:4px solid var(--bad);background:var(--soft);padding:.6rem .9rem}\
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.35rem .6rem;border-bottom:1px solid var(--line)}\
th{font-weight:600}.good{color:var(--good)}.bad{color:var(--bad)}code,pre{font-family:ui-monospace,monospace;font-size:.85em}\
pre{background:var(--soft);padding:.8rem;overflow-x:auto;white-space:pre-wrap;overflow-wrap:anywhere}\
form{display:inline-block;margin:.15rem .3rem .15rem 0}.fields{display:flex;flex-wrap:wrap;gap:.6rem;align-items:end}.fields label{display:flex;flex-direction:column;font-size:.85em}\
button,input,select{font:inherit;padding:.3rem .6rem;border:1px solid var(--line);border-radius:.3rem;background:var(--soft);color:inherit}button{cursor:pointer}\
:focus-visible{outline:2px solid var(--link);outline-offset:2px}\
.accounts{list-style:none;padding:0;max-width:26rem}.account{display:flex;flex-direction:column;width:100%;text-align:left;margin:.3rem 0;padding:.6rem .9rem}.scopes{overflow-wrap:anywhere;color:GrayText}\
form:has(.accounts){display:block}";
