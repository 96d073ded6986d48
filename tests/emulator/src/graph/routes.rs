//! The table of paths.

use super::error::GraphError;
use super::mail;
use super::request::{Answer, Family, Request};
use super::store::user_resource;
use crate::App;
use crate::call::Call;
use crate::entra::sessions::Consent;

/// Answers a request of a known person.
pub fn answer(app: &App, call: &Call, consent: &Consent) -> Result<Answer, GraphError> {
    let request = Request::parse(call, consent)?;
    let mut world = app.world();
    let mailbox = world.graph.mailbox(consent.user);
    let segments: Vec<&str> = request.segments.iter().map(String::as_str).collect();
    let mut answer = match (call.method.as_str(), segments.as_slice()) {
        ("GET", ["me"]) => {
            request.require(
                &["User.Read", "User.ReadWrite", "User.Read.All"],
                Family::Directory,
            )?;
            let chosen: Option<Vec<String>> = super::query::option(&request, "$select")
                .map(|list| list.split(',').map(|one| one.trim().to_owned()).collect());
            Answer::ok(super::query::select(
                user_resource(consent.user),
                chosen.as_deref(),
                "microsoft.graph.user",
            )?)
        }
        ("GET", ["me", "messages"]) => mail::list(&request, mailbox, None)?,
        ("GET", ["me", "mailFolders", folder, "messages"]) => {
            mail::list(&request, mailbox, Some(folder))?
        }
        (_, parts) => return Err(GraphError::no_segment(parts.last().unwrap_or(&""))),
    };
    if let Some(applied) = request.prefer.applied() {
        answer.headers.push(("preference-applied", applied));
    }
    Ok(answer)
}
