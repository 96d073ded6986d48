//! A rectangle of cells by its A1 address. Only this form reaches a path, where it stands in quotes: columns, rows and a
//! colon, nothing that could end them.

use std::fmt;

use crate::tools::ToolError;

/// Columns and rows of a sheet.
const COLUMNS: u32 = 16_384;
const ROWS: u32 = 1_048_576;

/// Some cells: first and last column and row, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Area {
    first: (u32, u32),
    last: (u32, u32),
}

impl Area {
    /// The area that the argument `range` names.
    pub fn parse(text: &str) -> Result<Self, ToolError> {
        Self::read(text.trim()).ok_or_else(|| {
            ToolError::argument("range", "not an address such as A1:D20; the sheet has an argument of its own")
        })
    }

    fn read(text: &str) -> Option<Self> {
        let (first, last) = text.split_once(':').unwrap_or((text, text));
        let (first, last) = (cell(first)?, cell(last)?);
        (first.0 <= last.0 && first.1 <= last.1).then_some(Self { first, last })
    }

    /// Columns across, rows down.
    pub const fn size(&self) -> (u32, u32) {
        (self.last.0 - self.first.0 + 1, self.last.1 - self.first.1 + 1)
    }

    /// The area of this size that begins at the same cell, if the sheet goes so far.
    pub fn resized(&self, columns: u32, rows: u32) -> Option<Self> {
        let last = (self.first.0 + columns.checked_sub(1)?, self.first.1 + rows.checked_sub(1)?);
        (last.0 <= COLUMNS && last.1 <= ROWS).then_some(Self { first: self.first, last })
    }

    /// The first rows that are at most `most` cells, but at least one row of at most so many columns; and the rows below.
    pub fn head(self, most: u32) -> (Self, Option<Self>) {
        let (columns, rows) = self.size();
        let taken = (most / columns).clamp(1, rows);
        let last = (self.last.0.min(self.first.0 + most - 1), self.first.1 + taken - 1);
        let head = Self { first: self.first, last };
        if last.0 < self.last.0 {
            // One row is too much: the rest of it comes next.
            return (head, Some(Self { first: (last.0 + 1, self.first.1), last: (self.last.0, self.first.1) }));
        }
        let below = Self { first: (self.first.0, last.1 + 1), last: self.last };
        (head, (taken < rows).then_some(below))
    }
}

/// Sheet and area of an address as Graph writes it: `Sheet1!A1:B2`, `'My ''1'''!A1`.
pub(super) fn split(address: &str) -> Option<(String, Area)> {
    let (sheet, cells) = address.rsplit_once('!')?;
    let bare = sheet.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
    let sheet = bare.map_or_else(|| sheet.to_owned(), |quoted| quoted.replace("''", "'"));
    Some((sheet, Area::read(cells)?))
}

/// Column and row of `B12` or `$B$12`.
fn cell(text: &str) -> Option<(u32, u32)> {
    let text = text.strip_prefix('$').unwrap_or(text);
    let (letters, rest) = text.split_at(text.find(|c: char| !c.is_ascii_alphabetic())?);
    let digits = rest.strip_prefix('$').unwrap_or(rest);
    if !(1..=3).contains(&letters.len()) || !(1..=7).contains(&digits.len()) || digits.starts_with('0') {
        return None;
    }
    let value = |byte: u8| u32::from(byte.to_ascii_uppercase() - b'A') + 1;
    let column = letters.bytes().fold(0, |sum, byte| sum * 26 + value(byte));
    let row = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten()?;
    (column <= COLUMNS && row <= ROWS).then_some((column, row))
}

impl fmt::Display for Area {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(f, self.first)?;
        if self.first == self.last {
            return Ok(());
        }
        f.write_str(":")?;
        write(f, self.last)
    }
}

fn write(f: &mut fmt::Formatter<'_>, (mut column, row): (u32, u32)) -> fmt::Result {
    let mut letters = Vec::new();
    while column > 0 {
        let digit = (column - 1) % 26;
        letters.push(char::from(b'A' + u8::try_from(digit).unwrap_or_default()));
        column = (column - 1) / 26;
    }
    letters.iter().rev().try_for_each(|letter| write!(f, "{letter}"))?;
    write!(f, "{row}")
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
mod tests {
    use super::*;

    fn area(text: &str) -> Area {
        Area::parse(text).unwrap()
    }

    #[test]
    fn an_address_is_columns_and_rows_and_nothing_else() {
        assert_eq!(area(" $b$2:aa10 ").to_string(), "B2:AA10");
        assert_eq!((area("A1").to_string(), area("XFD1048576").to_string()), ("A1".into(), "XFD1048576".into()));
        assert_eq!(area("B2:D4").size(), (3, 3));
        for wrong in [
            "",
            "A",
            "1",
            "A0",
            "A01",
            "A1:",
            ":A1",
            "B1:A1",
            "A2:A1",
            "XFE1",
            "A1048577",
            "AAAA1",
            "A1:B2:C3",
            "Sheet1!A1",
            "A1')/x",
            "A1'",
            "A-1",
            "A+1",
            "A1 B2",
            "\u{c4}1",
            "A\u{661}",
        ] {
            assert!(Area::parse(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn what_is_too_much_is_read_from_the_top() {
        let (head, rest) = area("A1:D20").head(10);
        assert_eq!((head.to_string(), rest.unwrap().to_string()), ("A1:D2".into(), "A3:D20".into()));
        let (head, rest) = area("B5:K5").head(4);
        assert_eq!((head.to_string(), rest.unwrap().to_string()), ("B5:E5".into(), "F5:K5".into()));
        assert_eq!(area("A1:D2").head(8), (area("A1:D2"), None));
    }

    #[test]
    fn a_sheets_name_may_hold_what_the_address_is_made_of() {
        assert_eq!(split("Costs!A1:B2"), Some(("Costs".into(), area("A1:B2"))));
        assert_eq!(split("'It''s ! A1'!C3"), Some(("It's ! A1".into(), area("C3"))));
        assert_eq!(split("A1"), None);
    }
}
