//! The sample mail: about sixty messages in Adele's inbox, some threads, long newsletters, drafts.
//!
//! Every body ends with its owner's marker, so that a leak test can look for one word.

use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;
use time::{Date, Duration};

use super::directory::{USERS, User};
use super::realistic;
use crate::graph::store::{VENDORS, conversation_id};
use crate::reply::escape;

/// One message before it becomes JSON.
pub struct Draft {
    /// Where it lies.
    pub folder: &'static str,
    /// Sender.
    pub from: (&'static str, &'static str),
    /// First recipient.
    pub to: (&'static str, &'static str),
    /// Subject.
    pub subject: String,
    /// Body.
    pub html: String,
    /// Body without what it quotes.
    pub unique: String,
    /// Age, counted back from seven in the morning.
    pub minutes_ago: i64,
    /// Whether it was read.
    pub read: bool,
    /// What its conversation is known by.
    pub thread: String,
}

const OUTSIDE: &[(&str, &str)] = &[
    ("Nora Lind", "nora.lind@fabrikam.example"),
    ("Tailspin Toys Newsletter", "news@tailspin.example"),
    ("Omar Haddad", "omar@northwind.example"),
    ("Wide World Importers", "billing@wideworld.example"),
    ("Sofia Rossi", "sofia.rossi@litware.example"),
    ("Fourth Coffee", "hello@fourthcoffee.example"),
];
const SUBJECTS: &[&str] = &[
    "Delivery dates for the spring order",
    "Weekly digest: what changed",
    "Contract draft, second round",
    "Invoice 2041 is due",
    "Question about the trade fair stand",
    "Your table on Thursday",
    "Minutes of the supplier call",
    "Price list from next month",
];
const SENTENCES: &[&str] = &[
    "The pallets leave the warehouse on Tuesday and should reach you two days later.",
    "Could you confirm the quantities before the end of the week?",
    "We moved the review to the small meeting room because the large one is being painted.",
    "Please find the numbers below; the third column is an estimate.",
    "Nothing has changed in the terms apart from the delivery address.",
    "I will be travelling on Monday, so a short call on Friday would suit me better.",
    "The samples arrived in good order, only one box was dented.",
    "Let us keep the old layout until the printer has answered.",
];

/// All messages of a person with the folder of each, newest first.
pub fn messages(user: &'static User, today: Date) -> Vec<(&'static str, Value)> {
    if user.email == realistic::OWNER {
        return realistic::mail::messages(user, today);
    }
    let inbox: usize = if user.email.starts_with("adele") { 60 } else { 12 };
    let mut drafts: Vec<Draft> = (0..inbox).map(|at| received(user, at)).collect();
    drafts.extend((0..8).map(|at| sent(user, at)));
    drafts.extend((0..3).map(|at| unsent(user, at)));
    drafts.extend((0..4).map(|at| Draft { folder: VENDORS, ..received(user, 200 + at) }));
    drafts.into_iter().enumerate().map(|(at, draft)| (draft.folder, draft.into_json(user, today, at))).collect()
}

fn pick<T: Copy>(list: &[T], at: usize, fallback: T) -> T {
    list.get(at % list.len().max(1)).copied().unwrap_or(fallback)
}

fn minutes(at: usize) -> i64 {
    // Uneven, so that no two tests see the same gap twice: 37 minutes, then 3 to 9 hours apart.
    i64::try_from(37 + at * 190 + (at * at * 7) % 350).unwrap_or(0)
}

fn colleague(user: &User, at: usize) -> (&'static str, &'static str) {
    let others: Vec<&User> = USERS.iter().take(3).filter(|other| other.oid != user.oid).collect();
    others.get(at % others.len().max(1)).map_or(("Alex Wilber", "alex@contoso.example"), |u| (u.name, u.email))
}

fn received(user: &'static User, at: usize) -> Draft {
    let inside = at % 3 == 1;
    let from =
        if inside { colleague(user, at) } else { pick(OUTSIDE, at, ("Fourth Coffee", "hello@fourthcoffee.example")) };
    let about_project = at.is_multiple_of(5);
    let (subject, thread) = if about_project {
        let reply = if at.is_multiple_of(15) { "" } else { "RE: " };
        (format!("{reply}{}: budget round {}", user.project, at / 15 + 1), format!("project-{}", at / 15))
    } else {
        (format!("{} ({})", pick(SUBJECTS, at, ""), at + 1), format!("mail-{at}"))
    };
    let unique = paragraphs(user, at, if at % 7 == 1 { 40 } else { 3 });
    let html = if at % 7 == 1 { newsletter(&subject, &unique) } else { letter(from, &unique, at) };
    Draft {
        folder: "inbox",
        from,
        to: (user.name, user.email),
        subject,
        html,
        unique,
        minutes_ago: minutes(at),
        read: !at.is_multiple_of(4),
        thread,
    }
}

