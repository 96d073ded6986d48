//! Which attachments hold text, and the text of their bytes.

use crate::tools::text::{self, Cut};

/// How the text is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tools) enum Reading {
    /// As it stands.
    Plain,
    /// Out of its markup.
    Html,
}

const PLAIN: [&str; 14] =
    ["txt", "text", "csv", "tsv", "log", "md", "json", "xml", "yaml", "yml", "ics", "vcf", "ini", "eml"];
const HTML: [&str; 2] = ["html", "htm"];
const DOCUMENTS: [&str; 12] = ["pdf", "docx", "doc", "xlsx", "xls", "pptx", "ppt", "odt", "ods", "odp", "rtf", "docm"];

/// How an attachment of this type and name is read, or why it is not. Mail programs often know no better type than
/// `application/octet-stream`; then the name decides.
pub(in crate::tools) fn reading(content_type: &str, name: &str) -> Result<Reading, &'static str> {
    let kind = content_type.trim().to_ascii_lowercase();
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).unwrap_or_default();
    let ends = |endings: &[&str]| endings.contains(&ending.as_str());
    if ends(&DOCUMENTS) || is_document(&kind) {
        return Err("The text of PDF and Office documents cannot be read yet.");
    }
    match kind.as_str() {
        "text/html" | "application/xhtml+xml" => Ok(Reading::Html),
        "application/json" | "application/xml" | "message/rfc822" => Ok(Reading::Plain),
        "" | "application/octet-stream" | "text/plain" if ends(&HTML) => Ok(Reading::Html),
        "" | "application/octet-stream" | "application/vnd.ms-excel" if ends(&PLAIN) => Ok(Reading::Plain),
        _ if kind.starts_with("text/") => Ok(Reading::Plain),
        _ => Err("It is not text: nothing of it can be read."),
    }
}

/// Excel's type is also what Windows gives to CSV files, so that one alone says nothing.
fn is_document(kind: &str) -> bool {
    matches!(
        kind,
        "application/pdf" | "application/msword" | "application/rtf" | "text/rtf" | "application/vnd.ms-powerpoint"
    ) || kind.starts_with("application/vnd.openxmlformats")
        || kind.starts_with("application/vnd.oasis.opendocument")
}

/// The text of these bytes, at most `most` characters of it.
pub(in crate::tools) fn text(reading: Reading, bytes: &[u8], most: usize) -> Cut {
    let kind = match reading {
        Reading::Plain => "text",
        Reading::Html => "html",
    };
    text::body(kind, &decoded(bytes), most, true)
}

/// By its byte order mark, else UTF-8 where it is that, else Latin 1, in which every byte is a character.
fn decoded(bytes: &[u8]) -> String {
    match bytes {
        [0xEF, 0xBB, 0xBF, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        [0xFF, 0xFE, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => utf16(rest, u16::from_be_bytes),
        _ => str::from_utf8(bytes).map_or_else(|_| bytes.iter().copied().map(char::from).collect(), str::to_owned),
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let units = bytes.chunks_exact(2).filter_map(|pair| <[u8; 2]>::try_from(pair).ok()).map(unit);
    char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_known_by_its_type_and_then_by_its_name() {
        for (kind, name, expected) in [
            ("text/plain", "a.txt", Some(Reading::Plain)),
            ("text/plain", "page.htm", Some(Reading::Html)),
            ("TEXT/HTML", "a", Some(Reading::Html)),
            ("application/octet-stream", "a.CSV", Some(Reading::Plain)),
            ("application/vnd.ms-excel", "a.csv", Some(Reading::Plain)),
            ("application/vnd.ms-excel", "a.xls", None),
            ("application/octet-stream", "a.exe", None),
            ("text/plain", "a.pdf", None),
            ("application/pdf", "a.txt", None),
            ("image/png", "a.txt", None),
        ] {
            assert_eq!(reading(kind, name).ok(), expected, "{kind} {name}");
        }
        assert!(reading("application/pdf", "x").is_err_and(|note| note.contains("PDF")));
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
            assert_eq!(text(Reading::Plain, bytes, 10).text, "café");
        }
        assert!(text(Reading::Plain, b"abcdef", 3).truncated);
    }
}
