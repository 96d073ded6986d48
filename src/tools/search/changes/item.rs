//! What a delta query brings: items of five kinds in one form, and what is gone.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::tools::answer::clean;
use crate::tools::calendar::{Clock, seconds};
use crate::tools::item::Party;
use crate::tools::search::hit::Named;
use crate::tools::tasks;

/// What came, in its order; an item that comes again replaces what came before.
#[derive(Default)]
pub(super) struct Found(Vec<(String, Option<Shown>)>);

impl Found {
    /// How many items there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Takes in a page, whose local times are in this zone unless they say otherwise.
    pub fn add(&mut self, items: Vec<Item>, zone: Option<&str>) {
        // The root folder of a drive is in every answer.
        for item in items.into_iter().filter(|item| item.root.is_none()) {
            self.0.retain(|(id, _)| *id != item.id);
            let gone = item.removed.is_some() || item.deleted.is_some();
            self.0.push((item.id.clone(), (!gone).then(|| item.shown(zone))));
        }
    }

    /// What is new or changed, and the ids of what is gone.
    pub fn told(self) -> (Vec<Shown>, Vec<String>) {
        let (mut items, mut removed) = (Vec::new(), Vec::new());
        for (id, item) in self.0 {
            match item {
                Some(item) => items.push(item),
                None => removed.push(id),
            }
        }
        (items, removed)
    }
}

/// The fields of all five kinds, of which each has some.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Item {
    id: String,
    #[serde(rename = "@removed")]
    removed: Option<Value>,
    subject: Option<String>,
    title: Option<String>,
    name: Option<String>,
    display_name: Option<String>,
    from: Option<Party>,
    received_date_time: Option<String>,
    last_modified_date_time: Option<String>,
    is_read: Option<bool>,
    start: Option<Clock>,
    end: Option<Clock>,
    status: Option<String>,
    due_date_time: Option<tasks::Clock>,
    email_addresses: Option<Vec<Named>>,
    web_url: Option<String>,
    folder: Option<Value>,
    deleted: Option<Value>,
    root: Option<Value>,
}

/// An item as it is told.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Shown {
    id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    when: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unread: Option<bool>,
    #[serde(skip_serializing_if = "String::is_empty")]
    start: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    end: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    due: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    emails: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    folder: bool,
}

impl Item {
    fn shown(self, zone: Option<&str>) -> Shown {
        let title = self.subject.or(self.title).or(self.name).or(self.display_name);
        // Of events, when they were written matters less than when they are.
        let changed = self.last_modified_date_time.filter(|_| self.start.is_none());
        Shown {
            id: self.id,
            title: clean(&title.unwrap_or_default(), 255),
            from: self.from.map(|party| party.shown()).filter(|from| !from.is_empty()),
            when: self.received_date_time.or(changed),
            unread: self.is_read.map(|read| !read),
            start: seconds(self.start),
            end: seconds(self.end),
            status: self.status,
            due: self.due_date_time.map(|clock| tasks::local(&clock, zone)),
            emails: self.email_addresses.into_iter().flatten().filter_map(Named::address).collect(),
            link: self.web_url.filter(|link| link.starts_with("https://")),
            folder: self.folder.is_some(),
        }
    }
}
