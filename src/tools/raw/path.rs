//! Which paths may be read by name. An allow-list of first segments and of query options; what is not named is refused.
//!
//! The first segments are the places that the other tools read: mail, calendars and files of people and groups, Teams,
//! sites, tasks. The directory's administration, devices, reports, audit and security are not among them, although a
//! token that an organisation widened could read them. Bytes and streams stay out: a model has no use for them, and
//! other tools turn them into text.

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use crate::graph::request::is_segment;
use crate::tools::ToolError;
use crate::tools::answer::{clean, is_invisible};

/// Where a path may begin, and what log lines call it.
const ROOTS: [(&str, &str); 9] = [
    ("me", "/me/{path}"),
    ("users", "/users/{path}"),
    ("groups", "/groups/{path}"),
    ("teams", "/teams/{path}"),
    ("chats", "/chats/{path}"),
    ("sites", "/sites/{path}"),
    ("drives", "/drives/{path}"),
    ("planner", "/planner/{path}"),
    ("places", "/places/{path}"),
];

/// Segments that answer with bytes or a stream, or hold further requests.
const REFUSED: [&str; 7] = ["$value", "$batch", "$metadata", "content", "contentstream", "contentasstream", "$ref"];

/// Query options that only choose what is read. A way to another method or form is not among them.
const OPTIONS: [&str; 17] = [
    "$select",
    "$filter",
    "$orderby",
    "$top",
    "$skip",
    "$skiptoken",
    "$expand",
    "$search",
    "$count",
    "$deltatoken",
    "startdatetime",
    "enddatetime",
    "search",
    "token",
    "includehiddenfolders",
    "includehiddenmessages",
    "includepersonalnotebooks",
];

/// Characters that models write as they are and URLs cannot hold. A percent sign stays: it is checked to begin an escape.
const ESCAPED: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'\\').add(b'^').add(b'`').add(b'{').add(b'|').add(b'}');

/// A path that may be read, as it goes on the wire below the version.
#[derive(Debug)]
pub(super) struct Path {
    pub path: String,
    pub query: String,
    /// For log lines.
    pub route: &'static str,
}

impl Path {
    /// The path that an argument gives, or why it is refused.
    pub fn parse(text: &str) -> Result<Self, ToolError> {
        let text = text.trim();
        let (path, query) = text.split_once('?').unwrap_or((text, ""));
        if text.contains(['#', '\\']) || text.chars().any(is_unseen) || !escapes_are_whole(text) {
            return Err(refuse("has characters that no path holds: escape them, as %23 for #"));
        }
        let Some(below) = path.strip_prefix('/') else {
            return Err(refuse("is not a path below the version, such as /me/drive: no host and no scheme"));
        };
        let route = segments(below)?;
        options(query)?;
        let escape = |text: &str| utf8_percent_encode(text, ESCAPED).to_string();
        Ok(Self { path: escape(path), query: escape(query), route })
    }
}

fn is_unseen(character: char) -> bool {
    character.is_control() || is_invisible(character)
}

fn refuse(problem: &str) -> ToolError {
    ToolError::argument("paths", problem)
}

fn escapes_are_whole(text: &str) -> bool {
    let mut parts = text.split('%');
    parts.next();
    parts.all(|part| part.as_bytes().get(..2).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)))
}

/// Checks every segment; the route of the first.
fn segments(below: &str) -> Result<&'static str, ToolError> {
    let mut route = None;
    for (at, raw) in below.split('/').enumerate() {
        let decoded = percent_decode_str(raw).decode_utf8().map_err(|_| refuse("is not UTF-8"))?;
        // What is still escaped after one round is meant for a hop that decodes once more.
        if !is_segment(&decoded) || decoded.contains(['/', '\\', '%', '?', '#', ';']) {
            return Err(refuse("has an empty, climbing or doubly escaped part"));
        }
        if at == 0 {
            route = ROOTS.iter().find(|(root, _)| decoded == *root).map(|(_, route)| *route);
        }
        // `drive/root:/a.txt:/content` and `$value()` are the same in other clothes.
        let word = decoded.split('(').next().unwrap_or_default().trim_matches(':').to_ascii_lowercase();
        if REFUSED.contains(&word.as_str()) {
            return Err(refuse("ends in bytes, a stream or further requests, which this tool does not read"));
        }
    }
    let names = "begins elsewhere than /me, /users, /groups, /teams, /chats, /sites, /drives, /planner or /places \
                 (no version before it)";
    route.ok_or_else(|| refuse(names))
}

fn options(query: &str) -> Result<(), ToolError> {
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let name = pair.split_once('=').map_or(pair, |(name, _)| name);
        let decoded = percent_decode_str(name).decode_utf8().map_err(|_| refuse("is not UTF-8"))?;
        if !OPTIONS.contains(&decoded.to_ascii_lowercase().as_str()) {
            let name = clean(&decoded, 40);
            return Err(refuse(&format!("has the query option {name}, which this tool does not take")));
        }
    }
    Ok(())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_written_as_a_url_holds_it() {
        let path = Path::parse("/me/messages?$filter=from/emailAddress/address eq 'b@contoso.example'&$top=5").unwrap();
        assert_eq!(path.path, "/me/messages");
        assert_eq!(path.query, "$filter=from/emailAddress/address%20eq%20'b@contoso.example'&$top=5");
        let path = Path::parse("/me/drive/root:/Berichte/Übersicht 1.xlsx:/workbook").unwrap();
        assert_eq!(path.path, "/me/drive/root:/Berichte/%C3%9Cbersicht%201.xlsx:/workbook");
        assert_eq!(path.route, "/me/{path}");
    }

    #[test]
    fn what_the_other_tools_read_may_be_read() {
        for path in [
            "/me",
            "/me/drive?$select=quota",
            "/me/mailFolders('inbox')/messages?%24top=3",
            "/users/adele@contoso.example/manager",
            "/teams/x/channels/19:abc@thread.tacv2/messages",
            "/sites/contoso.example,1,2/lists?search=x",
            "/me/drive/root/delta(token='abc')",
            "/me/calendarView?startDateTime=2026-03-02T00:00:00Z&endDateTime=2026-03-03T00:00:00Z",
            "/places/microsoft.graph.room",
        ] {
            assert!(Path::parse(path).is_ok(), "{path}");
        }
    }
}
