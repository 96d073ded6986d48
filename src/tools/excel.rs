//! Excel workbooks in drives: sheets and tables, and the values of a range. Writing is `write`, addresses are `area`.
//!
//! No workbook session (`workbook-session-id`): a call reads or writes one bounded range, so a session would add two
//! requests to one and hold a lock that a lost `closeSession` leaves behind; without one Graph saves each change.

mod area;
mod write;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::answer::{Answer, UNTRUSTED, clean};
use super::arguments::{self, bounded, identifier};
use super::call::Call;
use super::place::Place;
use super::{Input, Kind, Outcome, Preset, Tool, ToolError, handle, schema};
use crate::graph::GraphRequest;
use crate::graph::request::{Method, Segment};
use crate::identity::Scope;
use area::Area;

/// The tools of this family.
pub(super) const TOOLS: &[Tool] = &[
    Tool {
        name: "getExcel",
        title: "Read a workbook",
        description: "Sheets and tables of an Excel file, or a sheet, range or table as CSV.",
        kind: Kind::Read,
        preset: Preset::Files,
        needs: &[Scope::FilesRead],
        also: &[Scope::FilesReadWrite],
        on_use: &[Scope::FilesReadAll, Scope::FilesReadWriteAll],
        example: r#"{"path":"/Reports/Budget.xlsx","sheet":"Costs","range":"A1:D20"}"#,
        schema: schema::of::<GetExcel>,
        handler: handle::<GetExcel>,
    },
    write::TOOL,
];

/// Sheets and tables that are shown of one workbook.
const NAMES: usize = 200;
/// Characters that are shown of one cell.
const CELL: usize = 2000;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct GetExcel {
    /// Default: own drive
    drive_id: Option<String>,
    item_id: Option<String>,
    path: Option<String>,
    sheet: Option<String>,
    range: Option<String>,
    table: Option<String>,
    /// As displayed
    formatted: Option<bool>,
    #[schemars(range(min = 1, max = 5000), extend("default" = 1000))]
    max_cells: Option<u32>,
}

/// Which file, as arguments name it.
struct Book<'a>(Place<'a>);

impl<'a> Book<'a> {
    fn parse(drive: Option<&'a str>, item: Option<&'a str>, path: Option<&'a str>) -> Result<Self, ToolError> {
        let place = Place::parse(drive, item, path)?;
        if item.is_some() == path.is_some() {
            return Err(ToolError::argument("path", "give either this or an itemId"));
        }
        if place.is_root() {
            return Err(ToolError::argument("path", "not the path of a file such as /Reports/Budget.xlsx"));
        }
        Ok(Self(place))
    }

