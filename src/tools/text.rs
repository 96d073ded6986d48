//! Bodies for a model: the text of a body, without the history that replies quote, and no longer than asked for.

use super::answer::{clean, is_invisible};
use crate::extract::Text;
use crate::extract::html::{all_of_html, from_html, tidy};

/// A body cut to size.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Cut {
    pub text: String,
    /// Whether there was more.
    pub truncated: bool,
    /// Whether an earlier message stood below and was left out.
    pub above_history: bool,
}

/// A body of Graph's (`contentType`, `content`) as text of at most `most` characters: what somebody who looks at it sees.
/// The quoted history is left out unless `quoted` asks for it.
pub(super) fn body(content_type: &str, content: &str, most: usize, quoted: bool) -> Cut {
    let is_html = content_type.eq_ignore_ascii_case("html");
    if is_html { cut(&from_html(content), most, quoted) } else { cut(content, most, quoted) }
}

/// The same with what its style hides: for who has to agree to all of it.
pub(super) fn with_hidden(content_type: &str, content: &str, most: usize) -> Cut {
    let is_html = content_type.eq_ignore_ascii_case("html");
    if is_html { cut(&all_of_html(content), most, true) } else { cut(content, most, true) }
}

fn cut(whole: &str, most: usize, quoted: bool) -> Cut {
    let whole = tidy(&shorter_links(whole, LONG_LINK));
    let own = if quoted { whole.as_str() } else { without_history(&whole) };
    let above_history = own.len() < whole.len();
    let own = squeezed(own);
    let text = clean(&own, most);
    Cut { truncated: own.trim().chars().count() > most, above_history, text }
}

/// Characters of a link's address up to which it is worth its tokens: sign-up links are shorter, links that count their
/// readers are longer.
const LONG_LINK: usize = 250;
/// Characters of a preview.
const PREVIEW: usize = 160;

/// The first words of a mail in one line, without the addresses of links.
pub(super) fn preview(text: &str) -> String {
    let words = shorter_links(text, 0);
    clean(&clean(&words, words.len()).split_whitespace().collect::<Vec<_>>().join(" "), PREVIEW)
}

/// Exchange writes links as `text<https://…>`. Of addresses longer than `most` the host stays; of all, if that is 0,
/// nothing.
fn shorter_links(text: &str, most: usize) -> String {
    let mut shorter = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("<http") {
        let (before, link) = rest.split_at(at);
        shorter.push_str(before);
        let end = link.find(['>', '\n']).unwrap_or(link.len());
        let (address, after) = link.split_at(end);
        rest = after.strip_prefix('>').unwrap_or(after);
        let host = address.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
        match address.len() {
            _ if most == 0 => {}
            length if length <= most => shorter.extend([address, ">"]),
            _ => shorter.extend([host.as_str(), "/…>"]),
        }
    }
    shorter.push_str(rest);
    shorter
}

/// Newsletters push their first words out of sight with rows of odd spaces between invisible characters: of each row one
/// space stays.
fn squeezed(text: &str) -> String {
    let mut squeezed = String::with_capacity(text.len());
    let mut hidden = false;
    for character in text.chars() {
        if is_invisible(character) {
            hidden = true;
            continue;
        }
        let odd = character.is_whitespace() && (hidden || !character.is_ascii()) && character != '\n';
        hidden &= odd;
        if !odd {
            squeezed.push(character);
        } else if !squeezed.ends_with([' ', '\n']) {
            squeezed.push(' ');
        }
    }
    squeezed
}

/// A part of a file's text.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Window {
    pub text: String,
    /// Whether the file holds more behind it.
    pub truncated: bool,
    /// The offset that reads on, where there is more that can be read.
    pub next: Option<usize>,
}

/// At most `most` characters of a file from the one at `offset`, clean of what nobody can see.
pub(super) fn window(file: &Text, offset: usize, most: usize) -> Window {
    let part: String = file.text.chars().skip(offset).take(most).collect();
    let end = offset.saturating_add(most);
    let more = file.text.chars().nth(end).is_some();
    Window { text: clean(&part, most), truncated: more || file.truncated, next: more.then_some(end) }
}

/// The text above the first mark of an earlier message. Where nothing stands above it the whole is kept: a message that
/// is only a forward says something all the same.
fn without_history(text: &str) -> &str {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let below = text.get(at + line.len()..).unwrap_or_default();
        if is_mark(line.trim(), below) {
            let above = text.get(..at).unwrap_or_default();
            return if above.trim().is_empty() { text } else { above };
        }
        at += line.len();
    }
    text
}

/// How the line ends below which programs quote.
const WROTE: [&str; 12] = [
    "wrote:",
    "schrieb:",
    "a écrit :",
    "a écrit :",
    "escribió:",
    "ha scritto:",
    "escreveu:",
    "schreef:",
    "skrev:",
    "napisał(a):",
    "写道：",
    "写道:",
];
/// Outlook's names of the sender's line, and of the line of the time.
const FROM: [&str; 14] = [
    "from:",
    "von:",
    "de :",
    "de :",
    "de:",
    "da:",
    "van:",
    "od:",
    "från:",
    "fra:",
    "差出人:",
    "发件人:",
    "寄件者:",
    "보낸 사람:",
];
const SENT: [&str; 16] = [
    "sent:",
    "gesendet:",
    "envoyé",
    "enviado",
    "enviada",
    "inviato:",
    "verzonden:",
    "wysłane:",
    "wysłano:",
    "skickat:",
    "sendt:",
    "送信日時:",
    "发送时间:",
    "보낸 날짜:",
    "date:",
    "datum:",
];

