//! The HTML of a page as OneNote takes it: well-formed, of elements that make text and of nothing else. What a model wrote
//! can so neither end the page's head nor have OneNote fetch an image or a web page, which it does for whoever writes
//! its address.
//!
//! One pass, linear, no recursion.

/// Elements that make text.
const KEPT: [&str; 28] = [
    "a",
    "b",
    "blockquote",
    "br",
    "code",
    "del",
    "div",
    "em",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "i",
    "li",
    "ol",
    "p",
    "pre",
    "span",
    "strong",
    "sub",
    "sup",
    "table",
    "td",
    "tr",
    "u",
    "ul",
];
/// Elements that the next of their kind ends.
const ENDED: [&str; 4] = ["li", "p", "td", "tr"];
/// Elements whose content is not text.
const UNSEEN: [&str; 9] = ["script", "style", "title", "template", "noscript", "iframe", "object", "svg", "math"];
/// What a link may lead to.
const SCHEMES: [&str; 3] = ["https://", "http://", "mailto:"];

/// A page of this title.
pub(super) fn page(title: &str, body: &str) -> String {
    let title = escape(title);
    format!("<!DOCTYPE html><html><head><title>{title}</title></head><body>{body}</body></html>")
}

/// Plain text: every line a paragraph.
pub(super) fn from_text(text: &str) -> String {
    let mut html = String::new();
    for line in text.lines() {
        html.extend(["<p>", &escape(line), "</p>"]);
    }
    html
}

/// HTML: the elements that make text, every one of them closed.
pub(super) fn from_html(html: &str) -> String {
    let mut writer = Writer::default();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        let (before, tag) = rest.split_at(at);
        writer.text(before);
        match Tag::read(tag) {
            Read::Tag(found) => rest = writer.tag(&found),
            Read::Skipped(left) => rest = left,
            Read::Text => {
                writer.out.push_str("&lt;");
                rest = tag.get(1..).unwrap_or_default();
            }
            // Where one tag never ends, none behind it is worth the search.
            Read::Endless => {
                writer.out.push_str(&escape(tag));
                rest = "";
            }
        }
    }
    writer.text(rest);
    writer.finish()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[derive(Default)]
struct Writer {
    out: String,
    open: Vec<&'static str>,
}

impl Writer {
    /// Text between tags, whose entities stay.
    fn text(&mut self, text: &str) {
        let mut rest = text;
        while let Some(at) = rest.find('&') {
            let (before, entity) = rest.split_at(at);
            self.out.push_str(&before.replace('>', "&gt;"));
            self.out.push_str(if is_entity(entity) { "&" } else { "&amp;" });
            rest = entity.get(1..).unwrap_or_default();
        }
        self.out.push_str(&rest.replace('>', "&gt;"));
    }

    /// Writes what is kept of a tag; what is left to read.
    fn tag<'a>(&mut self, tag: &Tag<'a>) -> &'a str {
        if !tag.closes && UNSEEN.iter().any(|name| name.eq_ignore_ascii_case(tag.name)) {
            return after_closing(tag.rest, tag.name);
        }
        let Some(name) = KEPT.into_iter().find(|name| name.eq_ignore_ascii_case(tag.name)) else { return tag.rest };
        match (name, tag.closes) {
            ("br", _) => self.out.push_str("<br />"),
            (_, true) => self.close(name),
            ("a", false) => {
                let link = attribute(tag.attributes, "href").filter(|link| leads_out(link));
                self.out.push_str("<a");
                if let Some(link) = link {
                    self.out.push_str(" href=\"");
                    self.text(&link.replace('"', "&quot;").replace('<', "&lt;"));
                    self.out.push('"');
                }
                self.out.push('>');
                self.open.push(name);
            }
            (_, false) => {
                if ENDED.contains(&name) && self.open.last() == Some(&name) {
                    self.close(name);
                }
                self.out.extend(["<", name, ">"]);
                self.open.push(name);
            }
        }
        tag.rest
    }

    /// Closes the innermost element of this name, and what is open within it; nothing where none is open.
    fn close(&mut self, name: &str) {
        let Some(at) = self.open.iter().rposition(|open| *open == name) else { return };
        for open in self.open.drain(at..).rev() {
            self.out.extend(["</", open, ">"]);
        }
    }

    fn finish(mut self) -> String {
        for open in self.open.drain(..).rev() {
            self.out.extend(["</", open, ">"]);
        }
        self.out
    }
}

struct Tag<'a> {
    name: &'a str,
    closes: bool,
    attributes: &'a str,
    rest: &'a str,
}

