//! Where a file or folder is: in which drive, by its id, by a path, or by a path below an id. One set of arguments for
//! every tool of files; other people's drives need a scope that is asked for when it is used, never before.

use super::ToolError;
use super::answer::is_direction;
use super::arguments::identifier;
use super::call::Call;
use crate::graph::request::Segment;
use crate::identity::Scope;

/// Characters that `OneDrive` takes in a whole path, and in one name.
const PATH: usize = 400;
const NAME: usize = 255;
/// Names that `OneDrive` keeps for itself, in lower case.
const TAKEN: [&str; 6] = [".lock", "con", "prn", "aux", "nul", "desktop.ini"];

/// A file or folder in a drive.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Place<'a> {
    /// The user's own drive where absent.
    drive: Option<&'a str>,
    /// The drive's root where absent.
    item: Option<&'a str>,
    /// The names that lead down from there.
    below: Option<&'a str>,
}

impl<'a> Place<'a> {
    /// The place that the arguments `driveId`, `itemId` and `path` name.
    pub fn parse(drive: Option<&'a str>, item: Option<&'a str>, path: Option<&'a str>) -> Result<Self, ToolError> {
        let path = path.map(|path| names("path", path)).transpose()?;
        Ok(Self {
            drive: drive.map(|id| key("driveId", id)).transpose()?,
            item: item.map(|id| key("itemId", id)).transpose()?.filter(|id| !id.eq_ignore_ascii_case("root")),
            below: path.filter(|path| !path.is_empty()),
        })
    }

    /// Whether it is the drive as a whole.
    pub const fn is_root(&self) -> bool {
        self.item.is_none() && self.below.is_none()
    }

    /// Whether a path leads there, so that nothing need be there yet.
    pub const fn is_named(&self) -> bool {
        self.below.is_some()
    }

    /// The drive, where it is not the user's own.
    pub const fn drive(&self) -> Option<&'a str> {
        self.drive
    }

    /// Refuses the call when the token is not good for it: `own` for the user's drive, `all` for another's.
    pub fn require(&self, call: &Call<'_>, own: Scope, all: Scope) -> Result<(), ToolError> {
        call.require(if self.drive.is_some() { all } else { own })
    }

    /// Graph's path to it, and what follows.
    pub fn segments(&self, rest: &[Segment<'a>]) -> Vec<Segment<'a>> {
        let mut path = match self.drive {
            Some(id) => vec![Segment::Word("drives"), Segment::Value(id)],
            None => vec![Segment::Word("me"), Segment::Word("drive")],
        };
        match self.item {
            Some(id) => path.extend([Segment::Word("items"), Segment::Value(id)]),
            None => path.push(Segment::Word("root")),
        }
        path.extend(self.below.map(Segment::Below));
        path.extend(rest);
        path
    }
}

/// An id of a drive or item. None has a colon, which would make a path of it.
pub(super) fn key<'a>(argument: &str, text: &'a str) -> Result<&'a str, ToolError> {
    let text = identifier(argument, text)?;
    if text.contains(':') {
        return Err(ToolError::argument(argument, "not an id: take it as listFiles gave it, or use path"));
    }
    Ok(text)
}

/// The names of a path, without the slashes at its ends; empty for the root.
pub(super) fn names<'a>(argument: &str, text: &'a str) -> Result<&'a str, ToolError> {
    let text = text.trim();
    let inner = text.strip_prefix('/').unwrap_or(text);
    let inner = inner.strip_suffix('/').unwrap_or(inner);
    let wrong = |problem: &str| {
        Err(ToolError::argument(
            argument,
            format!("{problem}; write it as /Reports/2026/plan.docx, from the root down"),
        ))
    };
    if inner.chars().count() > PATH {
        return wrong("longer than 400 characters");
    }
    match inner.split('/').find_map(fault).filter(|_| !inner.is_empty()) {
        Some(problem) => wrong(problem),
        None => Ok(inner),
    }
}

/// One name of a file or folder.
pub(super) fn name<'a>(argument: &str, text: &'a str) -> Result<&'a str, ToolError> {
    let problem = if text.contains('/') { Some("/ cannot be in a name") } else { fault(text) };
    problem.map_or(Ok(text), |problem| {
        Err(ToolError::argument(argument, format!("{problem}; write one name such as plan.docx")))
    })
}