/// Whether an earlier message begins at this line, by what Outlook, Gmail and Apple Mail write in the commonest languages.
fn is_mark(line: &str, below: &str) -> bool {
    let lower = line.to_lowercase();
    let dashed = lower.starts_with("-----") && lower.ends_with("-----") && lower.len() > 12;
    let ruled = line.len() >= 20 && line.bytes().all(|byte| byte == b'_');
    let wrote = WROTE.iter().any(|end| lower.ends_with(end));
    let from = |line: &str| FROM.iter().any(|start| line.starts_with(start));
    let next = || below.lines().take(3).map(|line| line.trim_start().to_lowercase());
    let sent = || next().any(|line| SENT.iter().any(|start| line.starts_with(start)));
    dashed || wrote || (from(&lower) && sent()) || (ruled && (sent() || next().any(|line| from(&line))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_becomes_lines_without_what_nobody_reads() {
        let html = "<html><head><style>p{color:red}</style><title>x</title></head><body><!-- <p>no</p> --><p>Dear&nbsp;Ann,</p>\
                    <script>alert('</p>')</script><ul><li>one</li><li>2 &lt; 3 &amp;&#39;&#x41;</li></ul>\
                    <table><tr><td>a</td><td title=\"x>y\">b</td></tr></table></body></html>";
        assert_eq!(body("html", html, 1000, false).text, "Dear Ann,\n\n- one\n\n- 2 < 3 &'A\n\na b");
    }

    #[test]
    fn what_is_hidden_by_an_entity_is_stripped_all_the_same() {
        assert_eq!(body("html", "pay&#x202E;txt&#x200B;&#7;", 100, false).text, "paytxt");
    }

    #[test]
    fn the_quoted_history_is_left_out_and_that_is_said() {
        for history in [
            "-----Original Message-----\nFrom: x",
            "________________________________\nFrom: Bo\nSent: Monday",
            "From: Bo <bo@contoso.example>\nSent: Monday\nTo: Ann",
            "Von: Bo\nGesendet: Montag",
            "On Mon, 2 Mar 2026 at 09:00, Bo <bo@contoso.example> wrote:\n> hi",
            "Am 02.03.2026 um 09:00 schrieb:\n> hallo",
            "Od: Jan <jan@adatum.example>\nWysłane: poniedziałek\nDo: Ann",
            "差出人: 田中\n送信日時: 2026年3月2日\n宛先: Ann",
            "________________________________\n\nVan: Bo\nVerzonden: maandag",
        ] {
            let cut = body("text", &format!("I agree.\n\n{history}"), 100, false);
            assert_eq!((cut.text.as_str(), cut.above_history), ("I agree.", true), "{history}");
            assert!(
                body("text", &format!("I agree.\n\n{history}"), 500, true)
                    .text
                    .contains(history.lines().next().unwrap_or_default())
            );
        }
        let forward = "-----Original Message-----\nFrom: x";
        assert_eq!(body("text", forward, 100, false).text, forward);
        assert!(!body("text", "From: here we go on\nand on", 100, false).above_history);
    }

    #[test]
    fn the_parts_of_a_file_make_up_the_whole() {
        let file = Text { text: "aé\u{202E}\u{7}zé".into(), truncated: false };
        let first = window(&file, 0, 2);
        assert_eq!((first.text.as_str(), first.truncated, first.next), ("aé", true, Some(2)));
        let second = window(&file, 2, 4);
        assert_eq!((second.text.as_str(), second.truncated, second.next), ("zé", false, None));
        assert_eq!(window(&file, usize::MAX, usize::MAX), Window::default());
        let long = Text { truncated: true, ..file };
        assert!(window(&long, 0, 9).truncated);
    }

    #[test]
    fn a_link_that_counts_its_readers_is_cut_to_its_host() {
        let long = format!("Read<https://click.contoso.example/ls?upn={}> on", "x".repeat(300));
        assert_eq!(body("text", &long, 1000, false).text, "Read<https://click.contoso.example/…> on");
        let short = "Confirm<https://contoso.example/confirm?t=1> now";
        assert_eq!(body("text", short, 1000, false).text, short);
        let padded = format!("Sale{}<p>On</p>", "\u{34f}\u{200c}\u{a0}\u{2007}\u{ad}".repeat(50));
        assert_eq!(body("html", &padded, 100, false).text, "Sale \nOn");
        assert_eq!(preview("View<https://a.example/1>  this\u{34f}\u{200c}\u{a0}\u{34f} or<http"), "View this or");
    }

    #[test]
    fn a_cut_is_always_said() {
        assert_eq!(
            body("text", "abcdef", 3, false),
            Cut { text: "abc…".into(), truncated: true, above_history: false }
        );
        assert!(!body("text", "abc\n\n", 3, false).truncated);
    }
}
