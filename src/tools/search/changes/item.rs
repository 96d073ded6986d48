//! What a delta query brings: items of five kinds in one form, and what is gone.
//!
//! Of an occurrence Graph tells no more than its time and its series, and of a series the time of its first occurrence,
//! which may be years ago: the one is named by its series, and the other has no time.

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

    /// The series of occurrences that nobody has named, each once.
    pub fn unnamed(&self) -> Vec<String> {
        let items = self.0.iter().filter_map(|(_, item)| item.as_ref());
        let mut series: Vec<_> =
            items.filter(|item| item.title.is_empty()).filter_map(|item| item.series.clone()).collect();
        series.sort();
        series.dedup();
        series
    }

    /// Names the occurrences of a series.
    pub fn name(&mut self, series: &str, title: &str) {
        let items = self.0.iter_mut().filter_map(|(_, item)| item.as_mut());
        for item in items.filter(|item| item.title.is_empty() && item.series.as_deref() == Some(series)) {
            item.title = clean(title, TITLE);
        }
    }

    /// Names the occurrences whose series came as well.
    pub fn name_own(&mut self) {
        for series in self.unnamed() {
            let own = self.0.iter().find(|(id, _)| *id == series).and_then(|(_, item)| item.as_ref());
            if let Some(title) = own.map(|item| item.title.clone()) {
                self.name(&series, &title);
            }
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
    #[serde(rename = "type")]
    kind: Option<String>,
    series_master_id: Option<String>,
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
    /// A series as such; when it takes place its occurrences say.
    #[serde(rename = "series", skip_serializing_if = "std::ops::Not::not")]
    is_series: bool,
    /// The series of an occurrence.
    #[serde(skip)]
    series: Option<String>,
}

/// Characters of a title.
const TITLE: usize = 255;

impl Item {
    fn shown(self, zone: Option<&str>) -> Shown {
        let title = self.subject.or(self.title).or(self.name).or(self.display_name);
        // Of events, when they were written matters less than when they are.
        let changed = self.last_modified_date_time.filter(|_| self.start.is_none());
        let is_series = self.kind.as_deref() == Some("seriesMaster");
        Shown {
            id: self.id,
            title: clean(&title.unwrap_or_default(), TITLE),
            from: self.from.map(|party| party.shown()).filter(|from| !from.is_empty()),
            when: self.received_date_time.or(changed),
            unread: self.is_read.map(|read| !read),
            start: seconds(self.start.filter(|_| !is_series)),
            end: seconds(self.end.filter(|_| !is_series)),
            status: self.status,
            due: self.due_date_time.map(|clock| tasks::local(&clock, zone)),
            emails: self.email_addresses.into_iter().flatten().filter_map(Named::address).collect(),
            link: self.web_url.filter(|link| link.starts_with("https://")),
            folder: self.folder.is_some(),
            is_series,
            series: self.series_master_id,
        }
    }
}
