//! One workbook, `/Reports/Budget.xlsx` of everybody's own drive: sheets, tables and ranges of cells.

use serde_json::{Value, json};
use time::Date;

use super::Found;
use crate::graph::error::GraphError;
use crate::graph::query;
use crate::graph::request::{Answer, Family, Request};
use crate::graph::shape::known_members;
use crate::graph::store::GraphStore;
use crate::json::{items, set};

/// The workbook's id and path.
const ITEM: &str = "01BUDGETXLSX";
const PATH: &[&str] = &["Reports", "Budget.xlsx:"];
/// The sheet that its table is on, and the table.
const SHEET: &str = "Costs";
const TABLE: &str = "Spent";
/// Columns of the table.
const WIDTH: usize = 3;
const READ: &[&str] = &["Files.Read", "Files.ReadWrite", "Files.Read.All", "Files.ReadWrite.All"];
const WRITE: &[&str] = &["Files.ReadWrite", "Files.ReadWrite.All"];

/// What this family keeps between requests.
pub struct Store {
    /// The rows of the sheet, the table from its first cell on.
    rows: Vec<Vec<Value>>,
}

impl Store {
    /// The sample data around a day.
    pub fn sample(_today: Date) -> Self {
        let row = |name: &str, spent: f64, day: u32| vec![json!(name), json!(spent), json!(day)];
        let mut rows = vec![vec![json!("Item"), json!("Spent"), json!("Day")]];
        rows.extend([row("Travel", 1200.5, 46_027), row("Parts, spare", 310.0, 46_030), row("Lunch", 48.25, 46_031)]);
        Self { rows }
    }
}

/// Answers a request for one of this family's paths.
pub fn route(request: &Request<'_>, store: &mut GraphStore, path: &[&str]) -> Found {
    let rest = match path {
        ["me", "drive", "items", id, "workbook", rest @ ..] | ["drives", _, "items", id, "workbook", rest @ ..] => {
            let own = |drive| {
                let mut drives = store.family.files.drives.iter();
                drives.any(|one| one.id == drive && one.owner == Some(request.consent.user))
            };
            let named = path.first().filter(|first| **first == "drives").and_then(|_| path.get(1));
            if *id != ITEM || named.is_some_and(|drive| !own(*drive)) {
                return Err(no_item());
            }
            rest
        }
        ["me", "drive", "root:", parts @ ..] if parts.contains(&"workbook") => {
            parts.strip_prefix(PATH).and_then(|rest| rest.strip_prefix(&["workbook"])).ok_or_else(no_item)?
        }
        _ => return Ok(None),
    };
    let rows = &mut store.family.excel.rows;
    Ok(Some(match (request.call.method.as_str(), rest) {
        ("GET", ["worksheets"]) => {
            require(request, READ)?;
            let sheet = |name: &str, visibility: &str| json!({"name": name, "visibility": visibility, "position": 0});
            list(request, vec![sheet(SHEET, "Visible"), sheet("Notes", "Hidden")])?
        }
        ("GET", ["tables"]) => {
            require(request, READ)?;
            list(request, vec![json!({"name": TABLE, "showHeaders": true})])?
        }
        ("GET", ["worksheets", SHEET, "usedRange(valuesOnly=true)"]) => {
            require(request, WRITE)?;
            read(request, rows, (0, 0, 2, rows.len() - 1))?
        }
        ("GET", ["tables", TABLE, "range"]) => {
            require(request, READ)?;
            read(request, rows, (0, 0, 2, rows.len() - 1))?
        }
        ("GET", ["worksheets", SHEET, function]) => {
            require(request, READ)?;
            read(request, rows, area(function)?)?
        }
        ("PATCH", ["worksheets", SHEET, function]) => {
            require(request, WRITE)?;
            write(request, rows, area(function)?)?
        }
        ("POST", ["tables", TABLE, "rows"]) => {
            require(request, WRITE)?;
            add(request, rows)?
        }
        _ => return Err(no_item()),
    }))
}

fn require(request: &Request<'_>, any: &[&str]) -> Result<(), GraphError> {
    request.require(any, Family::Directory)
}

fn no_item() -> GraphError {
    GraphError::new(404, "ItemNotFound", "The requested resource doesn't exist.")
}

fn list(request: &Request<'_>, items: Vec<Value>) -> Result<Answer, GraphError> {
    let options = query::ListOptions::parse(request, query::Sizes { default: 100, max: 1000 })?;
    query::page(request, &options, items, "microsoft.graph.workbookWorksheet")
}

