//! Text out of HTML.
//!
//! A reader of our own: converters that lay out pages bring an HTML5 tree builder of some hundred kilobytes into the
//! Worker, and nothing here is rendered again. One pass, no recursion: no input makes it slow or deep. What a reader of
//! the page does not see is left out: elements and comments that no browser shows, and text that its style hides
//! (`look`); of the tree a browser would build, this keeps the elements that are open. Whoever shows the text strips it of
//! invisible characters (`tools::answer::clean`).

use super::look::{Look, Sheet, Style, plain};

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
/// Elements that hold no markup, up to their end tag.
const RAW: [&str; 8] = ["script", "style", "title", "noscript", "iframe", "noembed", "noframes", "xmp"];
/// Elements that are not shown.
const UNSEEN: [&str; 6] = ["template", "svg", "datalist", "canvas", "audio", "video"];
/// Elements without content.
const VOID: [&str; 14] =
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"];
/// Elements that a browser opens again where something else closed them.
const FORMATTING: [&str; 14] =
    ["a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"];
/// Elements that an end tag within them does not reach out of.
const CELLS: [&str; 5] = ["td", "th", "caption", "template", "object"];
/// Elements of tables: the end tag of one reaches out of a cell, though not out of the table.
const ROWS: [&str; 6] = ["td", "th", "tr", "tbody", "thead", "tfoot"];
/// Elements that are open at once, at most; one more changes the innermost.
const DEPTH: usize = 256;
/// Entities of everyday mail, and those by which a style can be written; others stay as they are.
const ENTITIES: [(&str, &str); 22] = [
    ("colon", ":"),
    ("semi", ";"),
    ("num", "#"),
    ("Tab", " "),
    ("NewLine", " "),
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
/// A ruled line, as Exchange writes it: history often stands below one.
const RULE: &str = "________________________________\n";
/// Characters of an emoji, which may be made of several.
const SYMBOL: usize = 10;
/// Longest entity that is looked for.
const LONGEST_ENTITY: usize = 12;

/// The text of a page that somebody who looks at it sees: blocks become lines, cells are set apart, links are followed by
/// their addresses.
pub(crate) fn from_html(html: &str) -> String {
    Page { hidden_too: false, ..Page::default() }.read(html)
}

/// The same with what styles hide: for whoever has to know all that a page says.
pub(crate) fn all_of_html(html: &str) -> String {
    Page { hidden_too: true, ..Page::default() }.read(html)
}

/// A page as it is read.
#[derive(Default)]
struct Page<'a> {
    text: String,
    open: Vec<Open<'a>>,
    sheet: Sheet,
    /// Elements that found no place among the open ones.
    beyond: usize,
    hidden_too: bool,
}

/// An element that is open.
struct Open<'a> {
    name: &'a str,
    look: Look,
    /// Where a link leads, and where its text begins.
    link: Option<(String, usize)>,
}

impl<'a> Page<'a> {
    fn read(mut self, html: &'a str) -> String {
        let mut rest = html;
        while let Some(at) = rest.find('<') {
            let (before, tag) = rest.split_at(at);
            self.say(before);
            rest = if let Some(found) = Tag::read(tag) {
                self.tag(&found)
            } else {
                self.say("<");
                tag.get(1..).unwrap_or_default()
            };
        }
        self.say(rest);
        self.close_down_to(0, "");
        self.text
    }

    fn look(&self) -> Look {
        self.open.last().map_or(Look::PAGE, |open| open.look)
    }

    fn is_seen(&self) -> bool {
        self.look().is_seen() || self.hidden_too
    }

    fn say(&mut self, raw: &str) {
        let look = self.look();
        if look.is_seen() || self.hidden_too {
            push(&mut self.text, raw, look.kept);
        }
    }

