//! The text of a file's bytes, and the part of it that is asked for.

use crate::tools::answer::clean;
use crate::tools::mail_read::decoding;

/// Whether there is text to be had of a file of this name and type; if not, why.
pub(super) fn readable(name: &str, media_type: &str) -> Result<(), &'static str> {
    decoding::reading(media_type, name).map(|_| ())
}

/// The text of a file.
pub(super) fn text(bytes: &[u8], name: &str, media_type: &str) -> Result<String, &'static str> {
    let reading = decoding::reading(media_type, name)?;
    Ok(decoding::text(reading, bytes, usize::MAX).text)
}

/// Some characters of a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub text: String,
    /// Where the next part begins, if there is one.
    pub next: Option<usize>,
}

/// The part of `text` of at most `most` characters from `offset` on.
pub(super) fn part(text: &str, offset: usize, most: usize) -> Part {
    let text = clean(text, usize::MAX);
    let mut rest = text.chars().skip(offset);
    let part: String = rest.by_ref().take(most).collect();
    let next = rest.next().map(|_| offset.saturating_add(most));
    Part { text: part, next }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_text_make_the_whole_of_it() {
        let whole = "äbc\u{202E}déf\ngh";
        let (mut offset, mut read) = (0, String::new());
        loop {
            let part = part(whole, offset, 3);
            read.push_str(&part.text);
            let Some(next) = part.next else { break };
            offset = next;
        }
        assert_eq!(read, "äbcdéf\ngh");
        assert_eq!(part(whole, 0, 9), Part { text: read, next: None });
        assert_eq!(part(whole, 50, 9), Part { text: String::new(), next: None });
    }
}
