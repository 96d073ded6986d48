//! Text out of HTML.
//!
//! A reader of our own: converters that lay out pages bring an HTML5 tree builder of some hundred kilobytes into the
//! Worker, and nothing here is rendered again. One pass, no recursion: no input makes it slow or deep. What a reader of
//! the page does not see is left out: elements and comments that no browser shows, and text that its style hides
//! (`look`); of the tree a browser would build, this keeps the elements that are open. Whoever shows the text strips it of
//! invisible characters (`tools::answer::clean`).

mod letters;
mod syntax;
#[cfg(test)]
pub(crate) mod tests;

use letters::{push, unescaped};
use syntax::{Tag, raw};

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
/// A ruled line, as Exchange writes it: history often stands below one.
const RULE: &str = "________________________________\n";
/// Characters of an emoji, which may be made of several.
const SYMBOL: usize = 10;

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