    /// Takes in a tag; what is left to read.
    fn tag(&mut self, tag: &Tag<'a>) -> &'a str {
        let is = |name: &&str| tag.name.eq_ignore_ascii_case(name);
        if !tag.closes && RAW.iter().any(is) {
            let (content, rest) = raw(tag.rest, tag.name);
            if is(&"style") {
                self.sheet.read(content);
            }
            return rest;
        }
        if tag.closes && self.beyond > 0 {
            self.beyond -= 1;
        } else if tag.closes {
            self.close(tag.name);
        } else {
            self.end_what_it_ends(tag.name);
        }
        let seen = self.is_seen();
        if seen && BLOCKS.iter().any(is) {
            self.text.push('\n');
        }
        if seen && is(&"hr") {
            self.text.push_str(RULE);
        }
        if !tag.closes && !VOID.iter().any(is) {
            self.enter(tag);
        }
        if self.is_seen() && (is(&"td") || is(&"th")) && !self.text.ends_with([' ', '\n']) {
            self.text.push(' ');
        }
        if self.is_seen() && !tag.closes && is(&"li") {
            self.text.push_str("- ");
        }
        if self.is_seen() && !tag.closes && is(&"emoji") {
            self.text.push_str(&symbol(tag));
        }
        tag.rest
    }

    fn enter(&mut self, tag: &Tag<'a>) {
        let (style, href) = self.style(tag);
        let look = self.look().within(&style);
        if self.open.len() < DEPTH {
            let link = href.filter(|_| tag.name.eq_ignore_ascii_case("a")).map(|href| (href, self.text.len()));
            self.open.push(Open { name: tag.name, look, link });
        } else {
            self.beyond += 1;
            if let Some(innermost) = self.open.last_mut().filter(|_| !look.is_seen()) {
                innermost.look = look;
            }
        }
    }

    /// What is declared of an element, and where it leads.
    fn style(&self, tag: &Tag<'a>) -> (Style, Option<String>) {
        let name = tag.name.to_ascii_lowercase();
        let (mut class, mut id, mut inline, mut href) = (String::new(), String::new(), String::new(), None);
        let mut style = match name.as_str() {
            "a" => Style::link(),
            "pre" => Style::preformatted(),
            name if UNSEEN.contains(&name) => Style::undisplayed(),
            _ => Style::default(),
        };
        for (name, value) in &tag.attributes {
            let plain_value = || unescaped(value).trim().to_ascii_lowercase();
            match name.to_ascii_lowercase().as_str() {
                "style" if inline.is_empty() => inline = plain(&unescaped(value)),
                "class" => class = plain_value(),
                "id" => id = plain_value(),
                "href" => href = Some(unescaped(value)).filter(|link| link.starts_with("http")),
                name => style.attribute(name, &plain_value()),
            }
        }
        // An attribute gives way to a sheet, a sheet to the element's own style.
        style.merge(&self.sheet.of(&name, &class, &id));
        style.read(&inline);
        (style, href)
    }

    /// Closes what the beginning of this element ends.
    fn end_what_it_ends(&mut self, name: &str) {
        let is = |wanted: &&str| name.eq_ignore_ascii_case(wanted);
        let lists = ["ul", "ol", "dl"];
        let (ended, within): (&[&str], &[&str]) = if is(&"li") {
            (&["li"], &lists)
        } else if is(&"dd") || is(&"dt") {
            (&["dd", "dt"], &lists)
        } else if is(&"option") {
            (&["option"], &["select"])
        } else if is(&"td") || is(&"th") {
            (&["td", "th"], &["table"])
        } else if is(&"tr") {
            (&["tr"], &["table"])
        } else if BLOCKS.iter().any(is) && !is(&"br") || lists.iter().any(is) {
            (&["p"], &CELLS)
        } else {
            return;
        };
        let among = |names: &[&str], open: &Open<'_>| names.iter().any(|name| open.name.eq_ignore_ascii_case(name));
        let last = self.open.iter().rposition(|open| among(ended, open) || among(within, open));
        if let Some(at) = last.filter(|at| self.open.get(*at).is_some_and(|open| among(ended, open))) {
            self.close_down_to(at, name);
        }
    }

    /// Takes in an end tag. One that ends nothing is nothing, and what follows `</body>` is in the body.
    fn close(&mut self, name: &str) {
        let is = |wanted: &&str| name.eq_ignore_ascii_case(wanted);
        if is(&"body") || is(&"html") {
            return;
        }
        let stops = |open: &Open<'_>| {
            let at = |names: &[&str]| names.iter().any(|name| open.name.eq_ignore_ascii_case(name));
            if ROWS.iter().any(is) { at(&["table"]) } else { !is(&"table") && (at(&CELLS) || at(&["table"])) }
        };
        let last = self.open.iter().rposition(|open| open.name.eq_ignore_ascii_case(name) || stops(open));
        if let Some(at) = last.filter(|at| self.open.get(*at).is_some_and(|open| open.name.eq_ignore_ascii_case(name)))
        {
            self.close_down_to(at, name);
        }
    }

