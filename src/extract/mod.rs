//! The text of files: of plain text, of HTML, and of documents.
//!
//! Text and HTML are read here. Documents (PDF, Office) are read behind a port, by a module apart that a hostile file
//! may crash or fill without harm to anybody (the crate `m365-reader`). What comes out is as the file has it: whoever
//! shows it strips it of what nobody can see.

pub mod html;
mod look;

use crate::ports::Documents;

/// The text of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    /// At most [`LONGEST`] characters of a document.
    pub text: String,
    /// Whether the file holds more.
    pub truncated: bool,
}

/// Characters that are read of a document: a thick book.
pub const LONGEST: u32 = 1_000_000;

/// Of code page 1252 what is from 128 to 159.
const WINDOWS: &str = "€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8d}Ž\u{8f}\u{90}‘’“”•–—˜™š›œ\u{9d}žŸ";

/// Why a file has no text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// A picture, a program, an archive.
    #[error("It is no text and no document that can be read.")]
    NotText,
    /// The formats of Office before 2007.
    #[error("It is a document in a format of before 2007, which cannot be read. A copy as .docx, .xlsx or .pptx can.")]
    Outdated,
    /// It opens with a password only.
    #[error("It is encrypted: without its password nothing of it can be read.")]
    Encrypted,
    /// It is not what it says, breaks off, or was made to break its reader.
    #[error("It cannot be read: it is damaged, too complex, or not the kind of file that its name says.")]
    Damaged,
    /// It unpacks to more than a reader has room for.
    #[error("It is too large to be read, once unpacked.")]
    TooLarge,
    /// A scan, or drawings.
    #[error("It holds no text: its pages are pictures, perhaps scanned.")]
    Pictures,
}

/// What the reader of documents answers, by the numbers of `m365_reader::Unreadable`: 0 is all of the text, 128 its
/// beginning. What it should not have said is no text either.
pub fn outcome(status: u32, text: Vec<u8>) -> Result<Text, Unreadable> {
    match status {
        0 | 128 => {
            let text = String::from_utf8(text).map_err(|_| Unreadable::Damaged)?;
            Ok(Text { text, truncated: status == 128 })
        }
        1 => Err(Unreadable::NotText),
        2 => Err(Unreadable::Outdated),
        3 => Err(Unreadable::Encrypted),
        5 => Err(Unreadable::TooLarge),
        6 => Err(Unreadable::Pictures),
        _ => Err(Unreadable::Damaged),
    }
}

/// How a file is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As it stands.
    Plain,
    /// Out of its markup.
    Html,
    /// By the reader of documents.
    Document,
}

const PLAIN: [&str; 16] =
    ["txt", "text", "csv", "tsv", "log", "md", "json", "xml", "yaml", "yml", "ics", "vcf", "vtt", "srt", "ini", "eml"];
const HTML: [&str; 2] = ["html", "htm"];
const DOCUMENTS: [&str; 14] =
    ["pdf", "docx", "docm", "dotx", "xlsx", "xlsm", "xltx", "pptx", "pptm", "ppsx", "odt", "ods", "odp", "rtf"];
const OUTDATED: [&str; 4] = ["doc", "xls", "ppt", "pps"];

/// How a file of this name and type is read, or why it is not: to be asked before it is fetched. Mail programs often
/// know no better type than `application/octet-stream`; then the name decides.
pub fn form(name: &str, media_type: Option<&str>) -> Result<Form, Unreadable> {
    let kind = media_type.unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).unwrap_or_default();
    let ends = |endings: &[&str]| endings.contains(&ending.as_str());
    if ends(&DOCUMENTS) || is_document(&kind) {
        return Ok(Form::Document);
    }
    if ends(&OUTDATED) || matches!(kind.as_str(), "application/msword" | "application/vnd.ms-powerpoint") {
        return Err(Unreadable::Outdated);
    }
    match kind.as_str() {
        "text/html" | "application/xhtml+xml" => Ok(Form::Html),
        "application/json" | "application/xml" | "message/rfc822" => Ok(Form::Plain),
        "" | "application/octet-stream" | "text/plain" if ends(&HTML) => Ok(Form::Html),
        "" | "application/octet-stream" | "application/vnd.ms-excel" if ends(&PLAIN) => Ok(Form::Plain),
        _ if kind.starts_with("text/") => Ok(Form::Plain),
        _ => Err(Unreadable::NotText),
    }
}