type Box4 = (usize, usize, usize, usize);

/// First column and row, last column and row, from 0; of the columns A to Z only.
fn area(function: &str) -> Result<Box4, GraphError> {
    let refuse =
        || GraphError::new(400, "InvalidArgument", "The argument is invalid or missing or has an incorrect format.");
    let address =
        function.strip_prefix("range(address='").and_then(|rest| rest.strip_suffix("')")).ok_or_else(refuse)?;
    let (first, last) = address.split_once(':').unwrap_or((address, address));
    let cell = |text: &str| {
        let column = text.bytes().next().filter(u8::is_ascii_uppercase)?;
        let row: usize = text.get(1..)?.parse().ok()?;
        Some((usize::from(column - b'A'), row.checked_sub(1)?))
    };
    let ((a, b), (c, d)) = cell(first).zip(cell(last)).ok_or_else(refuse)?;
    Ok((a, b, c, d))
}

fn address((a, b, c, d): Box4) -> String {
    let letter = |column: usize| char::from(b'A' + u8::try_from(column).unwrap_or_default());
    format!("{SHEET}!{}{}:{}{}", letter(a), b + 1, letter(c), d + 1)
}

fn read(request: &Request<'_>, rows: &[Vec<Value>], area: Box4) -> Result<Answer, GraphError> {
    let (a, b, c, d) = area;
    let cell =
        |row: usize, column: usize| rows.get(row).and_then(|row| row.get(column)).cloned().unwrap_or_else(|| "".into());
    let values: Vec<Vec<Value>> = (b..=d).map(|row| (a..=c).map(|column| cell(row, column)).collect()).collect();
    let shown = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let text: Vec<Vec<String>> = values.iter().map(|row| row.iter().map(shown).collect()).collect();
    let body = json!({"address": address(area), "values": values, "text": text, "formulas": values,
        "rowCount": d - b + 1, "columnCount": c - a + 1});
    let chosen: Option<Vec<String>> =
        query::option(request, "$select").map(|list| list.split(',').map(str::to_owned).collect());
    Ok(Answer::ok(query::select(body, chosen.as_deref(), "microsoft.graph.workbookRange")?))
}

/// What Excel makes of a value: a leading `=` computes, an apostrophe is hidden.
fn stored(value: &Value) -> Value {
    match value.as_str() {
        Some(text) if text.starts_with('=') => json!(format!("#computed {text}")),
        Some(text) => json!(text.strip_prefix('\'').unwrap_or(text)),
        None => value.clone(),
    }
}

fn write(request: &Request<'_>, rows: &mut Vec<Vec<Value>>, area: Box4) -> Result<Answer, GraphError> {
    let body = request.object()?;
    known_members(&body, &["values", "formulas", "numberFormat"], "microsoft.graph.workbookRange")?;
    let (a, b, c, d) = area;
    let values = items(&body, "/values");
    let fits =
        values.len() == d - b + 1 && values.iter().all(|row| row.as_array().is_some_and(|row| row.len() == c - a + 1));
    if !fits {
        let message =
            "The number of rows or columns in the input array doesn't match the size or dimensions of the range.";
        return Err(GraphError::new(400, "InvalidArgument", message));
    }
    for (row, given) in (b..).zip(values) {
        for (column, value) in (a..).zip(given.as_array().into_iter().flatten()) {
            while rows.len() <= row {
                rows.push(Vec::new());
            }
            let Some(line) = rows.get_mut(row) else { continue };
            line.resize(line.len().max(column + 1), json!(""));
            if let Some(cell) = line.get_mut(column) {
                *cell = stored(value);
            }
        }
    }
    read(request, rows, area)
}

fn add(request: &Request<'_>, rows: &mut Vec<Vec<Value>>) -> Result<Answer, GraphError> {
    let body = request.object()?;
    known_members(&body, &["values", "index"], "microsoft.graph.workbookTableRow")?;
    let given = items(&body, "/values");
    if given.is_empty() || given.iter().any(|row| row.as_array().is_none_or(|row| row.len() != WIDTH)) {
        let message = "The number of columns doesn't match that of the table.";
        return Err(GraphError::new(400, "InvalidArgument", message));
    }
    rows.extend(given.iter().map(|row| row.as_array().into_iter().flatten().map(stored).collect()));
    let mut added = json!({"index": rows.len() - 2, "values": given});
    set(&mut added, "@odata.context", request.url("$metadata#workbookTableRow"));
    Ok(Answer::created(added, request.url("workbook/tables/rows")))
}
