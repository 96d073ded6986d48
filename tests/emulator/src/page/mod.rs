//! The emulator's own page, for people: what the gateway logged, who signed in and sent what,
//! faults and key rotation as plain forms. It runs no script and loads nothing.

pub mod logs;

use axum::http::Method;
use serde_json::Value;

use crate::App;
use crate::call::{Call, Pairs};
use crate::faults::{Fault, Match, Target};
use crate::reply::{self, Reply, escape};
use crate::sample::directory::USERS;

const TARGETS: [(Target, &str); 5] = [
    (Target::Gateway, "gateway"),
    (Target::Graph, "graph"),
    (Target::Entra, "entra"),
    (Target::Access, "access"),
    (Target::Publisher, "publisher"),
];

/// Answers a request to the emulator's own address.
pub async fn handle(app: &App, call: &Call) -> Reply {
    match (&call.method, call.path.as_str()) {
        (&Method::GET, "/") => reply::html(200, crate::layout::document("m365 emulator", &overview(app))),
        (&Method::GET, path) => match path.strip_prefix("/logs/") {
            Some(id) => logs::entry(app, id),
            None => reply::empty(404),
        },
        (&Method::POST, path) => {
            // A page of another site must not be able to press these buttons.
            let foreign = call.header("sec-fetch-site").is_some_and(|site| site != "same-origin");
            if foreign {
                return reply::empty(403);
            }
            match act(app, path, &call.form()).await {
                Ok(()) => reply::see_other("/"),
                Err(message) => reply::html(
                    400,
                    crate::layout::document(
                        "Refused",
                        &format!("<h1>Refused</h1><p>{}</p><p><a href=\"/\">Back</a></p>", escape(&message)),
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
    let (target, name) = form.get("fault").and_then(|both| both.split_once('/')).ok_or("choose a fault")?;
    let found = TARGETS.iter().find(|(_, word)| *word == target).ok_or("no such target")?;
    let owned = |field: &str| form.filled(field).map(str::to_owned);
    let only = Match { method: owned("method"), path: owned("path") };
    let times = form.filled("times").map(str::parse).transpose().map_err(|_| "times is a number")?;
    let retry_after = form.filled("retryAfter").map(str::parse).transpose().map_err(|_| "Retry-After is a number")?;
    let delay_ms = form.filled("delayMs").map(str::parse).transpose().map_err(|_| "delay is a number")?;
    let fault = name.to_owned();
    Ok(Fault { target: found.0, fault, times, only: Some(only), retry_after, delay_ms })
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
        logs = logs::section(app),
        people = people(app),
        faults = faults(app),
        keys = keys(app),
    )
}

fn people(app: &App) -> String {
    let mut world = app.world();
    let mut rows = String::new();
    for user in USERS {
        let refresh = world.entra.refresh.values().filter(|consent| consent.user.oid == user.oid).count();
        let mailbox = world.graph.mailbox(user);
        let count = |folder: &str| mailbox.messages.iter().filter(|message| message.folder == folder).count();
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
    let field =
        user.map_or(String::new(), |user| format!("<input type=\"hidden\" name=\"user\" value=\"{}\">", escape(user)));
    format!("<form method=\"post\" action=\"{action}\">{field}<button>{label}</button></form>")
}

fn faults(app: &App) -> String {
    let mut choices = String::new();
    for (target, word) in TARGETS {
        let option = |name: &&str| ["<option value=\"", word, "/", name, "\">", name, "</option>"].concat();
        let options = target.names().iter().map(option).collect::<Vec<_>>().concat();
        choices.push_str(&["<optgroup label=\"", word, "\">", &options, "</optgroup>"].concat());
    }
    let ordered = serde_json::to_value(&app.world().faults).unwrap_or_default();
    let line = |fault: &Value| ["<li><code>", &escape(&fault.to_string()), "</code></li>"].concat();
    let list = ordered.as_array().into_iter().flatten().map(line).collect::<Vec<_>>().concat();
    let list = if list.is_empty() { "<p>None ordered.</p>".to_owned() } else { format!("<ul>{list}</ul>") };
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
    let shows = if app.world().gateway.log_id { "Stop sending cf-aig-log-id" } else { "Send cf-aig-log-id" };
    format!(
        "<section><h2>Keys and state</h2>{}{}{}{}</section>",
        button("/entra/rotate", "Rotate Entra key", None),
        button("/access/rotate", "Rotate Access key", None),
        button("/log-id", shows, None),
        button("/reset", "Reset everything", None),
    )
}
