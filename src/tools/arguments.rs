//! Reading arguments: every fault becomes an error that names the argument and says what would be right.

use serde::de::DeserializeOwned;

use super::answer::is_direction;
use super::error::ToolError;
use crate::graph::request;
use crate::json;

/// Characters of a subject or name.
pub(super) const LINE: usize = 255;
/// Characters of a mail body; Graph takes 4 MB a request.
pub(super) const BODY: usize = 500_000;

/// The typed arguments, or an error that names the one at fault.
pub(super) fn parse<T: DeserializeOwned>(text: &str) -> Result<T, ToolError> {
    json::read(text.as_bytes()).map_err(|mismatch| wrong(&mismatch))
}

fn wrong(mismatch: &json::Mismatch) -> ToolError {
    let message = mismatch.to_string();
    let name = match mismatch.path() {
        "" => quoted(&message).unwrap_or("arguments"),
        path => path,
    };
    ToolError::Argument { name: name.to_owned(), problem: plain(&message) }
}

/// The parser's message without its position and without the names of Rust's types.
fn plain(message: &str) -> String {
    let message = message.rsplit_once(" at line ").map_or(message, |(head, _)| head);
    message.replace("expected u32", "expected a whole number, 0 or more").replace("field", "argument")
}

/// The name in backquotes, where the parser names a field.
fn quoted(message: &str) -> Option<&str> {
    let rest = message.strip_prefix("missing field `").or_else(|| message.strip_prefix("unknown field `"))?;
    rest.split('`').next()
}

/// A number within bounds, or the default.
pub(super) fn bounded(name: &str, value: Option<u32>, default: u32, most: u32) -> Result<u32, ToolError> {
    match value.unwrap_or(default) {
        value if (1..=most).contains(&value) => Ok(value),
        value => Err(ToolError::argument(name, format!("{value} is not between 1 and {most}"))),
    }
}

/// A single line: not blank, not too long, no control or direction characters.
pub(super) fn line(name: &str, text: &str, most: usize) -> Result<String, ToolError> {
    let text = text.trim();
    let wrong = |character: char| character.is_control() || is_direction(character);
    if text.chars().any(wrong) {
        return Err(ToolError::argument(name, "control or text-direction characters are not allowed"));
    }
    sized(name, text, most)
}

/// Text of several lines: not blank, not too long, no control characters but line ends and tabs, no override of the
/// text direction.
pub(super) fn prose(name: &str, text: &str, most: usize) -> Result<String, ToolError> {
    let wrong = |character: char| {
        (character.is_control() && !matches!(character, '\n' | '\r' | '\t'))
            || matches!(character, '\u{202D}' | '\u{202E}')
    };
    if text.chars().any(wrong) {
        return Err(ToolError::argument(name, "control or text-direction characters are not allowed"));
    }
    sized(name, text, most)
}

/// An optional [`line`].
pub(super) fn optional(name: &str, text: Option<&str>, most: usize) -> Result<Option<String>, ToolError> {
    text.map(|text| line(name, text, most)).transpose()
}

/// Something that becomes one segment of a path.
pub(super) fn identifier<'a>(name: &str, text: &'a str) -> Result<&'a str, ToolError> {
    if request::is_segment(text) && !text.chars().any(is_direction) {
        return Ok(text);
    }
    Err(ToolError::argument(name, "not usable as an id: take it as another tool or resource gave it"))
}

/// A list that is neither empty nor longer than one call takes.
pub(super) fn several<'a, T>(name: &str, list: &'a [T], most: usize) -> Result<&'a [T], ToolError> {
    match list.len() {
        0 => Err(ToolError::argument(name, "needs at least one")),
        length if length > most => Err(ToolError::argument(name, format!("{length} given, at most {most} are taken"))),
        _ => Ok(list),
    }
}

/// An idempotency key.
pub(super) fn key(text: Option<&str>) -> Result<Option<String>, ToolError> {
    optional("idempotencyKey", text, 200)
}

fn sized(name: &str, text: &str, most: usize) -> Result<String, ToolError> {
    if text.trim().is_empty() {
        return Err(ToolError::argument(name, "must not be empty"));
    }
    let length = text.chars().count();
    if length > most {
        return Err(ToolError::argument(name, format!("{length} characters, at most {most} are taken")));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only parsed")]
    struct Sample {
        subject: String,
        count: Option<u32>,
        cc: Option<Vec<String>>,
    }

    fn fault(text: &str) -> String {
        parse::<Sample>(text).unwrap_err().to_string()
    }

    #[test]
    fn a_fault_names_its_argument() {
        assert_eq!(fault("{}"), "subject: missing argument `subject`");
        assert_eq!(
            fault(r#"{"subject":"x","count":"ten"}"#),
            "count: invalid type: string \"ten\", expected a whole number, 0 or more"
        );
        assert_eq!(fault(r#"{"subject":"x","cc":["a",3]}"#), "cc[1]: invalid type: integer `3`, expected a string");
        assert!(fault(r#"{"subject":"x","colour":1}"#).starts_with("colour: unknown argument `colour`"));
        assert_eq!(fault("7"), "arguments: invalid type: integer `7`, expected struct Sample");
    }

    #[test]
    fn null_is_the_same_as_absent() {
        assert!(parse::<Sample>(r#"{"subject":"x","count":null}"#).is_ok());
    }

    #[test]
    fn a_line_is_one_visible_line() {
        for wrong in ["", "  ", "a\nb", "a\u{0}b", "a\u{202E}b", "abcdef"] {
            assert!(line("subject", wrong, 5).is_err(), "{wrong:?}");
        }
        assert_eq!(line("subject", " abcde ", 5).unwrap(), "abcde");
        assert!(prose("body", "a\nb", 5).is_ok());
        assert!(prose("body", "a\u{202E}b", 5).is_err());
    }
}
