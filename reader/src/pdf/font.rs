//! Fonts: what the bytes that a page shows mean, and how wide they are (PDF 32000-1, sections 9.6 to 9.10).

use std::collections::HashMap;

use hayro_cmap::{BfString, CMap};
use hayro_syntax::object::{Array, Dict, Name, Object, Stream};

use super::encoding::{self, Base};

/// Entries of a font's own lists.
const MOST_ENTRIES: usize = 70_000;
/// Width of what the font says nothing of, in parts of its size.
const USUAL: f32 = 0.5;

pub(super) struct Font {
    /// Two bytes a character, as in every composite font that programs write today.
    wide: bool,
    to_unicode: Option<CMap>,
    base: Base,
    differences: HashMap<u32, String>,
    widths: HashMap<u32, f32>,
    usual: f32,
}

pub(super) struct Glyph {
    pub text: String,
    pub width: f32,
    pub is_space: bool,
}

impl Font {
    pub fn read(font: &Dict<'_>) -> Self {
        let wide = font.get::<Name<'_>>(b"Subtype").is_some_and(|kind| kind.as_ref() == b"Type0");
        let map = font.get::<Stream<'_>>(b"ToUnicode").and_then(|map| map.decoded_data().ok());
        let to_unicode = map.and_then(|map| CMap::parse(&map, |_| None));
        let (base, differences) = encoding_of(font);
        let (widths, usual) = if wide { wide_widths(font) } else { widths(font) };
        Self { wide, to_unicode, base, differences, widths, usual }
    }

    pub fn glyphs<'a>(&'a self, bytes: &'a [u8]) -> impl Iterator<Item = Glyph> + 'a {
        bytes.chunks(if self.wide { 2 } else { 1 }).map(|code| {
            let code = code.iter().fold(0, |code, byte| code << 8 | u32::from(*byte));
            let width = self.widths.get(&code).copied().unwrap_or(self.usual);
            Glyph { text: self.text(code), width, is_space: !self.wide && code == 32 }
        })
    }

    fn text(&self, code: u32) -> String {
        match self.to_unicode.as_ref().and_then(|map| map.lookup_bf_string(code)) {
            Some(BfString::Char(character)) => {
                encoding::ligature(character).map_or_else(|| character.into(), str::to_owned)
            }
            Some(BfString::String(text)) => text,
            // The numbers of a font's own glyphs mean nothing to anybody else.
            None if self.wide => String::new(),
            None => match self.differences.get(&code) {
                Some(text) => text.clone(),
                None => u8::try_from(code).map(|byte| self.base.character(byte).to_string()).unwrap_or_default(),
            },
        }
    }
}

/// The encoding that a simple font starts from, and what it says differs.
fn encoding_of(font: &Dict<'_>) -> (Base, HashMap<u32, String>) {
    if let Some(name) = font.get::<Name<'_>>(b"Encoding") {
        return (Base::named(name.as_ref()), HashMap::new());
    }
    let Some(encoding) = font.get::<Dict<'_>>(b"Encoding") else { return (Base::Standard, HashMap::new()) };
    let base = encoding.get::<Name<'_>>(b"BaseEncoding").map_or(Base::Standard, |name| Base::named(name.as_ref()));
    let (mut code, mut differences) = (0, HashMap::new());
    let listed = encoding.get::<Array<'_>>(b"Differences");
    for entry in listed.iter().flat_map(hayro_syntax::object::Array::iter::<Object<'_>>).take(MOST_ENTRIES) {
        match entry {
            Object::Number(number) => code = u32::try_from(number.as_i64()).unwrap_or_default(),
            Object::Name(name) => {
                differences.insert(code, encoding::glyph(name.as_str()));
                code = code.saturating_add(1);
            }
            _ => {}
        }
    }
    (base, differences)
}

fn widths(font: &Dict<'_>) -> (HashMap<u32, f32>, f32) {
    let first = font.get::<i32>(b"FirstChar").and_then(|first| u32::try_from(first).ok()).unwrap_or_default();
    let listed = font.get::<Array<'_>>(b"Widths");
    // Type 3 fonts count in units of their own.
    let unit =
        font.get::<Array<'_>>(b"FontMatrix").and_then(|matrix| matrix.iter::<f32>().next()).map_or(0.001, f32::abs);
    let numbers = listed.iter().flat_map(hayro_syntax::object::Array::iter::<f32>).take(256);
    ((first..).zip(numbers.map(|width| width * unit)).collect(), USUAL)
}

/// Of the font that a composite one is made of: `c [w1 w2 …]` or `first last w`.
fn wide_widths(font: &Dict<'_>) -> (HashMap<u32, f32>, f32) {
    let mut widths = HashMap::new();
    let parts = font.get::<Array<'_>>(b"DescendantFonts");
    let Some(part) = parts.and_then(|parts| parts.iter::<Dict<'_>>().next()) else { return (widths, 1.0) };
    let usual = part.get::<f32>(b"DW").unwrap_or(1000.0) / 1000.0;
    let listed = part.get::<Array<'_>>(b"W");
    let mut pending = Vec::new();
    for entry in listed.iter().flat_map(hayro_syntax::object::Array::iter::<Object<'_>>).take(MOST_ENTRIES) {
        match (entry, pending.as_slice()) {
            (Object::Array(each), [first]) => {
                let each = each.iter::<f32>().take(MOST_ENTRIES).map(|width| width / 1000.0);
                widths.extend((code(*first)..).zip(each));
                pending.clear();
            }
            (Object::Number(width), [first, last]) => {
                let last = code(*last).min(code(*first).saturating_add(0xFFFF));
                widths.extend((code(*first)..=last).map(|code| (code, width.as_f32() / 1000.0)));
                pending.clear();
            }
            (Object::Number(number), _) => pending.push(number.as_i64()),
            _ => pending.clear(),
        }
        if widths.len() > MOST_ENTRIES {
            break;
        }
    }
    (widths, usual)
}

fn code(number: i64) -> u32 {
    u32::try_from(number).unwrap_or_default().min(0xFFFF)
}
