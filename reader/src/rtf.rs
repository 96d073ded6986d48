//! RTF: control words, groups and characters of Windows' Western code page. One pass, no recursion.

use crate::output::Output;

/// Groups that hold no text of the document.
const UNREAD: [&str; 12] = [
    "fonttbl",
    "colortbl",
    "stylesheet",
    "info",
    "pict",
    "object",
    "header",
    "footer",
    "themedata",
    "listtable",
    "listoverridetable",
    "generator",
];
/// Groups within each other.
const DEEPEST: usize = 1_000;

pub(crate) fn read(bytes: &[u8], output: &mut Output) {
    let mut reader = Reader { rest: bytes, skipped: Vec::new(), after_unicode: 1, to_pass: 0 };
    while let Some((byte, rest)) = reader.rest.split_first() {
        reader.rest = rest;
        match byte {
            b'{' if reader.skipped.len() == DEEPEST => return,
            b'{' => reader.skipped.push(reader.is_skipping()),
            b'}' => drop(reader.skipped.pop()),
            b'\\' => reader.control(output),
            b'\r' | b'\n' => {}
            _ => reader.character(char::from(*byte), output),
        }
        if output.is_full() {
            return;
        }
    }
}

struct Reader<'a> {
    rest: &'a [u8],
    /// For each open group, whether its text is passed over.
    skipped: Vec<bool>,
    /// Characters that follow `\u` for programs that do not know it.
    after_unicode: usize,
    to_pass: usize,
}

impl Reader<'_> {
    fn is_skipping(&self) -> bool {
        self.skipped.last() == Some(&true)
    }

    fn skip_group(&mut self) {
        if let Some(last) = self.skipped.last_mut() {
            *last = true;
        }
    }

    fn character(&mut self, character: char, output: &mut Output) {
        if self.to_pass > 0 {
            self.to_pass -= 1;
        } else if !self.is_skipping() {
            output.push(character.encode_utf8(&mut [0; 4]));
        }
    }

    fn control(&mut self, output: &mut Output) {
        let length = self.rest.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
        let (word, rest) = self.rest.split_at(length);
        if word.is_empty() {
            return self.symbol(output);
        }
        let digits =
            rest.iter().enumerate().take_while(|(at, byte)| byte.is_ascii_digit() || (*at == 0 && **byte == b'-'));
        let (number, rest) = rest.split_at(digits.count());
        self.rest = rest.strip_prefix(b" ").unwrap_or(rest);
        let number = str::from_utf8(number).ok().and_then(|number| number.parse::<i32>().ok());
        self.word(str::from_utf8(word).unwrap_or_default(), number, output);
    }

    fn symbol(&mut self, output: &mut Output) {
        let Some((symbol, rest)) = self.rest.split_first() else { return };
        self.rest = rest;
        match symbol {
            b'*' => self.skip_group(),
            b'\'' => {
                let (code, rest) = rest.split_at(rest.len().min(2));
                self.rest = rest;
                let code = str::from_utf8(code).ok().and_then(|code| u8::from_str_radix(code, 16).ok());
                self.character(code.map_or(' ', crate::pdf::western), output);
            }
            b'~' => self.character(' ', output),
            b'_' => self.character('-', output),
            b'\\' | b'{' | b'}' => self.character(char::from(*symbol), output),
            _ => {}
        }
    }

    fn word(&mut self, word: &str, number: Option<i32>, output: &mut Output) {
        match (word, number) {
            _ if UNREAD.contains(&word) => self.skip_group(),
            ("uc", Some(number)) => self.after_unicode = usize::try_from(number).unwrap_or_default().min(16),
            ("bin", Some(length)) => {
                let length = usize::try_from(length).unwrap_or_default().min(self.rest.len());
                self.rest = self.rest.get(length..).unwrap_or_default();
            }
            ("u", Some(code)) => {
                // Signed 16 bits, in the format of 1992.
                let code = u32::try_from(if code < 0 { code + 65_536 } else { code }).unwrap_or_default();
                self.character(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), output);
                self.to_pass = self.after_unicode;
            }
            _ if self.is_skipping() => {}
            ("par" | "line" | "sect" | "page" | "row", _) => output.line(),
            ("cell", _) => output.push(" | "),
            ("tab", _) => output.push("\t"),
            ("emdash", _) => output.push("—"),
            ("endash", _) => output.push("–"),
            ("lquote", _) => output.push("‘"),
            ("rquote", _) => output.push("’"),
            ("ldblquote", _) => output.push("“"),
            ("rdblquote", _) => output.push("”"),
            ("bullet", _) => output.push("•"),
            _ => {}
        }
    }
}
