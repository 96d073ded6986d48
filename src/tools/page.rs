//! Paging: Graph's `nextLink` is followed whole, pages may be short or empty without being the last, and a caller gets
//! exactly as many items as asked for, with a cursor that goes on behind the last of them.

use percent_encoding::{AsciiSet, percent_decode_str, utf8_percent_encode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::call::Call;
use super::cursor;
use super::error::ToolError;
use crate::graph::request::is_segment;
use crate::graph::{Failure, GraphRequest, Origin};

/// Requests for one call at most, so that a run of empty pages ends.
const MOST_REQUESTS: usize = 8;

/// Where in a list the next item is.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Position {
    /// Path and query below the version.
    link: String,
    /// Items of that page which were handed out before.
    skip: usize,
    /// Preferences that every page of this list is asked with.
    prefer: Vec<String>,
    /// Whether the pages need `ConsistencyLevel: eventual`.
    eventual: bool,
    /// The zone that the list's times are in.
    pub zone: Option<String>,
}

impl Position {
    /// The start of the list that this request asks for.
    pub fn start(request: &GraphRequest) -> Self {
        Self {
            link: request.path_and_query(),
            skip: 0,
            prefer: request.preferences().to_vec(),
            eventual: request.headers.iter().any(|(name, _)| *name == "consistencylevel"),
            zone: None,
        }
    }

    /// The same, with the zone that its times are in.
    #[must_use]
    pub fn in_zone(mut self, zone: &str) -> Self {
        self.zone = Some(zone.to_owned());
        self
    }

    /// The request for this page, if the link is of one of the paths that the tool may ask.
    fn request(&self, families: &[&str], own: &str) -> Option<GraphRequest> {
        let (path, query) = self.link.split_once('?').unwrap_or((&self.link, ""));
        let clean = !query.contains('#') && self.link.bytes().all(|byte| byte.is_ascii_graphic());
        let family = families.iter().find(|family| clean && is_of(path, family, own))?;
        let mut request = GraphRequest::follow(path, query, family);
        for preference in &self.prefer {
            request = request.prefer(preference);
        }
        Some(if self.eventual { request.header("consistencylevel", "eventual") } else { request })
    }
}

/// Some items of a list.
pub(super) struct Page<T> {
    pub items: Vec<T>,
    /// Present when there may be more.
    pub next_cursor: Option<String>,
}

#[derive(Deserialize)]
struct Listing<T> {
    value: Vec<T>,
    #[serde(rename = "@odata.nextLink")]
    next: Option<String>,
}

/// What is read of a list.
pub(super) struct Wanted<'a, T> {
    /// The paths of the tool, ids as `{id}`.
    pub families: &'a [&'a str],
    /// Items at most.
    pub count: u32,
    /// Which items: for lists that Graph cannot filter.
    pub keep: &'a dyn Fn(&T) -> bool,
}

/// Reads up to `count` items from `at`. `families` are the paths of the tool, ids as `{id}`.
pub(super) async fn read<T: DeserializeOwned>(
    call: &Call<'_>,
    families: &[&str],
    at: Position,
    count: u32,
) -> Result<Page<T>, ToolError> {
    pick(call, at, Wanted { families, count, keep: &|_| true }).await
}

/// Reads the items that are wanted, from `at` on.
pub(super) async fn pick<T: DeserializeOwned>(
    call: &Call<'_>,
    mut at: Position,
    wanted: Wanted<'_, T>,
) -> Result<Page<T>, ToolError> {
    let Wanted { families, count, keep } = wanted;
    let own = call.context.caller.user.oid.to_string();
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let mut items = Vec::new();
    for _ in 0..MOST_REQUESTS {
        let request = at.request(families, &own).ok_or_else(foreign)?;
        let listing: Listing<T> = call.json(&request).await?;
        let mut rest = listing.value.into_iter().enumerate().skip(at.skip).filter(|(_, item)| keep(item));
        items.extend(rest.by_ref().take(count - items.len()).map(|(_, item)| item));
        if let Some((index, _)) = rest.next() {
            at.skip = index;
            break;
        }
        let Some(next) = listing.next else { return Ok(Page { items, next_cursor: None }) };
        at.link = relative(call, &next).filter(|link| of_any(link, families, &own)).ok_or_else(unreadable)?;
        at.skip = 0;
        if items.len() >= count {
            break;
        }
    }
    Ok(Page { items, next_cursor: Some(cursor::seal(call, &at)?) })
}

/// The start of a list, or where the cursor says.
pub(super) fn begin(call: &Call<'_>, cursor: Option<&str>, request: &GraphRequest) -> Result<Position, ToolError> {
    cursor.map_or_else(|| Ok(Position::start(request)), |text| cursor::open(call, text))
}

/// A cursor that no answer of the tool can have held.
pub(super) fn foreign() -> ToolError {
    ToolError::argument("cursor", "leads to a place that this tool does not read: list again without it")
}

/// A link by Graph that leads where the tool does not go.
pub(super) fn unreadable() -> ToolError {
    let failure =
        Failure { message: Some("its next page is elsewhere".into()), ..Failure::of(Origin::Graph, "ForeignNextLink") };
    ToolError::Graph { failure, repeatable: true }
}

