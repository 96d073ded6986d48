//! The table of paths.

use super::error::GraphError;
use super::request::{Answer, Request};
use super::store::GraphStore;
use super::{batch, calendar, event_write, family, mail, mail_write, meetings, people, sharing, teams};
use crate::App;
use crate::call::Call;
use crate::entra::sessions::Consent;

/// Answers a request of a known person.
pub fn answer(app: &App, call: &Call, consent: &Consent) -> Result<Answer, GraphError> {
    let request = Request::parse(call, consent)?;
    let shared = sharing::of(&request)?;
    let request = match &shared {
        Some((owner, path)) => Request { consent: owner, segments: path.clone(), ..request },
        None => request,
    };
    let segments: Vec<&str> = request.segments.iter().map(String::as_str).collect();
    if segments == ["$batch"] && call.method == "POST" {
        return batch::answer(app, &request, consent);
    }
    let mut world = app.world();
    let mut answer = match family::answer(&request, &mut world.graph, &segments)? {
        Some(answer) => answer,
        None => core(&request, &mut world.graph, &segments)?,
    };
    if let Some(applied) = request.prefer.applied() {
        answer.headers.push(("preference-applied", applied));
    }
    Ok(answer)
}

/// The paths of the core tools.
fn core(request: &Request<'_>, store: &mut GraphStore, segments: &[&str]) -> Result<Answer, GraphError> {
    let method = request.call.method.as_str();
    match (method, segments) {
        (_, ["me", rest @ ..]) => me(request, store, rest),
        ("GET", ["users"]) => people::users(request),
        ("GET", ["users", key]) => people::user(request, key),
        (_, ["teams" | "chats", ..]) => teams_route(request, store, segments),
        _ => Err(unknown(segments)),
    }
}

fn unknown(segments: &[&str]) -> GraphError {
    GraphError::no_segment(segments.last().unwrap_or(&""))
}

fn me(request: &Request<'_>, store: &mut GraphStore, rest: &[&str]) -> Result<Answer, GraphError> {
    let method = request.call.method.as_str();
    if let ["messages" | "sendMail" | "mailFolders", ..] = rest {
        return me_mail(request, store, rest);
    }
    let mailbox = store.mailbox(request.consent.user);
    match (method, rest) {
        ("GET", []) => people::me(request),
        ("GET", ["people"]) => people::relevant(request),
        ("GET", ["mailboxSettings"]) => calendar::settings(request, mailbox),
        ("GET", ["calendars"]) => calendar::calendars(request, mailbox),
        ("GET", ["calendarView"] | ["calendar", "calendarView"]) => calendar::view(request, mailbox, None),
        ("GET", ["calendars", id, "calendarView"]) => calendar::view(request, mailbox, Some(id)),
        ("POST", ["events"] | ["calendar", "events"]) => event_write::create(request, mailbox, None),
        ("POST", ["calendars", id, "events"]) => event_write::create(request, mailbox, Some(id)),
        ("GET", ["events", id]) => calendar::get(request, mailbox, id),
        ("GET", ["joinedTeams"]) => teams::joined(request),
        ("POST", ["onlineMeetings"]) => meetings::create(request, mailbox),
        ("POST", ["onlineMeetings", "createOrGet"]) => meetings::create_or_get(request, mailbox),
        _ => Err(unknown(rest)),
    }
}

fn me_mail(request: &Request<'_>, store: &mut GraphStore, rest: &[&str]) -> Result<Answer, GraphError> {
    match (request.call.method.as_str(), rest) {
        ("GET", ["messages"]) => mail::list(request, store.mailbox(request.consent.user), None),
        ("GET", ["mailFolders"]) => mail::folders(request, store.mailbox(request.consent.user)),
        ("GET", ["mailFolders", folder, "messages"]) => {
            mail::list(request, store.mailbox(request.consent.user), Some(folder))
        }
        ("POST", ["messages"]) => mail_write::create(request, store),
        ("GET", ["messages", id]) => mail_write::get(request, store, id),
        ("PATCH", ["messages", id]) => mail_write::update(request, store, id),
        ("DELETE", ["messages", id]) => mail_write::delete(request, store, id),
        ("POST", ["messages", id, "send"]) => mail_write::send_draft(request, store, id),
        ("POST", ["sendMail"]) => mail_write::send_mail(request, store),
        _ => Err(unknown(rest)),
    }
}

fn teams_route(request: &Request<'_>, store: &mut GraphStore, segments: &[&str]) -> Result<Answer, GraphError> {
    let posted = &mut store.teams;
    match (request.call.method.as_str(), segments) {
        ("GET", ["teams", team, "channels"]) => teams::channels(request, team),
        ("POST", ["teams", team, "channels", channel, "messages"]) => {
            teams::post_channel(request, posted, (team, channel), None)
        }
        ("POST", ["teams", team, "channels", channel, "messages", id, "replies"]) => {
            teams::post_channel(request, posted, (team, channel), Some(id))
        }
        ("POST", ["chats"]) => teams::create_chat(request, posted),
        ("POST", ["chats", chat, "messages"]) => teams::post_chat(request, posted, chat),
        _ => Err(unknown(segments)),
    }
}
