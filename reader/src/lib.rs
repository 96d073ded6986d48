//! The text of documents: Word, Excel, `PowerPoint`, `OpenDocument`, RTF and PDF.
//!
//! Built twice: as a library for tests and fuzzing, and as the Wasm module `reader.wasm`, of which the Worker makes one
//! instance a document and throws it away. So a panic, a full memory or an overflowing stack ends this document and
//! nothing else. What such an instance cannot be stopped in is a loop: everything here counts what it unpacks, visits
//! and writes, and gives up at a bound. Nothing is fetched, executed or calculated.
//!
//! What comes out is as the document has it; whoever shows it strips it of what nobody can see.

#[cfg(target_arch = "wasm32")]
mod abi;
mod dates;
mod flow;
mod opendocument;
mod output;
mod package;
mod pdf;
mod relations;
mod rtf;
mod sheets;
mod slides;
mod word;
mod xml;

use output::Output;
pub use output::Text;

/// Why a document has no text. The numbers are what the module's `read` returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Unreadable {
    /// None of the formats that are read.
    NotText = 1,
    /// Word, Excel or `PowerPoint` of before 2007.
    Outdated = 2,
    /// It opens with a password only.
    Encrypted = 3,
    /// It is not what it says, or breaks off.
    Damaged = 4,
    /// It unpacks to more than there is room for.
    TooLarge = 5,
    /// It holds pictures only.
    Pictures = 6,
}

/// The answer in numbers, as the module gives it: 0 and all of the text, [`CUT`] and its beginning, or the number of an
/// [`Unreadable`].
pub fn answer(bytes: &[u8], most: u32) -> (u32, String) {
    match read(bytes, usize::try_from(most).unwrap_or(usize::MAX)) {
        Ok(Text { text, truncated }) => (if truncated { CUT } else { 0 }, text),
        Err(unreadable) => (unreadable as u32, String::new()),
    }
}

/// There is more of the text than was asked for.
pub const CUT: u32 = 128;

/// The first bytes of Office's formats of before 2007, and of the wrapper that an encrypted document comes in.
const COMPOUND: [u8; 8] = [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1];
/// How far into a file a PDF may begin.
const PDF_START: usize = 1024;

/// At most `most` characters of a document's text. The format is known by the bytes, never by a name.
pub fn read(bytes: &[u8], most: usize) -> Result<Text, Unreadable> {
    let mut output = Output::new(most);
    if bytes.starts_with(b"PK") {
        office(bytes, &mut output)?;
    } else if bytes.starts_with(b"{\\rtf") {
        rtf::read(bytes, &mut output);
    } else if bytes.starts_with(&COMPOUND) {
        return Err(compound(bytes));
    } else if bytes.get(..bytes.len().min(PDF_START)).is_some_and(|head| contains(head, b"%PDF-")) {
        pdf::read(bytes, &mut output)?;
    } else {
        return Err(Unreadable::NotText);
    }
    Ok(output.finish())
}

fn office(bytes: &[u8], output: &mut Output) -> Result<(), Unreadable> {
    let mut package = package::Package::open(bytes)?;
    if package.has(word::MAIN) {
        word::read(&mut package, output)
    } else if package.has(sheets::MAIN) {
        sheets::read(&mut package, output)
    } else if package.has(slides::MAIN) {
        slides::read(&mut package, output)
    } else if package.has(opendocument::MAIN) {
        opendocument::read(&mut package, output)
    } else {
        Err(Unreadable::NotText)
    }
}

/// An encrypted document is a stream of that name in a compound file; its directory writes names in UTF-16.
fn compound(bytes: &[u8]) -> Unreadable {
    let name: Vec<u8> = "EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes).collect();
    if contains(bytes, &name) { Unreadable::Encrypted } else { Unreadable::Outdated }
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