/// What Graph has been documented to write into links as it is; letters beyond ASCII are escaped as well.
const UNESCAPED: &AsciiSet = &AsciiSet::EMPTY.add(b' ');

/// What stands below the version in a link of this cloud's Graph, and of no other host.
pub(super) fn relative(call: &Call<'_>, link: &str) -> Option<String> {
    let microsoft = &call.context.config.microsoft;
    let rest = link.strip_prefix(&microsoft.cloud.graph)?.strip_prefix('/')?;
    let path = rest.strip_prefix(microsoft.graph_version)?;
    path.starts_with('/').then(|| utf8_percent_encode(path, UNESCAPED).to_string())
}

/// Whether a link is of one of these forms.
pub(super) fn of_any(link: &str, families: &[&str], own: &str) -> bool {
    let path = link.split_once('?').map_or(link, |(path, _)| path);
    families.iter().any(|family| is_of(path, family, own))
}

/// Whether `path` is of the form `family`. Graph may write a key in brackets, and the user by id instead of `me`.
fn is_of(path: &str, family: &str, own: &str) -> bool {
    let Some(mut segments) = segments(path) else { return false };
    if let [users, id, ..] = segments.as_slice()
        && users.eq_ignore_ascii_case("users")
        && id.eq_ignore_ascii_case(own)
    {
        segments.splice(0..2, ["me".to_owned()]);
    }
    let expected: Vec<_> = family.split('/').skip(1).collect();
    segments.len() == expected.len() && segments.iter().zip(expected).all(|(found, word)| fits(found, word))
}

/// `{id}` is any one segment, `search()` that function with any argument.
fn fits(found: &str, word: &str) -> bool {
    let called = |name| found.strip_prefix(name).is_some_and(|rest| rest.starts_with('(') && rest.ends_with(')'));
    word == "{id}" || found.eq_ignore_ascii_case(word) || word.strip_suffix("()").is_some_and(called)
}

/// The decoded segments, `mailFolders('inbox')` taken apart, and `root:/a/b:` as `root`, `:` and the names; `None` when
/// one could climb.
fn segments(path: &str) -> Option<Vec<String>> {
    let mut all = Vec::new();
    let mut parts = path.strip_prefix('/')?.split('/');
    while let Some(segment) = parts.next() {
        let item = segment.strip_suffix(':').filter(|item| !item.is_empty());
        let decoded = decode(item.unwrap_or(segment))?;
        match decoded.strip_suffix("')").and_then(|head| head.split_once("('")) {
            Some((word, key)) if word.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
                all.extend([word.to_owned(), key.to_owned()]);
            }
            Some(_) | None => all.push(decoded),
        }
        if item.is_some() {
            all.extend([":".to_owned(), names(&mut parts)?]);
        }
    }
    all.iter().all(|segment| is_segment(segment)).then_some(all)
}

/// The names up to the one that ends with a colon.
fn names<'a>(parts: &mut impl Iterator<Item = &'a str>) -> Option<String> {
    let mut names = Vec::new();
    for part in parts {
        let last = part.strip_suffix(':');
        names.push(decode(last.unwrap_or(part))?);
        if last.is_some() {
            break;
        }
    }
    Some(names.join("/"))
}

fn decode(segment: &str) -> Option<String> {
    Some(percent_decode_str(segment).decode_utf8().ok()?.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "00000000-0000-4000-8000-000000000001";

    #[test]
    fn a_path_within_a_drive_and_a_search_are_families_too() {
        let (children, search) = ("/me/drive/root/:/{id}/children", "/drives/{id}/root/search()");
        assert!(is_of("/me/drive/root:/A%20b/c:/children", children, OWN));
        assert!(is_of("/drives('b!x')/root/search(q='o%27%27hara%20(''')", search, OWN));
        for path in [
            "/me/drive/root:/a/../b:/children",
            "/me/drive/root:/a/%2e%2e:/children",
            "/me/drive/root:/a:/children/x",
            "/me/drive/root:/a/children",
            "/me/drive/root:/a:/content",
            "/me/drive/root:",
            "/drives/b!x/root/search(q='a')/x",
            "/drives/b!x/root/searched(q='a')",
        ] {
            assert!(!is_of(path, children, OWN) && !is_of(path, search, OWN), "{path}");
        }
    }

    #[test]
    fn a_next_link_stays_in_the_family_of_its_tool() {
        let family = "/me/mailFolders/{id}/messages";
        for path in [
            "/me/mailFolders/inbox/messages",
            "/me/mailFolders('inbox')/messages",
            "/me/mailFolders(%27inbox%27)/messages",
            "/users/00000000-0000-4000-8000-000000000001/mailFolders/AA%2F=/messages",
            "/users('00000000-0000-4000-8000-000000000001')/mailFolders('x')/messages",
        ] {
            assert!(is_of(path, family, OWN), "{path}");
        }
        for path in [
            "/me/messages",
            "/me/mailFolders/inbox/messages/x",
            "/me/mailFolders/../messages",
            "/me/mailFolders/%2e%2e/messages",
            "/me/mailFolders//messages",
            "/users/00000000-0000-4000-8000-000000000002/mailFolders/inbox/messages",
            "/me/mailFolders/inbox/childFolders",
            "me/mailFolders/inbox/messages",
        ] {
            assert!(!is_of(path, family, OWN), "{path}");
        }
    }
}
