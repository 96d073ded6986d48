//! Letters between tags and in attributes: entities and white space.

use crate::extract::western;

/// Entities of everyday mail besides those of `LATIN`, and those by which a style can be written; others stay as they are.
const ENTITIES: [(&str, &str); 61] = [
    ("colon", ":"),
    ("semi", ";"),
    ("num", "#"),
    ("lpar", "("),
    ("rpar", ")"),
    ("comma", ","),
    ("period", "."),
    ("percnt", "%"),
    ("Tab", " "),
    ("NewLine", " "),
    ("amp", "&"),
    ("lt", "<"),
    ("gt", ">"),
    ("quot", "\""),
    ("apos", "'"),
    ("nbsp", " "),
    ("ensp", " "),
    ("emsp", " "),
    ("thinsp", " "),
    ("zwnj", ""),
    ("zwj", ""),
    ("lrm", ""),
    ("rlm", ""),
    ("shy", ""),
    ("ndash", "–"),
    ("mdash", "—"),
    ("hellip", "…"),
    ("lsquo", "‘"),
    ("rsquo", "’"),
    ("sbquo", "‚"),
    ("ldquo", "“"),
    ("rdquo", "”"),
    ("bdquo", "„"),
    ("lsaquo", "‹"),
    ("rsaquo", "›"),
    ("bull", "•"),
    ("euro", "€"),
    ("trade", "™"),
    ("dagger", "†"),
    ("permil", "‰"),
    ("minus", "−"),
    ("ne", "≠"),
    ("le", "≤"),
    ("ge", "≥"),
    ("asymp", "≈"),
    ("infin", "∞"),
    ("larr", "←"),
    ("uarr", "↑"),
    ("rarr", "→"),
    ("darr", "↓"),
    ("harr", "↔"),
    ("check", "✓"),
    ("star", "☆"),
    ("starf", "★"),
    ("hearts", "♥"),
    ("OElig", "Œ"),
    ("oelig", "œ"),
    ("Scaron", "Š"),
    ("scaron", "š"),
    ("Yuml", "Ÿ"),
    ("fnof", "ƒ"),
];
/// The entities of U+00A1 to U+00FF, in their order.
const LATIN: &str = "iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn sup2 sup3 \
    acute micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc Atilde Auml Aring \
    AElig Ccedil Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times \
    Oslash Ugrave Uacute Ucirc Uuml Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ccedil egrave \
    eacute ecirc euml igrave iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave uacute \
    ucirc uuml yacute thorn yuml";
/// Longest entity that is looked for.
const LONGEST_ENTITY: usize = 12;

/// The value of an attribute, its entities decoded.
pub(super) fn unescaped(value: &str) -> String {
    let mut plain = String::new();
    push(&mut plain, value, true);
    plain
}

/// Adds text between tags: entities decoded, every run of white space one space unless it is kept.
pub(super) fn push(text: &mut String, raw: &str, kept: bool) {
    let mut rest = raw;
    while let Some(at) = rest.find('&') {
        let (before, entity) = rest.split_at(at);
        add(text, before, kept);
        rest = if let Some((decoded, left)) = decode(entity) {
            text.push_str(&decoded);
            left
        } else {
            text.push('&');
            entity.get(1..).unwrap_or_default()
        };
    }
    add(text, rest, kept);
}

fn add(text: &mut String, raw: &str, kept: bool) {
    if kept {
        text.push_str(raw);
        return;
    }
    for character in raw.chars() {
        if !character.is_whitespace() {
            text.push(character);
        } else if !text.ends_with([' ', '\n']) {
            text.push(' ');
        }
    }
}

/// The character that an entity at the front of `text` means, and what follows it. A number ends where its digits do.
fn decode(text: &str) -> Option<(String, &str)> {
    let inner = text.strip_prefix('&')?;
    if let Some(number) = inner.strip_prefix('#') {
        let hex = number.strip_prefix(['x', 'X']);
        let (digits, radix) = hex.map_or((number, 10), |digits| (digits, 16));
        let end = digits.bytes().take(LONGEST_ENTITY).take_while(|byte| char::from(*byte).is_digit(radix)).count();
        let (digits, rest) = digits.split_at(end);
        let number = u32::from_str_radix(digits, radix).ok()?;
        // Browsers show the letters that Windows has where there are none.
        let letter = u8::try_from(number).map(western).ok().or_else(|| char::from_u32(number))?;
        return Some((letter.to_string(), rest.strip_prefix(';').unwrap_or(rest)));
    }
    let length = inner.bytes().take(LONGEST_ENTITY).position(|byte| byte == b';')?;
    let (name, rest) = (inner.get(..length)?, inner.get(length + 1..)?);
    if let Some((_, meant)) = ENTITIES.iter().find(|(known, _)| *known == name) {
        return Some(((*meant).to_owned(), rest));
    }
    let letter = ('\u{a1}'..).zip(LATIN.split(' ')).find(|(_, known)| *known == name)?.0;
    Some((letter.to_string(), rest))
}