/// Excel's old type is also what Windows gives to CSV files, so that one alone says nothing.
fn is_document(kind: &str) -> bool {
    matches!(kind, "application/pdf" | "application/rtf" | "text/rtf")
        || kind.starts_with("application/vnd.openxmlformats-officedocument.")
        || kind.starts_with("application/vnd.oasis.opendocument.")
}

/// The text of these bytes.
pub fn text(documents: &dyn Documents, bytes: &[u8], name: &str, media_type: Option<&str>) -> Result<Text, Unreadable> {
    let whole = |text: String| Text { text: html::tidy(&text).trim().to_owned(), truncated: false };
    match form(name, media_type)? {
        Form::Plain => Ok(whole(decoded(bytes)?)),
        Form::Html => Ok(whole(html::from_html(&decoded(bytes)?))),
        Form::Document => documents.text(bytes),
    }
}

/// By its byte order mark, else UTF-8 where it is that, else Windows' code page 1252, which Excel writes. What holds a zero
/// byte is no text, whatever its name says.
fn decoded(bytes: &[u8]) -> Result<String, Unreadable> {
    match bytes {
        [0xEF, 0xBB, 0xBF, rest @ ..] => Ok(String::from_utf8_lossy(rest).into_owned()),
        [0xFF, 0xFE, rest @ ..] => Ok(utf16(rest, u16::from_le_bytes)),
        [0xFE, 0xFF, rest @ ..] => Ok(utf16(rest, u16::from_be_bytes)),
        _ if bytes.contains(&0) => Err(Unreadable::NotText),
        _ => Ok(str::from_utf8(bytes).map_or_else(|_| bytes.iter().copied().map(western).collect(), str::to_owned)),
    }
}

/// Windows' code page 1252: Latin 1, with letters from 128 to 159.
fn western(byte: u8) -> char {
    let letter = byte.checked_sub(0x80).and_then(|at| WINDOWS.chars().nth(usize::from(at)));
    letter.unwrap_or(char::from(byte))
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let units = bytes.chunks_exact(2).filter_map(|pair| <[u8; 2]>::try_from(pair).ok()).map(unit);
    char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Unasked;

    impl Documents for Unasked {
        fn text(&self, _bytes: &[u8]) -> Result<Text, Unreadable> {
            Err(Unreadable::Damaged)
        }
    }

    #[test]
    fn what_is_read_is_known_by_its_type_and_then_by_its_name() {
        for (kind, name, expected) in [
            ("text/plain", "a.txt", Ok(Form::Plain)),
            ("text/plain", "page.htm", Ok(Form::Html)),
            ("TEXT/HTML; charset=utf-8", "a", Ok(Form::Html)),
            ("application/octet-stream", "a.CSV", Ok(Form::Plain)),
            ("application/vnd.ms-excel", "a.csv", Ok(Form::Plain)),
            ("application/vnd.ms-excel", "a.xls", Err(Unreadable::Outdated)),
            ("application/msword", "a", Err(Unreadable::Outdated)),
            ("application/octet-stream", "a.exe", Err(Unreadable::NotText)),
            ("text/plain", "a.pdf", Ok(Form::Document)),
            ("application/pdf", "a.txt", Ok(Form::Document)),
            ("", "Plan.DOCX", Ok(Form::Document)),
            ("image/png", "a.txt", Err(Unreadable::NotText)),
        ] {
            assert_eq!(form(name, Some(kind)), expected, "{kind} {name}");
        }
        assert_eq!(form("a.md", None), Ok(Form::Plain));
    }

    #[test]
    fn bytes_become_text_whatever_wrote_them() {
        for bytes in [
            &b"caf\xC3\xA9"[..],
            b"\xEF\xBB\xBFcaf\xC3\xA9",
            b"caf\xE9",
            b"\xFF\xFEc\0a\0f\0\xE9\0",
            b"\xFE\xFF\0c\0a\0f\0\xE9",
        ] {
            let expected = Text { text: "café".into(), truncated: false };
            assert_eq!(text(&Unasked, bytes, "a.txt", None), Ok(expected));
        }
        let price = text(&Unasked, b"5 \x80 \x96 f\xFCr", "a.csv", None);
        assert_eq!(price, Ok(Text { text: "5 € – für".into(), truncated: false }));
        assert_eq!(text(&Unasked, b"MZ\0\0", "a.txt", None), Err(Unreadable::NotText));
    }
}
