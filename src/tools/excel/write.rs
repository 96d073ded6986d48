//! Writing to a workbook: the values of a range, or rows at the end of a table.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::area::Area;
use super::{Book, name};
use crate::graph::GraphRequest;
use crate::graph::request::{Method, Segment};
use crate::identity::Scope;
use crate::tools::answer::Answer;
use crate::tools::arguments::prose;
use crate::tools::call::Call;
use crate::tools::{Input, Kind, Outcome, Preset, Tool, ToolError, handle, schema};

/// The tool that writes.
pub(super) const TOOL: Tool = Tool {
    name: "updateExcel",
    title: "Write to a workbook",
    description: "Write a range of an Excel file, or add rows to a table.",
    kind: Kind::Write,
    preset: Preset::Files,
    needs: &[Scope::FilesReadWrite],
    also: &[],
    on_use: &[Scope::FilesReadWriteAll],
    example: r#"{"path":"/Reports/Budget.xlsx","sheet":"Costs","range":"A2:B2","values":[["Travel",120]]}"#,
    schema: schema::of::<UpdateExcel>,
    handler: handle::<UpdateExcel>,
};

/// Cells of one call.
const MOST: usize = 5000;
/// Characters that a cell holds.
const CELL: usize = 32_767;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct UpdateExcel {
    /// Default: own drive
    drive_id: Option<String>,
    item_id: Option<String>,
    path: Option<String>,
    sheet: Option<String>,
    range: Option<String>,
    table: Option<String>,
    #[schemars(schema_with = "rows")]
    values: Vec<Vec<Value>>,
    /// Else =… is text
    formulas: Option<bool>,
}

/// Cells are texts, numbers, booleans or null, for which there is no schema that every client takes.
fn rows(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({"type": "array", "items": {"type": "array", "items": {}}})
}

#[async_trait(?Send)]
impl Input for UpdateExcel {
    async fn run(self, call: &Call<'_>) -> Outcome {
        let book = Book::parse(self.drive_id.as_deref(), self.item_id.as_deref(), self.path.as_deref())?;
        let size = size(&self.values)?;
        let target = match (self.sheet.as_deref(), self.range.as_deref(), self.table.as_deref()) {
            (Some(sheet), Some(range), None) => Target::Range(name("sheet", sheet)?, fitting(range, size)?),
            (None, None, Some(table)) => Target::Table(name("table", table)?),
            (None, Some(_), None) => return Err(ToolError::argument("sheet", "a range needs the sheet it is on")),
            _ => return Err(ToolError::argument("range", "give sheet and range, or a table alone")),
        };
        let formulas = self.formulas == Some(true);
        let written = |one: Value| if formulas { one } else { plain(one) };
        let values: Vec<Vec<_>> = self.values.into_iter().map(|row| row.into_iter().map(written).collect()).collect();
        book.0.require(call, Scope::FilesReadWrite, Scope::FilesReadWriteAll)?;
        call.send(&target.request(&book, &values)?).await?;
        let mut answer = Map::new();
        answer.insert("status".into(), "written".into());
        match target {
            Target::Range(sheet, area) => {
                answer.insert("sheet".into(), sheet.into());
                answer.insert("range".into(), area.to_string().into());
            }
            Target::Table(table) => {
                answer.insert("table".into(), table.into());
                answer.insert("rowsAdded".into(), size.1.into());
            }
        }
        Ok(Answer::of(&answer))
    }
}

/// Where it is written.
enum Target {
    Range(String, Area),
    Table(String),
}

impl Target {
    fn request(&self, book: &Book<'_>, values: &[Vec<Value>]) -> Result<GraphRequest, ToolError> {
        Ok(match self {
            Self::Range(sheet, area) => {
                let address = area.to_string();
                let range = Segment::Call("range", "address", &address);
                let path = book.path(&[Segment::Word("worksheets"), Segment::Value(sheet), range]);
                // The same values once more change nothing.
                GraphRequest::new(Method::Patch, &path)?.repeatable().body(json!({"values": values}))
            }
            Self::Table(table) => {
                let path = book.path(&[Segment::Word("tables"), Segment::Value(table), Segment::Word("rows")]);
                // Rows that are added twice are there twice.
                GraphRequest::new(Method::Post, &path)?.body(json!({"index": null, "values": values}))
            }
        })
    }
}

/// Columns and rows of the values, which make up a rectangle.
fn size(values: &[Vec<Value>]) -> Result<(u32, u32), ToolError> {
    let columns = values.first().map_or(0, Vec::len);
    if columns == 0 {
        return Err(ToolError::argument("values", "needs at least one row with one cell"));
    }
    if let Some(at) = values.iter().position(|row| row.len() != columns) {
        let length = values.get(at).map_or(0, Vec::len);
        let problem = format!("row {} has {length} cells, the first has {columns}: all need as many", at + 1);
        return Err(ToolError::argument("values", problem));
    }
    if columns.saturating_mul(values.len()) > MOST {
        return Err(ToolError::argument("values", format!("more than {MOST} cells: write them in parts")));
    }
    if values.iter().flatten().any(|cell| cell.is_array() || cell.is_object()) {
        return Err(ToolError::argument("values", "cells are texts, numbers, booleans or null"));
    }
    for text in values.iter().flatten().filter_map(Value::as_str).filter(|text| !text.trim().is_empty()) {
        prose("values", text, CELL - 1)?;
    }
    let number = |length| u32::try_from(length).unwrap_or(u32::MAX);
    Ok((number(columns), number(values.len())))
}

/// The area, which has the size of the values.
fn fitting(range: &str, (columns, rows): (u32, u32)) -> Result<Area, ToolError> {
    let area = Area::parse(range)?;
    let (across, down) = area.size();
    if (across, down) == (columns, rows) {
        return Ok(area);
    }
    let fits = area.resized(columns, rows).map(|area| format!("; {area} would fit")).unwrap_or_default();
    let problem = format!("{area} is {down} rows of {across} cells, values are {rows} rows of {columns}{fits}");
    Err(ToolError::argument("range", problem))
}

/// A cell that Excel takes for nothing but what it says: a text that would begin a formula gets the apostrophe that
/// Excel itself hides. What a workbook computes from a stranger's text can read other cells and call out.
fn plain(cell: Value) -> Value {
    let Value::String(text) = cell else { return cell };
    let begins = text.trim_start().starts_with(['=', '+', '-', '@']);
    let number = text.trim().parse::<f64>().is_ok_and(f64::is_finite);
    Value::String(if begins && !number { format!("'{text}") } else { text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_becomes_a_formula_by_itself() {
        for text in ["=1+1", " =HYPERLINK(\"x\")", "+A1", "-A1", "@SUM(A1)", "=", "\t=1", "+inf"] {
            assert_eq!(plain(json!(text)), json!(format!("'{text}")), "{text:?}");
        }
        for cell in [json!("a=b"), json!("-12.5"), json!("+49"), json!(-3), json!(true), json!(null), json!("")] {
            assert_eq!(plain(cell.clone()), cell);
        }
    }
}