/// What is wrong with a name, by what `OneDrive` and `SharePoint` take.
fn fault(name: &str) -> Option<&'static str> {
    let lower = name.to_ascii_lowercase();
    let numbered = |word| {
        lower.strip_prefix(word).is_some_and(|rest| rest.len() == 1 && rest.bytes().all(|byte| byte.is_ascii_digit()))
    };
    if name.is_empty() {
        Some("a name in it is empty")
    } else if matches!(name, "." | "..") {
        Some("it cannot climb by . or ..")
    } else if name.chars().any(|character| character.is_control() || is_direction(character)) {
        Some("control or text-direction characters are not allowed")
    } else if name.contains(['"', '*', ':', '<', '>', '?', '\\', '|']) {
        Some("OneDrive takes no \" * : < > ? \\ | in a name")
    } else if has_escape(name) {
        Some("it is percent-encoded: write spaces and letters as they are, or use itemId")
    } else if name.starts_with(' ') || name.ends_with([' ', '.']) || name.starts_with("~$") {
        Some("a name cannot begin with a space or ~$, nor end with a space or full stop")
    } else if TAKEN.contains(&lower.as_str()) || numbered("com") || numbered("lpt") || lower.contains("_vti_") {
        Some("OneDrive keeps this name for itself")
    } else if name.chars().count() > NAME {
        Some("a name is longer than 255 characters")
    } else {
        None
    }
}

/// Whether a percent sign begins an escape: some hop may decode once more than others do.
fn has_escape(name: &str) -> bool {
    name.split('%')
        .skip(1)
        .any(|rest| rest.as_bytes().get(..2).is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit)))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
mod tests {
    use super::*;
    use crate::graph::GraphRequest;
    use crate::graph::request::Method;

    fn path(drive: Option<&str>, item: Option<&str>, path: Option<&str>) -> String {
        let place = Place::parse(drive, item, path).unwrap();
        GraphRequest::new(Method::Get, &place.segments(&[Segment::Word("children")])).unwrap().path_and_query()
    }

    #[test]
    fn a_place_is_an_id_or_a_path_or_a_path_below_an_id() {
        assert_eq!(path(None, None, None), "/me/drive/root/children");
        assert_eq!(path(None, Some("root"), Some("/")), "/me/drive/root/children");
        assert_eq!(
            path(None, None, Some("/Reports/Q1 100% (é).docx")),
            "/me/drive/root:/Reports/Q1%20100%25%20%28%C3%A9%29.docx:/children"
        );
        assert_eq!(path(None, None, Some("Reports/")), "/me/drive/root:/Reports:/children");
        assert_eq!(path(Some("b!x-Y_1"), Some("01AB"), Some("a/b")), "/drives/b%21x-Y_1/items/01AB:/a/b:/children");
    }

    #[test]
    fn a_path_that_climbs_hides_or_cannot_be_is_refused_with_an_example() {
        let long = "a".repeat(256);
        let longer = "ab/".repeat(140);
        for wrong in [
            "/..",
            "../x",
            "/a/../b",
            "/a/./b",
            "//a",
            "/a//b",
            "/a\\b",
            "/a\\..\\b",
            "/a\nb",
            "/a\u{0}",
            "/a\u{202E}fdp.exe",
            "/a:b",
            "/a*",
            "/a?b",
            "/a|b",
            "/<a>",
            "/\"a\"",
            "/%2e%2e/x",
            "/a%20b",
            "/a%ff",
            "/ a",
            "/a /b",
            "/a.",
            "/~$a.docx",
            "/CON",
            "/com1",
            "/a/LPT9/b",
            "/desktop.ini",
            "/x_vti_y",
            &long,
            &longer,
        ] {
            let error = Place::parse(None, None, Some(wrong)).unwrap_err().to_string();
            assert!(error.starts_with("path: ") && error.contains("/Reports/2026/plan.docx"), "{wrong:?}: {error}");
        }
        for fine in ["/a.b/100% c", "/.config", "/com10", "/éà/日本", "/a'b#c&d+e=f@g!"] {
            assert!(Place::parse(None, None, Some(fine)).is_ok(), "{fine}");
        }
    }

    #[test]
    fn an_id_is_no_path() {
        for wrong in ["root:/a:", "../x", "a/../b", "", "x:", "a\u{202E}"] {
            assert!(
                Place::parse(None, Some(wrong), None).unwrap_err().to_string().starts_with("itemId: "),
                "{wrong:?}"
            );
            assert!(
                Place::parse(Some(wrong), None, None).unwrap_err().to_string().starts_with("driveId: "),
                "{wrong:?}"
            );
        }
    }

    #[test]
    fn a_name_is_one_name() {
        for wrong in ["", "a/b", "..", "a:b", "a\\b", "nul", "a.", "a%2fb"] {
            assert!(name("name", wrong).unwrap_err().to_string().contains("plan.docx"), "{wrong:?}");
        }
        assert_eq!(name("name", "Plan 2026.docx").unwrap(), "Plan 2026.docx");
    }
}
