//! Encodings of simple fonts and the names of glyphs, as far as European text needs them (PDF 32000-1, annex D).

/// Windows' code page 1252 from 128 to 159; Latin 1 above.
const WINDOWS: &str = "€•‚ƒ„…†‡ˆ‰Š‹Œ•Ž••‘’“”•–—˜™š›œ•žŸ";
/// Mac OS Roman from 128.
const MAC: &str = "ÄÅÇÉÑÖÜáàâäãåçéèêëíìîïñóòôöõúùûü†°¢£§•¶ß®©™´¨≠ÆØ∞±≤≥¥µ∂∑∏π∫ªºΩæø¿¡¬√ƒ≈∆«»… ÀÃÕŒœ–—“”‘’÷◊ÿŸ⁄€‹›ﬁﬂ‡·‚„‰ÂÊÁËÈÍÎÏÌÓÔÒÚÛÙıˆ˜¯˘˙˚¸˝˛ˇ";
/// Adobe's standard encoding from 160.
const STANDARD: &str =
    " ¡¢£⁄¥ƒ§¤'“«‹›ﬁﬂ –†‡· ¶•‚„”»…‰ ¿ `´ˆ˜¯˘˙¨ ˚¸ ˝˛ˇ—                Æ ª    ŁØŒº     æ   ı  łøœß    ";

/// Names of glyphs that are not their own letter.
const NAMES: [(&str, &str); 142] = [
    ("AE", "Æ"),
    ("Dcroat", "Đ"),
    ("Delta", "Δ"),
    ("Eth", "Ð"),
    ("Euro", "€"),
    ("Lslash", "Ł"),
    ("OE", "Œ"),
    ("Omega", "Ω"),
    ("Oslash", "Ø"),
    ("Thorn", "Þ"),
    ("acute", "´"),
    ("ae", "æ"),
    ("alpha", "α"),
    ("ampersand", "&"),
    ("approxequal", "≈"),
    ("arrowleft", "←"),
    ("arrowright", "→"),
    ("asciicircum", "^"),
    ("asciitilde", "~"),
    ("asterisk", "*"),
    ("at", "@"),
    ("backslash", "\\"),
    ("bar", "|"),
    ("beta", "β"),
    ("braceleft", "{"),
    ("braceright", "}"),
    ("bracketleft", "["),
    ("bracketright", "]"),
    ("brokenbar", "¦"),
    ("bullet", "•"),
    ("cedilla", "¸"),
    ("cent", "¢"),
    ("checkmark", "✓"),
    ("colon", ":"),
    ("comma", ","),
    ("copyright", "©"),
    ("currency", "¤"),
    ("dagger", "†"),
    ("daggerdbl", "‡"),
    ("dcroat", "đ"),
    ("degree", "°"),
    ("delta", "δ"),
    ("dieresis", "¨"),
    ("divide", "÷"),
    ("dollar", "$"),
    ("dotlessi", "ı"),
    ("eight", "8"),
    ("ellipsis", "…"),
    ("emdash", "—"),
    ("endash", "–"),
    ("epsilon", "ε"),
    ("equal", "="),
    ("eth", "ð"),
    ("exclam", "!"),
    ("exclamdown", "¡"),
    ("ff", "ff"),
    ("ffi", "ffi"),
    ("ffl", "ffl"),
    ("fi", "fi"),
    ("five", "5"),
    ("fl", "fl"),
    ("florin", "ƒ"),
    ("four", "4"),
    ("fraction", "⁄"),
    ("gamma", "γ"),
    ("germandbls", "ß"),
    ("grave", "`"),
    ("greater", ">"),
    ("greaterequal", "≥"),
    ("guillemotleft", "«"),
    ("guillemotright", "»"),
    ("guilsinglleft", "‹"),
    ("guilsinglright", "›"),
    ("hyphen", "-"),
    ("infinity", "∞"),
    ("integral", "∫"),
    ("lambda", "λ"),
    ("less", "<"),
    ("lessequal", "≤"),
    ("logicalnot", "¬"),
    ("lozenge", "◊"),
    ("lslash", "ł"),
    ("macron", "¯"),
    ("minus", "−"),
    ("mu", "µ"),
    ("multiply", "×"),
    ("nbspace", " "),
    ("nine", "9"),
    ("notequal", "≠"),
    ("numbersign", "#"),
    ("oe", "œ"),
    ("omega", "ω"),
    ("one", "1"),
    ("onehalf", "½"),
    ("onequarter", "¼"),
    ("ordfeminine", "ª"),
    ("ordmasculine", "º"),
    ("oslash", "ø"),
    ("paragraph", "¶"),
    ("parenleft", "("),
    ("parenright", ")"),
    ("partialdiff", "∂"),
    ("percent", "%"),
    ("period", "."),
    ("periodcentered", "·"),
    ("perthousand", "‰"),
    ("phi", "φ"),
    ("pi", "π"),
    ("plus", "+"),
    ("plusminus", "±"),
    ("product", "∏"),
    ("question", "?"),
    ("questiondown", "¿"),
    ("quotedbl", "\""),
    ("quotedblbase", "„"),
    ("quotedblleft", "“"),
    ("quotedblright", "”"),
    ("quoteleft", "‘"),
    ("quoteright", "’"),
    ("quotesinglbase", "‚"),
    ("quotesingle", "'"),
    ("radical", "√"),
    ("registered", "®"),
    ("section", "§"),
    ("semicolon", ";"),
    ("seven", "7"),
    ("sfthyphen", "-"),
    ("sigma", "σ"),
    ("six", "6"),
    ("slash", "/"),
    ("space", " "),
    ("sterling", "£"),
    ("summation", "∑"),
    ("tau", "τ"),
    ("thorn", "þ"),
    ("three", "3"),
    ("threequarters", "¾"),
    ("trademark", "™"),
    ("two", "2"),
    ("underscore", "_"),
    ("yen", "¥"),
    ("zero", "0"),
];

