//! Excel: each sheet under its name, a line a row, cells as CSV. Values are those that were last calculated; formulas
//! are not shown.

use crate::Unreadable;
use crate::dates;
use crate::output::Output;
use crate::package::Package;
use crate::relations::{self, Relation};
use crate::xml::{Element, Node, Xml};

pub(crate) const MAIN: &str = "xl/workbook.xml";

/// Empty cells in a row that are shown as such; behind a wider gap a cell is named by its column.
const WIDEST_GAP: usize = 32;

pub(crate) fn read(package: &mut Package<'_>, output: &mut Output) -> Result<(), Unreadable> {
    let relations = relations::of(package, MAIN)?;
    let workbook = Workbook::parse(&package.needed(MAIN)?, &relations)?;
    let strings = part_of(package, &relations, "sharedStrings")?.map_or(Ok(Vec::new()), |part| strings(&part))?;
    let dated = part_of(package, &relations, "styles")?.map_or(Ok(Vec::new()), |part| date_styles(&part))?;
    for sheet in &workbook.sheets {
        output.gap();
        output.push(&format!("# {}{}\n", sheet.name, if sheet.hidden { " (hidden)" } else { "" }));
        if let Some(part) = package.part(&sheet.part)? {
            Sheet {
                strings: &strings,
                dated: &dated,
                since_1904: workbook.since_1904,
                cell: Cell::default(),
                column: 0,
            }
            .write(&part, output)?;
        }
        if output.is_full() {
            break;
        }
    }
    Ok(())
}

fn part_of(package: &mut Package<'_>, relations: &[Relation], kind: &str) -> Result<Option<String>, Unreadable> {
    let found = relations.iter().find(|relation| relation.kind == kind);
    found.map_or(Ok(None), |relation| package.part(&relation.target))
}

struct Named {
    name: String,
    part: String,
    hidden: bool,
}

struct Workbook {
    sheets: Vec<Named>,
    since_1904: bool,
}

impl Workbook {
    fn parse(workbook: &str, relations: &[Relation]) -> Result<Self, Unreadable> {
        let mut xml = Xml::new(workbook);
        let mut parsed = Self { sheets: Vec::new(), since_1904: false };
        while let Some(node) = xml.next()? {
            let Node::Open(element) = node else { continue };
            match element.name() {
                "workbookPr" => {
                    parsed.since_1904 = matches!(element.attribute("date1904").as_deref(), Some("1" | "true"));
                }
                "sheet" => {
                    let id = element.relation();
                    let found = relations.iter().find(|relation| Some(&relation.id) == id.as_ref());
                    parsed.sheets.extend(found.map(|relation| Named {
                        name: element.attribute("name").unwrap_or_default(),
                        part: relation.target.clone(),
                        hidden: element.attribute("state").is_some_and(|state| state != "visible"),
                    }));
                }
                _ => {}
            }
        }
        Ok(parsed)
    }
}

/// The strings that cells name by number, without the readings beside East Asian ones.
fn strings(part: &str) -> Result<Vec<String>, Unreadable> {
    let mut xml = Xml::new(part);
    let (mut all, mut text) = (Vec::new(), String::new());
    while let Some(node) = xml.next()? {
        match node {
            Node::Open(element) if element.name() == "rPh" => xml.skip()?,
            Node::Close(name) if name == "si" => all.push(std::mem::take(&mut text)),
            Node::Text(part) if !part.trim().is_empty() || !text.is_empty() => text.push_str(&part),
            Node::Open(_) | Node::Close(_) | Node::Text(_) => {}
        }
    }
    Ok(all)
}

