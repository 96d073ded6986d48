//! Finding sites, and what is in one.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::graph::GraphRequest;
use crate::graph::request::{Method, Segment};
use crate::identity::Scope;
use crate::tools::answer::{Answer, UNTRUSTED, clean};
use crate::tools::arguments::{LINE, bounded, identifier, line};
use crate::tools::call::Call;
use crate::tools::page::{self, Page};
use crate::tools::{Input, Kind, Outcome, Preset, Tool, ToolError, handle, schema};

/// The tool.
pub(super) const TOOL: Tool = Tool {
    name: "getSites",
    title: "Find SharePoint sites",
    description: "Find SharePoint sites, or the lists and libraries of one.",
    kind: Kind::Read,
    preset: Preset::Sharepoint,
    needs: &[Scope::SitesReadAll],
    also: &[],
    on_use: &[],
    example: r#"{"siteId":"contoso.sharepoint.com:/sites/heron"}"#,
    schema: schema::of::<GetSites>,
    handler: handle::<GetSites>,
};

const SITE: &str = "id,displayName,description,webUrl";
/// Lists and libraries of one site.
const PARTS: &str = "200";

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct GetSites {
    search: Option<String>,
    /// Id, or `host:/path`
    site_id: Option<String>,
    #[schemars(range(min = 1, max = 100), extend("default" = 25))]
    count: Option<u32>,
    cursor: Option<String>,
}

#[async_trait(?Send)]
impl Input for GetSites {
    async fn run(self, call: &Call<'_>) -> Outcome {
        let count = bounded("count", self.count, 25, 100)?;
        let search = self.search.as_deref().map(|text| line("search", text, LINE)).transpose()?;
        if let Some(id) = self.site_id.as_deref() {
            if search.is_some() {
                return Err(ToolError::argument("search", "looks for sites: leave it out with siteId"));
            }
            return one(call, site(id)?).await;
        }
        let request = GraphRequest::new(Method::Get, &[Segment::Word("sites")])?
            // Without `$select`: with it, a search leaves out the name for people.
            .query("search", search.as_deref().unwrap_or("*"))
            .query("$top", count.to_string());
        let start = page::begin(call, self.cursor.as_deref(), &request)?;
        let Page { items, next_cursor } = page::read::<Item>(call, &["/sites"], start, count).await?;
        let sites = items.into_iter().map(Shown::from).collect();
        Ok(Answer::of(&Found { untrusted: UNTRUSTED, sites, truncated: next_cursor.is_some(), next_cursor }))
    }
}

/// The request for a site by its id, or by its host and path.
fn site(id: &str) -> Result<GraphRequest, ToolError> {
    let mut path = vec![Segment::Word("sites")];
    match id.split_once(":/") {
        Some((host, rest)) => {
            path.push(Segment::Host(host));
            for part in rest.trim_end_matches('/').split('/') {
                path.push(Segment::Value(identifier("siteId", part)?));
            }
        }
        None => path.push(Segment::Value(identifier("siteId", id)?)),
    }
    let wrong = |_| ToolError::argument("siteId", "neither an id nor of the form contoso.sharepoint.com:/sites/name");
    Ok(GraphRequest::new(Method::Get, &path).map_err(wrong)?.query("$select", SITE))
}

async fn one(call: &Call<'_>, request: GraphRequest) -> Outcome {
    let site: Item = call.json(&request).await?;
    let part = |word, select: &str| {
        let path = [Segment::Word("sites"), Segment::Value(&site.id), Segment::Word(word)];
        GraphRequest::new(Method::Get, &path).map(|request| request.query("$select", select).query("$top", PARTS))
    };
    let requests = [part("lists", "id,displayName,webUrl,list")?, part("drives", "id,name,webUrl")?];
    let mut parts = call.batch::<Parts>(&requests).await?.into_iter();
    let (Some(lists), Some(drives)) = (parts.next(), parts.next()) else { return Err(ToolError::Seal) };
    let (lists, drives) = (lists?, drives?);
    let truncated = lists.next.is_some() || drives.next.is_some();
    let shown = |parts: Parts| parts.value.into_iter().filter(|item| !item.is_hidden()).map(Shown::from).collect();
    Ok(Answer::of(&Whole {
        untrusted: UNTRUSTED,
        lists: shown(lists),
        drives: shown(drives),
        truncated,
        site: Shown::from(site),
    }))
}

#[derive(Deserialize)]
struct Parts {
    value: Vec<Item>,
    #[serde(rename = "@odata.nextLink")]
    next: Option<serde::de::IgnoredAny>,
}

/// A site, a list or a library.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    id: String,
    /// A site has both names, a library only this one.
    name: Option<String>,
    display_name: Option<String>,
    description: Option<String>,
    web_url: Option<String>,
    list: Option<Facet>,
}

#[derive(Deserialize)]
struct Facet {
    template: Option<String>,
    #[serde(default)]
    hidden: bool,
}

impl Item {
    fn is_hidden(&self) -> bool {
        self.list.as_ref().is_some_and(|list| list.hidden)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Found {
    untrusted: &'static str,
    sites: Vec<Shown>,
    truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

#[derive(Serialize)]
struct Whole {
    untrusted: &'static str,
    site: Shown,
    lists: Vec<Shown>,
    drives: Vec<Shown>,
    truncated: bool,
}

#[derive(Serialize)]
struct Shown {
    id: String,
    name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    about: String,
    /// What kind of list it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    template: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

impl From<Item> for Shown {
    fn from(item: Item) -> Self {
        let text = |text: Option<String>| clean(text.as_deref().unwrap_or_default(), LINE);
        Self {
            id: item.id,
            name: text(item.display_name.or(item.name)),
            about: text(item.description),
            template: item.list.and_then(|list| list.template).map(|template| clean(&template, 64)),
            url: item.web_url.map(|url| clean(&url, 500)),
        }
    }
}