/// By the name of an accent, which ends the name of a glyph: each letter with the letter that it makes.
const ACCENTED: [(&str, &str); 14] = [
    ("acute", "aácćeéiílĺnńoórŕsśuúyýzźAÁCĆEÉIÍLĹNŃOÓRŔSŚUÚYÝZŹ"),
    ("breve", "aăeĕgğiĭoŏuŭAĂEĔGĞIĬOŎUŬ"),
    ("caron", "cčdďeělľnňrřsštťzžCČDĎEĚLĽNŇRŘSŠTŤZŽ"),
    ("cedilla", "cçgģkķlļnņrŗsştţCÇGĢKĶLĻNŅRŖSŞTŢ"),
    ("circumflex", "aâcĉeêgĝhĥiîjĵoôsŝuûwŵyŷAÂCĈEÊGĜHĤIÎJĴOÔSŜUÛWŴYŶ"),
    ("commaaccent", "sștțSȘTȚ"),
    ("dieresis", "aäeëiïoöuüyÿAÄEËIÏOÖUÜYŸ"),
    ("dotaccent", "cċeėgġzżCĊEĖGĠIİZŻ"),
    ("grave", "aàeèiìoòuùAÀEÈIÌOÒUÙ"),
    ("hungarumlaut", "oőuűOŐUŰ"),
    ("macron", "aāeēiīoōuūAĀEĒIĪOŌUŪ"),
    ("ogonek", "aąeęiįuųAĄEĘIĮUŲ"),
    ("ring", "aåuůAÅUŮ"),
    ("tilde", "aãiĩnñoõuũAÃIĨNÑOÕUŨ"),
];

/// The encoding that a font starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Base {
    Standard,
    Windows,
    Mac,
}

impl Base {
    pub fn named(name: &[u8]) -> Self {
        match name {
            b"WinAnsiEncoding" => Self::Windows,
            b"MacRomanEncoding" => Self::Mac,
            _ => Self::Standard,
        }
    }

    pub fn character(self, byte: u8) -> char {
        let high = |table: &str, from: u8| table.chars().nth(usize::from(byte - from)).unwrap_or(' ');
        match (self, byte) {
            (_, 0..32) => ' ',
            (Self::Standard, b'\'') => '’',
            (Self::Standard, b'`') => '‘',
            (_, 32..128) => char::from(byte),
            (Self::Mac, _) => high(MAC, 128),
            (Self::Standard, 160..) => high(STANDARD, 160),
            (Self::Standard | Self::Windows, _) => western(byte),
        }
    }
}

/// A byte of Windows' Western code page.
pub(crate) fn western(byte: u8) -> char {
    match byte {
        128..160 => WINDOWS.chars().nth(usize::from(byte - 128)).unwrap_or(' '),
        _ => char::from(byte),
    }
}

/// The letters of a Latin ligature.
pub(super) const fn ligature(character: char) -> Option<&'static str> {
    match character {
        '\u{FB00}' => Some("ff"),
        '\u{FB01}' => Some("fi"),
        '\u{FB02}' => Some("fl"),
        '\u{FB03}' => Some("ffi"),
        '\u{FB04}' => Some("ffl"),
        '\u{FB05}' | '\u{FB06}' => Some("st"),
        _ => None,
    }
}

/// What a glyph of this name is: a letter of its own name, one with an accent, or one that its name numbers.
pub(super) fn glyph(name: &str) -> String {
    // What follows a full stop names a variant of the same letter.
    let name = name.split('.').next().unwrap_or_default();
    if let Some((_, text)) = NAMES.iter().find(|(known, _)| *known == name) {
        return (*text).to_owned();
    }
    let mut letters = name.chars();
    let (first, rest) = (letters.next(), letters.as_str());
    if rest.is_empty() {
        return name.to_owned();
    }
    let accented = ACCENTED.iter().find(|(accent, _)| *accent == rest).and_then(|(_, pairs)| {
        let mut letters = pairs.chars();
        std::iter::from_fn(|| Some((letters.next()?, letters.next()?))).find(|(plain, _)| Some(*plain) == first)
    });
    let numbered =
        name.strip_prefix("uni").or(name.strip_prefix('u')).and_then(|hex| u32::from_str_radix(hex, 16).ok());
    match (accented, numbered.and_then(char::from_u32)) {
        (Some((_, letter)), _) => letter.to_string(),
        (None, Some(character)) => character.to_string(),
        (None, None) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glyph_is_known_by_its_name() {
        for (name, expected) in [
            ("A", "A"),
            ("eacute", "é"),
            ("Scaron", "Š"),
            ("germandbls", "ß"),
            ("ffi", "ffi"),
            ("a.sc", "a"),
            ("uni20AC", "€"),
            ("u1F600", "😀"),
            ("g42", ""),
            ("", ""),
            ("uniD800", ""),
        ] {
            assert_eq!(glyph(name), expected, "{name}");
        }
    }

    #[test]
    fn a_byte_is_the_character_of_its_encoding() {
        for (base, byte, expected) in [
            (Base::Windows, 0x80, '€'),
            (Base::Windows, 0xE9, 'é'),
            (Base::Mac, 0x8E, 'é'),
            (Base::Standard, 0xFB, 'ß'),
            (Base::Standard, b'\'', '’'),
            (Base::Windows, b'\'', '\''),
        ] {
            assert_eq!(base.character(byte), expected, "{base:?} {byte}");
        }
        assert_eq!((MAC.chars().count(), WINDOWS.chars().count(), STANDARD.chars().count()), (128, 32, 96));
    }
}
