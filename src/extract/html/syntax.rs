//! Tags, comments and attributes, where a browser finds them.

/// A tag and what follows it.
pub(super) struct Tag<'a> {
    pub(super) name: &'a str,
    pub(super) closes: bool,
    pub(super) attributes: Vec<(&'a str, &'a str)>,
    pub(super) rest: &'a str,
}

impl<'a> Tag<'a> {
    /// Reads at a `<`; `None` where it begins no tag. A tag that never ends takes the rest with it, as in a browser.
    pub(super) fn read(text: &'a str) -> Option<Self> {
        let inner = text.strip_prefix('<')?;
        let nothing = |rest| Some(Self { name: "", closes: true, attributes: Vec::new(), rest });
        if let Some(comment) = inner.strip_prefix("!--") {
            return nothing(after_comment(comment));
        }
        let closes = inner.starts_with('/');
        let named = inner.strip_prefix('/').unwrap_or(inner);
        if !named.starts_with(|first: char| first.is_ascii_alphabetic()) {
            // What is no name is a comment up to the next `>`, save behind a bare `<`.
            let is_comment = closes || inner.starts_with(['!', '?']);
            return is_comment.then(|| inner.split_once('>').map_or("", |(_, rest)| rest)).and_then(nothing);
        }
        let end =
            named.find(|letter: char| letter.is_whitespace() || matches!(letter, '/' | '>')).unwrap_or(named.len());
        let (name, behind) = named.split_at(end);
        let (attributes, rest) = attributes(behind);
        Some(Self { name, closes, attributes, rest })
    }
}

/// What follows a comment. `<!-->` is one already, and `--!>` ends one too.
fn after_comment(text: &str) -> &str {
    if let Some(rest) = text.strip_prefix('>').or_else(|| text.strip_prefix("->")) {
        return rest;
    }
    let ends = ["-->", "--!>"].map(|end| text.find(end).map(|at| (at, at + end.len())));
    ends.into_iter().flatten().min().and_then(|(_, end)| text.get(end..)).unwrap_or_default()
}

/// The attributes of a tag and what follows its `>`; a quote counts where a value begins, and nowhere else.
fn attributes(text: &str) -> (Vec<(&str, &str)>, &str) {
    let mut found = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches(|letter: char| letter.is_whitespace() || letter == '/');
        if rest.is_empty() {
            return (found, rest);
        }
        if let Some(after) = rest.strip_prefix('>') {
            return (found, after);
        }
        // A sign of equality at the front belongs to the name.
        let first = rest.chars().next().map_or(0, char::len_utf8);
        let behind = rest.get(first..).unwrap_or_default();
        let ends = |letter: char| letter.is_whitespace() || matches!(letter, '/' | '>' | '=');
        let (name, after) = rest.split_at(first + behind.find(ends).unwrap_or(behind.len()));
        let (value, after) = match after.trim_start().strip_prefix('=') {
            Some(value) => value_of(value.trim_start()),
            None => ("", after),
        };
        found.push((name, value));
        rest = after;
    }
}

fn value_of(text: &str) -> (&str, &str) {
    for quote in ['"', '\''] {
        if let Some(inner) = text.strip_prefix(quote) {
            return inner.split_once(quote).unwrap_or((inner, ""));
        }
    }
    text.split_at(text.find(|letter: char| letter.is_whitespace() || letter == '>').unwrap_or(text.len()))
}

/// What stands before `</name>`, and what follows it.
pub(super) fn raw<'a>(text: &'a str, name: &str) -> (&'a str, &'a str) {
    let mut rest = text;
    while let Some(at) = rest.find("</") {
        let tag = rest.get(at + 2..).unwrap_or_default();
        let behind = tag.get(name.len()..).unwrap_or_default();
        let ends = behind.is_empty() || behind.starts_with(|end: char| end.is_whitespace() || matches!(end, '/' | '>'));
        if ends && tag.get(..name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name)) {
            let content = text.get(..text.len() - tag.len() - 2).unwrap_or_default();
            return (content, attributes(behind).1);
        }
        rest = tag;
    }
    (text, "")
}