    /// Closes the elements from this one on. What hides text and was closed by another element's tag goes on behind it, as
    /// in a browser.
    fn close_down_to(&mut self, at: usize, name: &str) {
        let closed = self.open.split_off(at.min(self.open.len()));
        let ends_cell = ROWS.iter().chain(&["table", "caption"]).any(|cell| cell.eq_ignore_ascii_case(name));
        for open in closed {
            let goes_on = !ends_cell
                && !open.name.eq_ignore_ascii_case(name)
                && !open.look.is_seen()
                && self.look().is_seen()
                && FORMATTING.iter().any(|name| name.eq_ignore_ascii_case(open.name));
            if let Some((address, from)) = open.link.filter(|_| open.look.is_seen() || self.hidden_too) {
                self.lead(&address, from);
            }
            if goes_on {
                self.open.push(Open { link: None, ..open });
            }
        }
    }

    /// Writes where a link leads behind its text, as Exchange does; nothing where there is none, or it says so itself.
    fn lead(&mut self, address: &str, from: usize) {
        let label = self.text.get(from..).unwrap_or_default().trim();
        let address = address.split(|letter: char| letter.is_whitespace() || matches!(letter, '<' | '>')).next();
        let address = address.unwrap_or_default();
        let bare = |text: &str| text.split_once("://").map_or(text, |(_, rest)| rest).trim_end_matches('/').to_owned();
        if !label.is_empty() && bare(label) != bare(address) {
            let end = self.text.trim_end().len();
            self.text.insert_str(end, &format!("<{address}>"));
        }
    }
}

/// What an element of Teams shows that has no text of its own. Letters are no symbol: they would be words that nobody sees.
fn symbol(tag: &Tag<'_>) -> String {
    let alt = tag.attributes.iter().find(|(name, _)| name.eq_ignore_ascii_case("alt"));
    let alt = alt.map(|(_, value)| unescaped(value)).unwrap_or_default();
    alt.chars().filter(|letter| !letter.is_alphanumeric()).take(SYMBOL).collect()
}

/// A tag and what follows it.
struct Tag<'a> {
    name: &'a str,
    closes: bool,
    attributes: Vec<(&'a str, &'a str)>,
    rest: &'a str,
}

impl<'a> Tag<'a> {
    /// Reads at a `<`; `None` where it begins no tag. A tag that never ends takes the rest with it, as in a browser.
    fn read(text: &'a str) -> Option<Self> {
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
fn raw<'a>(text: &'a str, name: &str) -> (&'a str, &'a str) {
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

/// The value of an attribute, its entities decoded.
fn unescaped(value: &str) -> String {
    let mut plain = String::new();
    push(&mut plain, value, true);
    plain
}

/// Adds text between tags: entities decoded, every run of white space one space unless it is kept.
fn push(text: &mut String, raw: &str, kept: bool) {
    let mut rest = raw;
    while let Some(at) = rest.find('&') {
        let (before, entity) = rest.split_at(at);
        add(text, before, kept);
        rest = if let Some((decoded, left)) = decode(entity) {
            text.push_str(&decoded);
            left
        } else {
            text.push('&');
            entity.get(1..).unwrap_or_default()
        };
    }
    add(text, rest, kept);
}

fn add(text: &mut String, raw: &str, kept: bool) {
    if kept {
        text.push_str(raw);
        return;
    }
    for character in raw.chars() {
        if !character.is_whitespace() {
            text.push(character);
        } else if !text.ends_with([' ', '\n']) {
            text.push(' ');
        }
    }
}

/// The character that an entity at the front of `text` means, and what follows it. A number ends where its digits do.
fn decode(text: &str) -> Option<(String, &str)> {
    let inner = text.strip_prefix('&')?;
    if let Some(number) = inner.strip_prefix('#') {
        let hex = number.strip_prefix(['x', 'X']);
        let (digits, radix) = hex.map_or((number, 10), |digits| (digits, 16));
        let end = digits.bytes().take(LONGEST_ENTITY).take_while(|byte| char::from(*byte).is_digit(radix)).count();
        let (digits, rest) = digits.split_at(end);
        let letter = char::from_u32(u32::from_str_radix(digits, radix).ok()?)?;
        return Some((letter.to_string(), rest.strip_prefix(';').unwrap_or(rest)));
    }
    let length = inner.bytes().take(LONGEST_ENTITY).position(|byte| byte == b';')?;
    let (name, rest) = (inner.get(..length)?, inner.get(length + 1..)?);
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
pub(crate) mod tests;