    /// Graph's path to something of the workbook.
    fn path(&self, rest: &[Segment<'a>]) -> Vec<Segment<'a>> {
        self.0.segments(&[&[Segment::Word("workbook")], rest].concat())
    }

    fn get(&self, rest: &[Segment<'a>]) -> Result<GraphRequest, ToolError> {
        Ok(GraphRequest::new(Method::Get, &self.path(rest))?)
    }
}

/// The name of a sheet or table, which no path may hold as it is.
fn name(argument: &str, text: &str) -> Result<String, ToolError> {
    let name = arguments::line(argument, text, 255)?;
    identifier(argument, &name)?;
    Ok(name)
}

#[derive(Deserialize)]
struct Listing {
    value: Vec<Named>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
    visibility: Option<String>,
}

/// Where a used range or a table is, and how large.
#[derive(Deserialize)]
struct Found {
    address: String,
}

/// Graph's workbookRange.
#[derive(Deserialize)]
struct Range {
    #[serde(default)]
    values: Vec<Vec<Value>>,
    #[serde(default)]
    text: Vec<Vec<Value>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Values {
    untrusted: &'static str,
    sheet: String,
    range: String,
    csv: String,
    truncated: bool,
    /// What of the asked is below, where it was too much.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_range: Option<String>,
}

#[async_trait(?Send)]
impl Input for GetExcel {
    async fn run(self, call: &Call<'_>) -> Outcome {
        let most = bounded("maxCells", self.max_cells, 1000, 5000)?;
        let book = Book::parse(self.drive_id.as_deref(), self.item_id.as_deref(), self.path.as_deref())?;
        let range = self.range.as_deref().map(Area::parse).transpose()?;
        let sheet = self.sheet.as_deref().map(|text| name("sheet", text)).transpose()?;
        let table = self.table.as_deref().map(|text| name("table", text)).transpose()?;
        book.0.require(call, Scope::FilesRead, Scope::FilesReadAll)?;
        let (sheet, area) = match (sheet, table, range) {
            (None, None, None) => return list(call, &book).await,
            (Some(sheet), None, Some(area)) => (sheet, area),
            (Some(sheet), None, None) => {
                // Microsoft counts this one among the writes.
                book.0.require(call, Scope::FilesReadWrite, Scope::FilesReadWriteAll)?;
                let used = Segment::Word("usedRange(valuesOnly=true)");
                locate(call, book.get(&[Segment::Word("worksheets"), Segment::Value(&sheet), used])?).await?
            }
            (None, Some(table), None) => {
                let words = [Segment::Word("tables"), Segment::Value(&table), Segment::Word("range")];
                locate(call, book.get(&words)?).await?
            }
            (None, None, Some(_)) => return Err(ToolError::argument("sheet", "a range needs the sheet it is on")),
            (_, Some(_), _) => return Err(ToolError::argument("table", "is read whole: leave sheet and range out")),
        };
        let (head, rest) = area.head(most);
        let formatted = self.formatted == Some(true);
        let address = head.to_string();
        let range = Segment::Call("range", "address", &address);
        let request = book.get(&[Segment::Word("worksheets"), Segment::Value(&sheet), range])?;
        let found: Range = call.json(&request.query("$select", if formatted { "text" } else { "values" })).await?;
        Ok(Answer::of(&Values {
            untrusted: UNTRUSTED,
            sheet: clean(&sheet, 255),
            range: address,
            csv: csv(if formatted { found.text } else { found.values }),
            truncated: rest.is_some(),
            next_range: rest.map(|rest| rest.to_string()),
        }))
    }
}

/// Names of what a workbook holds.
async fn list(call: &Call<'_>, book: &Book<'_>) -> Outcome {
    let sheets = book.get(&[Segment::Word("worksheets")])?.query("$select", "name,visibility");
    let tables = book.get(&[Segment::Word("tables")])?.query("$select", "name");
    let mut found = call.batch::<Listing>(&[sheets, tables]).await?.into_iter();
    let sheets = found.next().unwrap_or_else(|| Ok(Listing { value: Vec::new() }))?;
    let tables = found.next().unwrap_or_else(|| Ok(Listing { value: Vec::new() }))?;
    let truncated = sheets.value.len().max(tables.value.len()) > NAMES;
    let hidden = |one: &Named| one.visibility.as_deref().is_some_and(|word| word != "Visible");
    let shown = |one: Named| {
        let name = clean(&one.name, 255);
        if hidden(&one) { json!({"name": name, "hidden": true}) } else { json!({"name": name}) }
    };
    let names = |list: Listing| list.value.into_iter().take(NAMES).map(shown).collect::<Vec<_>>();
    let (sheets, tables) = (names(sheets), names(tables));
    Ok(Answer::of(&json!({"untrusted": UNTRUSTED, "sheets": sheets, "tables": tables, "truncated": truncated})))
}

/// Sheet and area of something whose size nobody knows yet: its values are not asked for before they are bounded.
async fn locate(call: &Call<'_>, request: GraphRequest) -> Result<(String, Area), ToolError> {
    let found: Found = call.json(&request.query("$select", "address")).await?;
    area::split(&found.address).ok_or_else(|| ToolError::Graph {
        failure: crate::graph::Failure::of(crate::graph::Origin::Graph, "UnreadableAnswer"),
        repeatable: true,
    })
}

/// Rows as CSV (RFC 4180, line feeds between rows): the fewest characters that keep rows and columns apart.
fn csv(rows: Vec<Vec<Value>>) -> String {
    let line = |row: Vec<Value>| row.into_iter().map(field).collect::<Vec<_>>().join(",");
    rows.into_iter().map(line).collect::<Vec<_>>().join("\n")
}

fn field(cell: Value) -> String {
    let text = match cell {
        Value::String(text) => clean(&text, CELL),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    if text.contains(['"', ',', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
mod tests {
    use super::*;

    #[test]
    fn a_file_by_its_path_cannot_leave_its_colons() {
        let book = Book::parse(None, None, Some("/Reports/Ä 1.xlsx")).unwrap();
        let path = book.get(&[Segment::Word("worksheets")]).unwrap().path_and_query();
        assert_eq!(path, "/me/drive/root:/Reports/%C3%84%201.xlsx:/workbook/worksheets");
        for wrong in ["", "/", "/a//b", "/../x", "/a/..", "/a:/content", "/%2e%2e/x", "a\\b", "/a\nb"] {
            assert!(Book::parse(None, None, Some(wrong)).is_err(), "{wrong:?}");
        }
        assert!(Book::parse(None, None, None).is_err() && Book::parse(None, Some("i"), Some("/p")).is_err());
        assert!(Book::parse(Some(".."), Some("i"), None).is_err());
    }

    #[test]
    fn cells_stay_in_their_columns() {
        let rows =
            vec![vec![json!("a,b"), json!(1.5), json!("say \"hi\"")], vec![json!(null), json!(true), json!("x\ny")]];
        assert_eq!(csv(rows), "\"a,b\",1.5,\"say \"\"hi\"\"\"\n,true,\"x\ny\"");
    }
}