fn sent(user: &'static User, at: usize) -> Draft {
    let unique = paragraphs(user, at + 90, 2);
    Draft {
        folder: "sentitems",
        from: (user.name, user.email),
        to: pick(OUTSIDE, at, ("Nora Lind", "nora.lind@fabrikam.example")),
        subject: format!("RE: {}", pick(SUBJECTS, at + 2, "")),
        html: letter((user.name, user.email), &unique, at),
        unique,
        minutes_ago: minutes(at * 5 + 1),
        read: true,
        thread: format!("sent-{at}"),
    }
}

fn unsent(user: &'static User, at: usize) -> Draft {
    Draft {
        folder: "drafts",
        subject: format!("Draft: {} notes {}", user.project, at + 1),
        thread: format!("draft-{at}"),
        ..sent(user, at + 20)
    }
}

fn paragraphs(user: &User, at: usize, count: usize) -> String {
    let mut html = String::new();
    for line in 0..count {
        let sentence = pick(SENTENCES, at * 3 + line, "");
        let next = pick(SENTENCES, at + line * 5 + 2, "");
        html.push_str(&["<p>", &escape(sentence), " ", &escape(next), "</p>"].concat());
    }
    html.push_str(&["<p>Ref: ", user.marker, "</p>"].concat());
    html
}

fn newsletter(subject: &str, content: &str) -> String {
    format!(
        "<html><head><style>.wrap{{max-width:640px;font-family:Segoe UI}}</style></head><body><table class=\"wrap\" width=\"100%\"><tr><td>\
         <h1>{}</h1>{content}<hr><p style=\"font-size:10px\">You receive this because you subscribed. \
         <a href=\"https://tailspin.example/unsubscribe?u=1&amp;c=2\">Unsubscribe</a></p></td></tr></table></body></html>",
        escape(subject)
    )
}

fn letter(from: (&str, &str), content: &str, at: usize) -> String {
    let quoted = if at.is_multiple_of(2) {
        format!(
            "<hr><div id=\"divRplyFwdMsg\"><p><b>From:</b> {name} &lt;{address}&gt;<br><b>Subject:</b> earlier</p></div>\
             <blockquote><p>Thanks for the quick answer. {old}</p><blockquote><p>{older}</p></blockquote></blockquote>",
            name = escape(from.0),
            address = escape(from.1),
            old = escape(pick(SENTENCES, at + 4, "")),
            older = escape(pick(SENTENCES, at + 6, "")),
        )
    } else {
        String::new()
    };
    format!("<html><body><p>Hello,</p>{content}<p>Kind regards<br>{}</p>{quoted}</body></html>", escape(from.0))
}

/// A recipient resource.
pub fn recipient((name, address): (&str, &str)) -> Value {
    json!({"emailAddress": {"name": name, "address": address}})
}

impl Draft {
    /// The message resource; `at` tells messages apart.
    pub fn into_json(self, user: &User, today: Date, at: usize) -> Value {
        let moment = today.midnight().assume_utc() + Duration::hours(7) - Duration::minutes(self.minutes_ago);
        let stamp = moment.format(&Rfc3339).unwrap_or_default();
        let is_draft = self.folder == "drafts";
        let sender = recipient(self.from);
        json!({
            "createdDateTime": stamp, "lastModifiedDateTime": stamp, "receivedDateTime": stamp, "sentDateTime": stamp,
            "categories": if at.is_multiple_of(11) { json!(["Blue category"]) } else { json!([]) },
            "hasAttachments": at % 9 == 4, "internetMessageId": format!("<{at:04}.{}@mail.contoso.example>", user.marker),
            "subject": self.subject, "importance": if at % 13 == 6 { "high" } else { "normal" },
            "conversationId": conversation_id(user, &self.thread),
            "conversationIndex": "AQHc", "isDeliveryReceiptRequested": false, "isReadReceiptRequested": false,
            "isRead": self.read, "isDraft": is_draft,
            "webLink": format!("https://outlook.office365.example/owa/?ItemID={at}"),
            "inferenceClassification": if at % 7 == 1 { "other" } else { "focused" },
            "body": {"contentType": "html", "content": self.html},
            "uniqueBody": {"contentType": "html", "content": format!("<html><body>{}</body></html>", self.unique)},
            "internetMessageHeaders": [{"name": "X-Emulator", "value": "invented"}],
            "sender": sender, "from": sender, "toRecipients": [recipient(self.to)],
            "ccRecipients": [], "bccRecipients": [], "replyTo": [],
            "flag": {"flagStatus": if at % 17 == 3 { "flagged" } else { "notFlagged" }},
            "singleValueExtendedProperties": [],
        })
    }
}
