//! Drafts that answer or forward a mail: recipients, subject and quoted history are Outlook's, the rest is the client's.

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::created;
use crate::graph::calendar::zone_known;
use crate::graph::compose::{check, compose};
use crate::graph::error::GraphError;
use crate::graph::mail_write::{WRITE, find};
use crate::graph::request::{Answer, Family, Request};
use crate::graph::shape::{known_members, recipients};
use crate::graph::store::Mailbox;
use crate::graph::zone::Zone;
use crate::json::{items, set, text};

/// POST `/me/messages/{id}/createReply` and its like.
pub fn create(request: &Request<'_>, mailbox: &mut Mailbox, id: &str, action: &str) -> Result<Answer, GraphError> {
    request.require(WRITE, Family::Outlook)?;
    let body = request.object()?;
    let forward = action == "createForward";
    let known: &[&str] = if forward { &["message", "comment", "toRecipients"] } else { &["message", "comment"] };
    known_members(&body, known, "microsoft.graph.message")?;
    let changes = body.get("message").cloned().unwrap_or_else(|| json!({}));
    check(&changes)?;
    recipients(body.get("toRecipients"))?;
    refuse_both(&body, &changes, forward)?;
    let at = find(request, mailbox, id)?;
    let original = mailbox.messages.get(at).ok_or_else(GraphError::no_item)?.value.clone();
    zone_known(request)?;
    let zone = request.prefer.zone.as_deref().and_then(Zone::parse).unwrap_or(Zone::UTC);
    let mut draft = outline(mailbox, &original, action, zone);
    if let Some(list) = body.get("toRecipients") {
        set(&mut draft, "toRecipients", list.clone());
    }
    for (name, value) in changes.as_object().into_iter().flatten() {
        set(&mut draft, name, value.clone());
    }
    let mut message = compose(mailbox, &draft);
    set(&mut message, "conversationId", text(&original, "/conversationId"));
    mailbox.add("drafts", message);
    created(request, mailbox, mailbox.messages.len().saturating_sub(1))
}

/// A text and a body, or for a forward two lists of recipients or none, are one too many or too few.
fn refuse_both(body: &Value, changes: &Value, forward: bool) -> Result<(), GraphError> {
    let filled = |value: Option<&Value>| value.and_then(Value::as_array).is_some_and(|list| !list.is_empty());
    if body.get("comment").is_some_and(|comment| comment != "") && changes.get("body").is_some() {
        return Err(GraphError::bad("Comment and Body parameters cannot be specified together."));
    }
    if forward && filled(body.get("toRecipients")) == filled(changes.get("toRecipients")) {
        return Err(GraphError::new(
            400,
            "ErrorInvalidRecipients",
            "Specify either toRecipients or message.toRecipients.",
        ));
    }
    Ok(())
}

/// When the mail was sent, as the history says it: local to the zone that is preferred, which it does not name.
fn sent(original: &Value, zone: Zone) -> String {
    let moment = OffsetDateTime::parse(text(original, "/sentDateTime"), &Rfc3339);
    moment.map(|moment| zone.local(moment).to_string()).unwrap_or_default()
}

fn outline(mailbox: &Mailbox, original: &Value, action: &str, zone: Zone) -> Value {
    let own = |person: &&Value| text(person, "/emailAddress/address").eq_ignore_ascii_case(mailbox.user.email);
    let others = |list: &str| items(original, list).iter().filter(|person| !own(person)).cloned().collect::<Vec<_>>();
    let (prefix, to, cc) = match action {
        "createForward" => ("FW: ", Vec::new(), Vec::new()),
        "createReplyAll" => {
            let sender = original.get("from").cloned().into_iter();
            ("RE: ", sender.chain(others("/toRecipients")).collect(), others("/ccRecipients"))
        }
        _ => ("RE: ", original.get("from").cloned().into_iter().collect(), Vec::new()),
    };
    let subject = text(original, "/subject");
    let bare = subject.trim_start_matches("RE: ").trim_start_matches("FW: ");
    json!({
        "subject": format!("{prefix}{bare}"), "toRecipients": to, "ccRecipients": cc,
        "body": {"contentType": "html", "content": format!(
            "<html><body><hr><div id=\"divRplyFwdMsg\"><b>From:</b> {}<br><b>Sent:</b> {}</div><blockquote>{}</blockquote></body></html>",
            text(original, "/from/emailAddress/name"), sent(original, zone), text(original, "/body/content"))},
    })
}
