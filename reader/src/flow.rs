//! Running text, as Word, `PowerPoint` and `OpenDocument` have it: paragraphs, lists and tables. Their elements share names,
//! so one walk serves all three; what only one of them has is named here with it.

use std::collections::HashMap;

use crate::Unreadable;
use crate::output::Output;
use crate::xml::{Element, Node, Xml};

/// What differs between the formats.
#[derive(Default)]
pub(crate) struct Dialect {
    /// Whether only `t` holds text, as in Office; in `OpenDocument` every paragraph does.
    pub text_in_runs: bool,
    /// What begins a paragraph, by the ids of Word's styles, which are in the author's language.
    pub styles: HashMap<String, String>,
}

/// Elements whose content is not part of the text as it is read: what was deleted or moved away, the codes of fields,
/// the second copy for older programs, slide numbers and dates, comments, and pictures' data.
const UNREAD: [&str; 11] = [
    "delText",
    "moveFrom",
    "del",
    "instrText",
    "Fallback",
    "fld",
    "annotation",
    "tracked-changes",
    "binary-data",
    "sdtPr",
    // Tab stops, listed under the name of the tab itself.
    "tabs",
];

/// Where in the text the walk is.
#[derive(Default)]
struct Walk {
    /// Within so many tables.
    tables: usize,
    /// Whether the row has a cell already.
    has_cell: bool,
    /// Elements that hold text, within each other.
    readable: usize,
    /// Whether the run is not shown.
    hidden: bool,
}

/// Writes all text of one part.
pub(crate) fn write(part: &str, dialect: &Dialect, output: &mut Output) -> Result<(), Unreadable> {
    let mut xml = Xml::new(part);
    let mut walk = Walk::default();
    while let Some(node) = xml.next()? {
        match node {
            Node::Open(element) if UNREAD.contains(&element.name()) => xml.skip()?,
            Node::Open(element) => walk.open(&element, dialect, output),
            Node::Close(name) => walk.close(&name, dialect, output),
            Node::Text(text) if walk.readable > 0 && !walk.hidden => output.push(&one_line(&text)),
            Node::Text(_) => {}
        }
        if output.is_full() {
            break;
        }
    }
    Ok(())
}

impl Walk {
    fn open(&mut self, element: &Element<'_>, dialect: &Dialect, output: &mut Output) {
        let value = || element.attribute("val");
        match element.name() {
            "tbl" | "table" => {
                self.tables += 1;
                output.line();
            }
            "tr" | "table-row" => self.has_cell = false,
            "tc" | "table-cell" => {
                if self.has_cell {
                    output.space();
                    output.push("| ");
                }
                self.has_cell = true;
            }
            "r" => self.hidden = false,
            "vanish" => self.hidden = !matches!(value().as_deref(), Some("0" | "false" | "off")),
            "pStyle" => {
                let begins = value().and_then(|style| dialect.styles.get(&style));
                if let Some(begins) = begins.filter(|_| output.at_start()) {
                    output.push(begins);
                }
            }
            "numPr" | "list-item" if output.at_start() => output.push("- "),
            "h" if !dialect.text_in_runs => {
                let level = element.attribute("outline-level").and_then(|level| level.parse().ok());
                output.push(&heading(level.unwrap_or(1)));
                self.readable += 1;
            }
            "p" if !dialect.text_in_runs => self.readable += 1,
            "t" if dialect.text_in_runs => self.readable += 1,
            "tab" => output.push("\t"),
            "s" if !dialect.text_in_runs => output.space(),
            "br" | "cr" | "line-break" => self.end_line(output),
            "noBreakHyphen" => output.push("-"),
            "footnoteReference" | "endnoteReference" => mark(element, output),
            _ => {}
        }
    }

    fn close(&mut self, name: &str, dialect: &Dialect, output: &mut Output) {
        match name {
            "t" if dialect.text_in_runs => self.readable = self.readable.saturating_sub(1),
            "p" | "h" => {
                if !dialect.text_in_runs {
                    self.readable = self.readable.saturating_sub(1);
                }
                self.end_line(output);
            }
            "r" => self.hidden = false,
            "tr" | "table-row" => output.line(),
            "tbl" | "table" => {
                self.tables = self.tables.saturating_sub(1);
                output.line();
            }
            _ => {}
        }
    }

    /// A cell of a table stays on its row.
    fn end_line(&self, output: &mut Output) {
        if self.tables > 0 {
            output.space();
        } else {
            output.line();
        }
    }
}

/// What begins a heading of this level.
pub(crate) fn heading(level: usize) -> String {
    format!("{} ", "#".repeat(level.clamp(1, 6)))
}

/// Footnotes and endnotes come at the end, under the same marks.
fn mark(element: &Element<'_>, output: &mut Output) {
    let id = element.attribute("id").unwrap_or_default();
    let kind = if element.name() == "endnoteReference" { "e" } else { "" };
    output.push(&format!("[^{kind}{id}]"));
}

fn one_line(text: &str) -> String {
    text.replace(['\r', '\n'], " ")
}