/// For each cell style, whether it shows a date.
fn date_styles(part: &str) -> Result<Vec<bool>, Unreadable> {
    let mut xml = Xml::new(part);
    let (mut own, mut styles, mut in_cells) = (Vec::new(), Vec::new(), false);
    while let Some(node) = xml.next()? {
        match node {
            Node::Open(element) => {
                let format = || element.attribute("numFmtId").and_then(|id| id.parse::<u32>().ok()).unwrap_or_default();
                match element.name() {
                    "numFmt" if dates::is_date(&element.attribute("formatCode").unwrap_or_default()) => {
                        own.push(format());
                    }
                    "cellXfs" => in_cells = true,
                    "xf" if in_cells => styles.push(dates::is_builtin_date(format()) || own.contains(&format())),
                    _ => {}
                }
            }
            Node::Close(name) if name == "cellXfs" => in_cells = false,
            Node::Close(_) | Node::Text(_) => {}
        }
    }
    Ok(styles)
}

/// A cell as far as it has been read.
#[derive(Default)]
struct Cell {
    reference: String,
    kind: String,
    style: usize,
    text: String,
}

/// One sheet being written.
struct Sheet<'a> {
    strings: &'a [String],
    dated: &'a [bool],
    since_1904: bool,
    cell: Cell,
    /// The column after the last cell of the row that was written; 0 at its beginning.
    column: usize,
}

impl Sheet<'_> {
    fn write(mut self, part: &str, output: &mut Output) -> Result<(), Unreadable> {
        let mut xml = Xml::new(part);
        let mut in_value = false;
        while let Some(node) = xml.next()? {
            match node {
                Node::Open(element) => match element.name() {
                    "row" => self.column = 0,
                    "c" => self.cell = Cell::open(&element),
                    "v" | "t" => in_value = true,
                    "rPh" => xml.skip()?,
                    _ => {}
                },
                Node::Text(text) if in_value => self.cell.text.push_str(&text),
                Node::Text(_) => {}
                Node::Close(name) => match name.as_str() {
                    "v" | "t" => in_value = false,
                    "c" => self.write_cell(output),
                    "row" => output.line(),
                    "sheetData" => break,
                    _ => {}
                },
            }
            if output.is_full() {
                break;
            }
        }
        Ok(())
    }

    fn write_cell(&mut self, output: &mut Output) {
        let cell = std::mem::take(&mut self.cell);
        let value = self.value(&cell);
        if value.is_empty() {
            return;
        }
        let column = column(&cell.reference).unwrap_or(self.column);
        // A cell that says it stands before the last one is written after it.
        let gap = column.saturating_sub(self.column) + usize::from(self.column > 0);
        if gap > WIDEST_GAP {
            output.push(&format!("{}{}: ", if self.column > 0 { "," } else { "" }, cell.reference));
        } else {
            output.push(&",".repeat(gap));
        }
        output.push(&quoted(&value));
        self.column = column.max(self.column) + 1;
    }

    fn value(&self, cell: &Cell) -> String {
        let text = cell.text.as_str();
        match cell.kind.as_str() {
            "s" => text.parse().ok().and_then(|at: usize| self.strings.get(at)).cloned().unwrap_or_default(),
            "b" => if text == "1" { "TRUE" } else { "FALSE" }.to_owned(),
            "" | "n" if self.dated.get(cell.style) == Some(&true) => {
                let date = text.parse().ok().and_then(|serial| dates::shown(serial, self.since_1904));
                date.unwrap_or_else(|| text.to_owned())
            }
            _ => text.to_owned(),
        }
    }
}

impl Cell {
    fn open(element: &Element<'_>) -> Self {
        Self {
            reference: element.attribute("r").unwrap_or_default(),
            kind: element.attribute("t").unwrap_or_default(),
            style: element.attribute("s").and_then(|style| style.parse().ok()).unwrap_or_default(),
            text: String::new(),
        }
    }
}

/// The number of a cell's column, from 0: `C7` is 2. Excel has 16,384 of them.
fn column(reference: &str) -> Option<usize> {
    let letters = reference.bytes().take_while(u8::is_ascii_uppercase).take(3);
    let number = letters.fold(0, |number, letter| number * 26 + usize::from(letter - b'A') + 1);
    number.checked_sub(1)
}

/// As RFC 4180 has it.
fn quoted(value: &str) -> String {
    let value = value.trim();
    if value.contains([',', '"', '\n']) { format!("\"{}\"", value.replace('"', "\"\"")) } else { value.to_owned() }
}