/// What stands at a `<`.
enum Read<'a> {
    Tag(Tag<'a>),
    /// A comment or declaration; what follows it.
    Skipped(&'a str),
    /// A sign in a text.
    Text,
    /// The beginning of a tag without an end.
    Endless,
}

impl<'a> Tag<'a> {
    fn read(text: &'a str) -> Read<'a> {
        let inner = text.strip_prefix('<').unwrap_or_default();
        if let Some(comment) = inner.strip_prefix("!--") {
            return comment.split_once("-->").map_or(Read::Endless, |(_, rest)| Read::Skipped(rest));
        }
        if inner.starts_with(['!', '?']) {
            return inner.split_once('>').map_or(Read::Endless, |(_, rest)| Read::Skipped(rest));
        }
        let closes = inner.starts_with('/');
        let named = inner.strip_prefix('/').unwrap_or(inner);
        if !named.starts_with(|first: char| first.is_ascii_alphabetic()) {
            return Read::Text;
        }
        let end = named.find(|letter: char| !letter.is_ascii_alphanumeric()).unwrap_or(named.len());
        let (name, behind) = named.split_at(end);
        let Some(end) = end_of_tag(behind) else { return Read::Endless };
        let (attributes, rest) = behind.split_at(end);
        Read::Tag(Self { name, closes, attributes, rest: rest.get(1..).unwrap_or_default() })
    }
}

/// Where the `>` is that ends a tag; one within quotes ends nothing.
fn end_of_tag(text: &str) -> Option<usize> {
    let mut quote = None;
    text.bytes().position(|byte| match (quote, byte) {
        (None, b'>') => true,
        (None, b'"' | b'\'') => {
            quote = Some(byte);
            false
        }
        (Some(open), _) if open == byte => {
            quote = None;
            false
        }
        (None | Some(_), _) => false,
    })
}

/// What follows `</name>`; nothing where it never comes.
fn after_closing<'a>(text: &'a str, name: &str) -> &'a str {
    let mut rest = text;
    while let Some(at) = rest.find("</") {
        let tag = rest.get(at + 2..).unwrap_or_default();
        if tag.get(..name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name)) {
            return tag.split_once('>').map_or("", |(_, rest)| rest);
        }
        rest = tag;
    }
    ""
}

/// The value of an attribute.
fn attribute<'a>(attributes: &'a str, wanted: &str) -> Option<&'a str> {
    let mut rest = attributes.trim_start_matches(|letter: char| letter.is_whitespace() || letter == '/');
    while !rest.is_empty() {
        let end =
            rest.find(|letter: char| letter.is_whitespace() || letter == '=' || letter == '/').unwrap_or(rest.len());
        let (name, behind) = rest.split_at(end);
        let (value, left) = match behind.trim_start().strip_prefix('=') {
            Some(value) => split_value(value.trim_start()),
            None => ("", behind),
        };
        if name.eq_ignore_ascii_case(wanted) {
            return Some(value.trim());
        }
        // Always shorter: the name, or the sign that no name begins with.
        rest = if left.len() < rest.len() { left } else { rest.get(1..).unwrap_or_default() };
        rest = rest.trim_start_matches(|letter: char| letter.is_whitespace() || letter == '/');
    }
    None
}

fn split_value(text: &str) -> (&str, &str) {
    for quote in ['"', '\''] {
        if let Some(inner) = text.strip_prefix(quote) {
            return inner.split_once(quote).unwrap_or((inner, ""));
        }
    }
    text.split_at(text.find(char::is_whitespace).unwrap_or(text.len()))
}

fn leads_out(link: &str) -> bool {
    SCHEMES.iter().any(|scheme| link.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))
}

/// Whether an entity begins here: `&name;` or `&#number;`.
fn is_entity(text: &str) -> bool {
    let name = text.get(1..).and_then(|rest| rest.split_once(';')).map(|(name, _)| name);
    let plain = |name: &str| {
        let digits = name.strip_prefix('#').unwrap_or(name);
        (1..=10).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    name.is_some_and(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::html::tests::hostile;

    #[test]
    fn a_title_cannot_leave_the_head_and_a_text_cannot_leave_its_paragraph() {
        let page = page("</title><script>x</script>\"&amp;", &from_text("a < b & c\n\n</body>"));
        assert_eq!(
            page,
            "<!DOCTYPE html><html><head><title>&lt;/title&gt;&lt;script&gt;x&lt;/script&gt;&quot;&amp;amp;</title></head>\
             <body><p>a &lt; b &amp; c</p><p></p><p>&lt;/body&gt;</p></body></html>"
        );
    }

    #[test]
    fn html_comes_out_well_formed_and_fetches_nothing() {
        for (html, expected) in [
            ("<h1>Plan</h1><p>One<br>two", "<h1>Plan</h1><p>One<br />two</p>"),
            ("<ul><li>a<li>b<ul><li>c</ul></ul>d</p>", "<ul><li>a</li><li>b<ul><li>c</li></ul></li></ul>d"),
            ("<b><i>x</b>y</i>", "<b><i>x</i></b>y"),
            ("</body></html><head><title>Other</title></head><body onload=x>t", "t"),
            ("<img src='https://evil.example/?d=1'>x<iframe src=y>z</iframe>", "x"),
            ("<p style=\"background:url(x)\" onclick='a>b'>t</p>", "<p>t</p>"),
            (
                "<a href='https://contoso.example/?a=1&b=\"2'>l</a>",
                "<a href=\"https://contoso.example/?a=1&amp;b=&quot;2\">l</a>",
            ),
            ("<a title=x HREF=HTTPS://contoso.example>l", "<a href=\"HTTPS://contoso.example\">l</a>"),
            ("<a href=\"javascript:alert(1)\">l</a>", "<a>l</a>"),
            ("<a href=\"java&#115;cript:x\" href2>l</a>", "<a>l</a>"),
            ("<script>alert('</p>')</script><style>p{}</style>t", "t"),
            ("<!-- <p> --><!DOCTYPE x><?xml?>t", "t"),
            ("a < b && c &lt; d &copy e &nbsp;> f", "a &lt; b &amp;&amp; c &lt; d &amp;copy e &nbsp;&gt; f"),
            ("x<p title='never ends", "x&lt;p title='never ends"),
            ("<scr<script>ipt>x</script>", "ipt&gt;x"),
        ] {
            assert_eq!(from_html(html), expected, "{html}");
        }
    }

    #[test]
    fn hostile_html_costs_one_pass() {
        for html in hostile() {
            let written = from_html(&html);
            assert_eq!(written.matches("<p>").count(), written.matches("</p>").count());
            assert!(written.len() <= html.len() * 5 + 10);
        }
    }
}
