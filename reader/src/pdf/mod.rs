//! PDF: the text of each page in the order in which the page draws it.
//!
//! `hayro-syntax` reads the file; here is what its pages say. Text is drawn at places: one that is drawn lower begins a
//! line, one that is drawn well to the right of the last begins a word. Columns come out as they were drawn, tables as
//! lines. Nothing invisible is told from the rest, and no picture is read.

mod encoding;
mod font;
mod page;

pub(crate) use encoding::western;
use hayro_syntax::object::dict::keys::CONTENTS;
use hayro_syntax::object::{Array, Stream};
use hayro_syntax::page::Page;
use hayro_syntax::{DecryptionError, LoadPdfError, Pdf};

use crate::Unreadable;
use crate::output::Output;

/// Pages that are looked at.
const MOST_PAGES: usize = 2_000;

pub(crate) fn read(bytes: &[u8], output: &mut Output) -> Result<(), Unreadable> {
    let pdf = Pdf::new(bytes.to_vec()).map_err(|error| match error {
        LoadPdfError::Decryption(DecryptionError::PasswordProtected | DecryptionError::UnsupportedAlgorithm) => {
            Unreadable::Encrypted
        }
        LoadPdfError::Decryption(DecryptionError::MissingIDEntry | DecryptionError::InvalidEncryption)
        | LoadPdfError::Invalid => Unreadable::Damaged,
    })?;
    let mut work = page::Work::default();
    let mut has_text = false;
    for (number, page) in pdf.pages().iter().take(MOST_PAGES).enumerate() {
        let mut content = Output::new(output.left());
        page::write(&content_of(page), page.resources(), &mut work, &mut content);
        has_text |= !content.is_blank();
        output.gap();
        output.push(&format!("# Page {}\n", number + 1));
        output.push(content.finish().text.trim_start());
        if output.is_full() || work.is_spent() {
            output.cut();
            break;
        }
    }
    if pdf.pages().len() > MOST_PAGES {
        output.cut();
    }
    if has_text || output.is_full() { Ok(()) } else { Err(Unreadable::Pictures) }
}

/// What a page draws, its parts in their order. Decoded here, because the page would keep it.
fn content_of(page: &Page<'_>) -> Vec<u8> {
    let data = |stream: Stream<'_>| stream.decoded_data().map(std::borrow::Cow::into_owned).unwrap_or_default();
    if let Some(one) = page.raw().get::<Stream<'_>>(CONTENTS) {
        return data(one);
    }
    let parts = page.raw().get::<Array<'_>>(CONTENTS);
    let parts = parts.iter().flat_map(hayro_syntax::object::Array::iter::<Stream<'_>>).map(data);
    let mut all = Vec::new();
    for part in parts {
        if all.len() + part.len() > page::LARGEST_CONTENT {
            break;
        }
        all.extend(part);
        all.push(b'\n');
    }
    all
}
