//! What a person wrote, above the history that Graph quotes.

use crate::tools::send::ContentType;

/// What the caller wrote, as HTML.
pub(in crate::tools) fn html(kind: ContentType, body: &str) -> String {
    match kind {
        ContentType::Html => body.to_owned(),
        ContentType::Text => lines(body),
    }
}

/// The body of an answer: `own` first, then the history as Graph made it, be that HTML or text.
pub(super) fn history(own: &str, content_type: &str, content: &str) -> String {
    let own = format!("<div>{own}</div><br>");
    if !content_type.eq_ignore_ascii_case("html") {
        return format!("{own}{}", lines(content));
    }
    let (head, rest) = content.split_at(content_start(content));
    format!("{head}{own}{rest}")
}

/// Text as HTML that looks the same.
fn lines(text: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    escaped.replace("\r\n", "\n").replace('\n', "<br>")
}

/// Behind the tag that opens the body; the start where there is none. A `>` within quotes ends no tag.
fn content_start(html: &str) -> usize {
    let Some(at) = html.to_ascii_lowercase().find("<body") else { return 0 };
    let mut quote = None;
    for (offset, byte) in html.bytes().enumerate().skip(at) {
        match (quote, byte) {
            (None, b'>') => return offset + 1,
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            (None | Some(_), _) => {}
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_stands_above_the_history() {
        for (kind, content, expected) in [
            (
                "html",
                "<html><body a=\">\"><p>old</p></body></html>",
                "<html><body a=\">\"><div>x</div><br><p>old</p></body></html>",
            ),
            ("html", "<p>old</p>", "<div>x</div><br><p>old</p>"),
            ("html", "<body a=\"", "<div>x</div><br><body a=\""),
            ("text", "a < b\r\nc", "<div>x</div><br>a &lt; b<br>c"),
        ] {
            assert_eq!(history("x", kind, content), expected);
        }
    }

    #[test]
    fn text_becomes_html_that_means_nothing_else() {
        assert_eq!(html(ContentType::Text, "<b>&\n\"x\""), "&lt;b&gt;&amp;<br>&quot;x&quot;");
        assert_eq!(html(ContentType::Html, "<b>"), "<b>");
    }
}
