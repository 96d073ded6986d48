//! Text out of HTML.
//!
//! A reader of our own: converters that lay out pages bring an HTML5 tree builder of some hundred kilobytes into the
//! Worker, and nothing here is rendered again, so a slip costs looks, never safety. One pass, linear, no recursion: no
//! input makes it slow or deep. Whoever shows the text strips it of what nobody can see (`tools::answer::clean`).

/// Tags that end a line.
const BLOCKS: [&str; 18] = [
    "address",
    "article",
    "blockquote",
    "br",
    "div",
    "dd",
    "dt",
    "h1",
    "h2",
    "h3",
    "h4",
    "hr",
    "li",
    "p",
    "pre",
    "section",
    "table",
    "tr",
];
/// Tags whose content is not text.
const UNSEEN: [&str; 6] = ["head", "script", "style", "template", "title", "noscript"];
/// Entities of everyday mail; others stay as they are written.
const ENTITIES: [(&str, &str); 17] = [
    ("amp", "&"),
    ("lt", "<"),
    ("gt", ">"),
    ("quot", "\""),
    ("apos", "'"),
    ("nbsp", " "),
    ("zwnj", ""),
    ("shy", ""),
    ("ndash", "–"),
    ("mdash", "—"),
    ("hellip", "…"),
    ("lsquo", "‘"),
    ("rsquo", "’"),
    ("ldquo", "“"),
    ("rdquo", "”"),
    ("bull", "•"),
    ("euro", "€"),
];
/// Longest entity that is looked for.
const LONGEST_ENTITY: usize = 12;

/// The text of some HTML: blocks become lines, cells are set apart, scripts and styles are dropped.
pub(crate) fn from_html(html: &str) -> String {
    let mut text = String::with_capacity(html.len() / 2);
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        let (before, tag) = rest.split_at(at);
        push(&mut text, before);
        rest = if let Some(found) = Tag::read(tag) {
            found.apply(&mut text)
        } else {
            text.push('<');
            tag.get(1..).unwrap_or_default()
        };
    }
    push(&mut text, rest);
    text
}

/// A tag and what follows it.
struct Tag<'a> {
    name: &'a str,
    closes: bool,
    rest: &'a str,
}

impl<'a> Tag<'a> {
    /// Reads at a `<`; `None` where it begins no tag. A tag that never ends takes the rest with it, as in a browser.
    fn read(text: &'a str) -> Option<Self> {
        let inner = text.strip_prefix('<')?;
        if let Some(comment) = inner.strip_prefix("!--") {
            let rest = comment.split_once("-->").map_or("", |(_, rest)| rest);
            return Some(Self { name: "", closes: false, rest });
        }
        let closes = inner.starts_with('/');
        let named = inner.strip_prefix('/').unwrap_or(inner);
        if !named.starts_with(|first: char| first.is_ascii_alphabetic() || matches!(first, '!' | '?')) {
            return None;
        }
        let end = named.find(|character: char| !character.is_ascii_alphanumeric()).unwrap_or(named.len());
        let (name, attributes) = named.split_at(end);
        Some(Self { name, closes, rest: after_attributes(attributes) })
    }

    /// Writes what the tag means; what is left to read.
    fn apply(self, text: &mut String) -> &'a str {
        let is = |name: &&str| self.name.eq_ignore_ascii_case(name);
        if !self.closes && UNSEEN.iter().any(is) {
            return after_closing(self.rest, self.name);
        }
        if BLOCKS.iter().any(is) {
            text.push('\n');
        }
        if (is(&"td") || is(&"th")) && !text.ends_with([' ', '\n']) {
            text.push(' ');
        }
        if !self.closes && is(&"li") {
            text.push_str("- ");
        }
        self.rest
    }
}

/// What follows the `>` that ends a tag; one within quotes ends nothing.
fn after_attributes(text: &str) -> &str {
    let mut quote = None;
    for (at, byte) in text.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return text.get(at + 1..).unwrap_or_default(),
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            (None | Some(_), _) => {}
        }
    }
    ""
}

/// What follows `</name>`.
fn after_closing<'a>(text: &'a str, name: &str) -> &'a str {
    let mut rest = text;
    while let Some(at) = rest.find("</") {
        let tag = rest.get(at + 2..).unwrap_or_default();
        if tag.get(..name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name)) {
            return after_attributes(tag.get(name.len()..).unwrap_or_default());
        }
        rest = tag;
    }
    ""
}

/// Adds text between tags: entities decoded, every run of white space one space.
fn push(text: &mut String, raw: &str) {
    let mut rest = raw;
    while let Some(at) = rest.find('&') {
        let (before, entity) = rest.split_at(at);
        squeeze(text, before);
        rest = if let Some((decoded, left)) = decode(entity) {
            text.push_str(&decoded);
            left
        } else {
            text.push('&');
            entity.get(1..).unwrap_or_default()
        };
    }
    squeeze(text, rest);
}

fn squeeze(text: &mut String, raw: &str) {
    for character in raw.chars() {
        if !character.is_whitespace() {
            text.push(character);
        } else if !text.ends_with([' ', '\n']) {
            text.push(' ');
        }
    }
}

/// The character that an entity at the front of `text` means, and what follows it.
fn decode(text: &str) -> Option<(String, &str)> {
    let head = text.as_bytes().get(1..)?.iter().take(LONGEST_ENTITY);
    let length = head.clone().position(|byte| *byte == b';')?;
    let (name, rest) = (text.get(1..=length)?, text.get(length + 2..)?);
    if let Some(number) = name.strip_prefix('#') {
        let hex = number.strip_prefix(['x', 'X']).map(|digits| u32::from_str_radix(digits, 16));
        let code = hex.unwrap_or_else(|| number.parse()).ok()?;
        return Some((char::from_u32(code)?.to_string(), rest));
    }
    let (_, meant) = ENTITIES.iter().find(|(known, _)| *known == name)?;
    Some(((*meant).to_owned(), rest))
}

/// No spaces at the ends of lines, no more than one empty line in a row.
pub(crate) fn tidy(text: &str) -> String {
    let mut tidied = String::with_capacity(text.len());
    let mut empty = 0;
    for line in text.lines().map(str::trim_end) {
        empty = if line.trim().is_empty() { empty + 1 } else { 0 };
        if empty < 2 {
            tidied.push_str(line);
            tidied.push('\n');
        }
    }
    tidied
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_html_costs_one_pass_and_leaves_no_tag() {
        for html in [
            "<".repeat(100_000),
            "<p ".repeat(50_000),
            "&".repeat(100_000),
            "<style>".repeat(20_000),
            "<!--".repeat(50_000),
            "</".repeat(80_000),
        ] {
            assert!(from_html(&html).len() <= html.len());
        }
        for html in [
            "<scr<script>ipt>x</script>",
            "<p title=\"",
            "<p\u{0}>",
            "a < b",
            "&#1114112;",
            "&#xD800;",
            "&;",
            "&é;",
            "<é>",
            "</stylé>",
        ] {
            let _text: String = from_html(html);
        }
        assert_eq!(from_html("a < b &copy c"), "a < b &copy c");
        assert_eq!(from_html("x<img src=x onerror=alert(1)>y"), "xy");
        assert_eq!(from_html("x<p title='never ends"), "x\n");
    }
}
