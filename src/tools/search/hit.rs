//! One hit of Microsoft Search, whatever it is of, in the few fields that tell a model whether to open it.

use serde::{Deserialize, Serialize};

use crate::tools::answer::clean;
use crate::tools::text;

/// Characters of a snippet.
const SNIPPET: usize = 300;

/// Graph's answer to one search request.
#[derive(Deserialize)]
pub(super) struct Found {
    value: Vec<Response>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Response {
    #[serde(default)]
    hits_containers: Vec<Container>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Container {
    #[serde(default)]
    hits: Vec<Hit>,
    total: Option<u64>,
    #[serde(default)]
    more_results_available: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Hit {
    hit_id: Option<String>,
    summary: Option<String>,
    resource: Option<Resource>,
}

/// The fields of all six kinds, of which each has some.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Resource {
    #[serde(rename = "@odata.type")]
    kind: Option<String>,
    id: Option<String>,
    subject: Option<String>,
    name: Option<String>,
    display_name: Option<String>,
    fields: Option<Fields>,
    body_preview: Option<String>,
    from: Option<Party>,
    organizer: Option<Party>,
    last_modified_by: Option<Party>,
    received_date_time: Option<String>,
    created_date_time: Option<String>,
    last_modified_date_time: Option<String>,
    start: Option<Start>,
    web_link: Option<String>,
    web_url: Option<String>,
    parent_reference: Option<Parent>,
    chat_id: Option<String>,
    channel_identity: Option<Channel>,
}

/// When an event starts; search tells it in UTC.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Start {
    date_time: String,
    time_zone: Option<String>,
}

#[derive(Deserialize)]
struct Fields {
    title: Option<String>,
}

/// Somebody, in the form of mail, of chats or of files.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Party {
    email_address: Option<Named>,
    user: Option<Named>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
/// Somebody by name or address.
pub(super) struct Named {
    name: Option<String>,
    display_name: Option<String>,
    address: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parent {
    drive_id: Option<String>,
    site_id: Option<String>,
    sharepoint_ids: Option<ListIds>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListIds {
    list_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Channel {
    team_id: Option<String>,
    channel_id: Option<String>,
}

/// A hit as it is told.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Shown {
    #[serde(rename = "type", skip_serializing_if = "String::is_empty")]
    kind: String,
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    drive_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    site_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    list_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    chat_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    team_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    channel_id: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    title: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    snippet: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    when: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    who: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<String>,
}

impl Found {
    /// The hits, how many there are in all, and whether more can be asked for.
    pub fn shown(self) -> (Vec<Shown>, Option<u64>, bool) {
        let containers: Vec<_> = self.value.into_iter().flat_map(|response| response.hits_containers).collect();
        let total = containers.iter().find_map(|container| container.total);
        let more = containers.iter().any(|container| container.more_results_available && !container.hits.is_empty());
        let hits = containers.into_iter().flat_map(|container| container.hits);
        (hits.filter_map(Hit::shown).collect(), total, more)
    }
}

impl Hit {
    fn shown(self) -> Option<Shown> {
        let resource = self.resource?;
        let kind = resource.kind.as_deref().and_then(|kind| kind.rsplit('.').next()).unwrap_or_default().to_owned();
        let mail = matches!(kind.as_str(), "message" | "event");
        let id = if mail { self.hit_id.as_deref().map(url_safe) } else { resource.id.or(self.hit_id) };
        let text = |text: Option<String>| text.map(|text| clean(&text, 255)).filter(|text| !text.is_empty());
        let snippet = self.summary.filter(|text| !text.is_empty()).or(resource.body_preview).unwrap_or_default();
        let title = resource.subject.or(resource.display_name).or(resource.name);
        let parent = resource.parent_reference;
        let (team_id, channel_id) =
            resource.channel_identity.map(|all| (all.team_id, all.channel_id)).unwrap_or_default();
        let start = resource.start.map(Start::shown);
        let changed = resource.last_modified_date_time.filter(|_| resource.received_date_time.is_none());
        Some(Shown {
            id: id?,
            drive_id: parent.as_ref().and_then(|parent| parent.drive_id.clone()).filter(|_| kind == "driveItem"),
            site_id: parent.as_ref().and_then(|parent| parent.site_id.clone()).filter(|_| kind == "listItem"),
            list_id: parent.and_then(|parent| parent.sharepoint_ids).and_then(|ids| ids.list_id),
            chat_id: resource.chat_id,
            team_id,
            channel_id,
            title: text(title.or(resource.fields.and_then(|fields| fields.title))).unwrap_or_default(),
            snippet: plain(&snippet),
            when: start.or(resource.received_date_time).or(changed).or(resource.created_date_time),
            who: resource.from.or(resource.organizer).or(resource.last_modified_by).and_then(Party::shown),
            link: resource.web_link.or(resource.web_url).filter(|link| link.starts_with("https://")),
            kind,
        })
    }
}

impl Start {
    fn shown(self) -> String {
        let clock = self.date_time.split('.').next().unwrap_or_default().to_owned();
        format!("{clock} {}", self.time_zone.unwrap_or_default()).trim_end().to_owned()
    }
}

impl Named {
    /// The address alone.
    pub fn address(self) -> Option<String> {
        self.address.map(|address| clean(&address, 320)).filter(|address| !address.is_empty())
    }
}

impl Party {
    fn shown(self) -> Option<String> {
        let named = self.email_address.or(self.user)?;
        let text = |text: Option<String>| text.map(|text| clean(&text, 100)).filter(|text| !text.is_empty());
        match (text(named.name.or(named.display_name)), text(named.address)) {
            (Some(name), Some(address)) if name != address => Some(format!("{name} <{address}>")),
            (name, address) => name.or(address),
        }
    }
}

/// Search writes Exchange's ids in the base64 alphabet that paths cannot hold; every other request takes the other one.
fn url_safe(id: &str) -> String {
    id.replace('/', "-").replace('+', "_")
}

/// A summary without its marks: `<c0>` around what matched, `<ddd/>` where something was left out.
fn plain(summary: &str) -> String {
    text::body("html", &summary.replace("<ddd/>", "…"), SNIPPET, true).text.replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snippet_has_neither_marks_nor_hidden_text() {
        assert_eq!(plain("the <c0>budget</c0> of<ddd/>2026 &amp; <b>x\u{202E}</b>\u{200B}"), "the budget of…2026 & x");
        assert_eq!(url_safe("AA/b+c="), "AA-b_c=");
    }
}
