//! The mailboxes and everything else Graph holds, and the two forms of message ids.

use std::collections::HashMap;

use serde_json::Value;
use time::Date;

use super::event::StoredEvent;
use super::family::Stores;
use super::request::Prefer;
use super::teams::TeamsStore;
use crate::opaque;
use crate::sample;
use crate::sample::directory::{USERS, User};

/// Folder names Graph takes instead of an id.
pub const WELL_KNOWN: &[&str] =
    &["inbox", "drafts", "sentitems", "deleteditems", "archive", "junkemail", "outbox", "msgfolderroot"];
/// The one folder that has no well-known name.
pub const VENDORS: &str = "Vendors";

/// One stored message: its resource without ids, its folder, its number.
#[derive(Clone, Debug)]
pub struct StoredMessage {
    /// Number that never changes.
    pub key: u64,
    /// Name of the folder it is in.
    pub folder: &'static str,
    /// The message resource but for `id`, `parentFolderId` and `changeKey`; body as HTML.
    pub value: Value,
}

/// A folder that somebody made.
pub struct MadeFolder {
    /// What messages in it and its id are known by; never changes.
    pub key: &'static str,
    /// What it is called.
    pub name: String,
    /// Key of the folder it is in.
    pub parent: &'static str,
}

/// One person's mailbox.
pub struct Mailbox {
    /// Whose it is.
    pub user: &'static User,
    /// All messages of all folders.
    pub messages: Vec<StoredMessage>,
    /// The folders beyond the sample's.
    pub made: Vec<MadeFolder>,
    /// What was changed in its settings.
    pub settings: Value,
    /// Names of its categories.
    pub categories: Vec<String>,
    /// Inbox rules.
    pub rules: Vec<Value>,
    /// All events of all calendars.
    pub events: Vec<StoredEvent>,
    /// Names of the calendars, the default one first.
    pub calendars: Vec<String>,
    /// Online meetings made by this person.
    pub meetings: Vec<Value>,
    /// Outlook requests that are being answered now.
    pub in_flight: usize,
    next: u64,
}

impl Mailbox {
    fn sample(user: &'static User, today: Date) -> Self {
        let mut mailbox = Self {
            user,
            messages: Vec::new(),
            made: Vec::new(),
            settings: serde_json::json!({}),
            categories: vec!["Blue category".to_owned(), "Red category".to_owned()],
            rules: Vec::new(),
            events: sample::calendar::events(user, today),
            calendars: sample::calendar::calendars(user),
            meetings: Vec::new(),
            in_flight: 0,
            // Above the numbers of the sample events.
            next: 100,
        };
        for (folder, value) in sample::mail::messages(user, today) {
            mailbox.add(folder, value);
        }
        mailbox
    }

    /// Stores a new message and tells its number.
    pub fn add(&mut self, folder: &'static str, value: Value) -> u64 {
        let key = self.number();
        self.messages.push(StoredMessage { key, folder, value });
        key
    }

    /// A number nothing else in this mailbox has.
    pub fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Id of a calendar.
    pub fn calendar_id(&self, name: &str) -> String {
        format!("AAMkAC{}AAA=", self.encode(&format!("{name}|calendar"), 84))
    }

    /// Id of an event or of one occurrence of it.
    pub fn event_id(&self, key: u64, number: Option<i64>, immutable: bool) -> String {
        let form = if immutable { "AAkALE" } else { "AAMkAE" };
        let number = number.map_or_else(|| "event".to_owned(), |number| format!("event#{number}"));
        format!("{form}{}AAA=", self.encode(&format!("{key:06}|{number}"), if immutable { 45 } else { 105 }))
    }

    /// The name of the folder that an id or a well-known name means.
    pub fn folder(&self, id: &str) -> Option<&'static str> {
        let made = self.made.iter().map(|folder| folder.key);
        let names = WELL_KNOWN.iter().copied().chain([VENDORS]).chain(made);
        names
            .into_iter()
            .find(|name| (WELL_KNOWN.contains(name) && name.eq_ignore_ascii_case(id)) || self.folder_id(name) == id)
    }

    /// Id of a folder.
    pub fn folder_id(&self, name: &str) -> String {
        format!("AQMkAD{}AAAA=", self.encode(&format!("{name}|folder"), 81))
    }

    /// Id of a message as it is now; changes with the folder.
    pub fn mutable_id(&self, message: &StoredMessage) -> String {
        format!("AAMkAD{}AAA=", self.encode(&format!("{}|{:06}|mutable", message.folder, message.key), 105))
    }

    /// Id of a message that survives moves.
    pub fn immutable_id(&self, message: &StoredMessage) -> String {
        format!("AAkALg{}AAA=", self.encode(&format!("{:06}|immutable", message.key), 45))
    }

    /// Id of a conversation.
    pub fn conversation_id(&self, name: &str) -> String {
        conversation_id(self.user, name)
    }

    fn encode(&self, text: &str, bytes: usize) -> String {
        opaque::id(self.user.oid, text, bytes)
    }

    /// Finds a message; an immutable id counts only where the request speaks immutable ids.
    pub fn position(&self, id: &str, immutable: bool) -> Option<usize> {
        self.messages
            .iter()
            .position(|message| (immutable && self.immutable_id(message) == id) || self.mutable_id(message) == id)
    }

    /// All events and series in UTC, as a test reads them.
    pub fn all_events(&self) -> Value {
        let prefer = Prefer::default();
        self.events.iter().map(|event| event.render_master(self, &prefer)).collect()
    }

    /// All messages of a folder as a test reads them: with both ids and the HTML body.
    pub fn in_folder(&self, folder: &str) -> Vec<Value> {
        let chosen = self.messages.iter().filter(|message| message.folder.eq_ignore_ascii_case(folder));
        chosen
            .map(|message| {
                let mut value = message.value.clone();
                crate::json::set(&mut value, "id", self.mutable_id(message));
                crate::json::set(&mut value, "immutableId", self.immutable_id(message));
                value
            })
            .collect()
    }
}

/// Id of a conversation in somebody's mailbox.
pub fn conversation_id(user: &User, name: &str) -> String {
    format!("AAQkAD{}=", opaque::id(user.oid, &format!("{name}|conversation"), 54))
}

/// Everything Graph holds.
pub struct GraphStore {
    /// Every request seen, without its token.
    pub calls: Vec<Value>,
    /// Chats and channel messages.
    pub teams: TeamsStore,
    /// The families beyond the core tools.
    pub family: Stores,
    today: Date,
    mailboxes: HashMap<&'static str, Mailbox>,
}

impl GraphStore {
    /// The sample data around a day.
    pub fn sample(today: Date) -> Self {
        let mailboxes = USERS.iter().map(|user| (user.oid, Mailbox::sample(user, today))).collect();
        Self { calls: Vec::new(), teams: TeamsStore::default(), family: Stores::sample(today), today, mailboxes }
    }

    /// A person's mailbox.
    pub fn mailbox(&mut self, user: &'static User) -> &mut Mailbox {
        let today = self.today;
        self.mailboxes.entry(user.oid).or_insert_with(|| Mailbox::sample(user, today))
    }
}
