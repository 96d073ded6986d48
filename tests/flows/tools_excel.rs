//! Reading and writing workbooks.

use serde_json::{Value, json};

use super::tools_fake::{Desk, snapshot};

const BOOK: &str = "/Reports/Budget.xlsx";

#[tokio::test(flavor = "current_thread")]
async fn requests_are_as_stored() {
    let lists = json!({"responses": [
        {"id": "1", "status": 200, "body": {"value": [{"name": "Spent"}]}},
        {"id": "0", "status": 200, "body": {"value": [{"name": "Costs", "visibility": "Visible"}, {"name": "x\u{202E}", "visibility": "VeryHidden"}]}},
    ]});
    let used = json!({"address": "'It''s'!B2:D1000"});
    let values = json!({"values": [["a,b", 1.5, true], ["=x", "", null]], "text": [["a,b", "1.50", "TRUE"]]});
    let mut all = Vec::new();
    for (arguments, answers) in [
        (json!({"path": BOOK}), vec![lists.clone()]),
        (json!({"driveId": "b!d", "itemId": "01/X"}), vec![lists]),
        (json!({"itemId": "01X", "sheet": "It's", "maxCells": 6}), vec![used, values.clone()]),
        (
            json!({"driveId": "b!d", "path": "Ä b/c.xlsx", "sheet": "S/1", "range": "$a$1:c2", "formatted": true}),
            vec![values.clone()],
        ),
        (json!({"itemId": "01X", "table": "Spent"}), vec![json!({"address": "Costs!A1:C4"}), values]),
    ] {
        let desk = Desk::answering(&answers);
        let answer = desk.call("getExcel", arguments.clone()).await;
        all.push(json!({"arguments": arguments, "requests": desk.wire(), "answer": answer}));
    }
    snapshot("get_excel", &Value::Array(all));
}

#[tokio::test(flavor = "current_thread")]
async fn writing_requests_are_as_stored() {
    let mut all = Vec::new();
    for arguments in [
        json!({"path": BOOK, "sheet": "Costs", "range": "A2:B2", "values": [["=1+1", 3]]}),
        json!({"driveId": "b!d", "itemId": "i", "sheet": "Costs", "range": "B2", "values": [["=SUM(A:A)"]], "formulas": true}),
        json!({"itemId": "i", "table": "Spent", "values": [["-x", null, true], ["y", "-1", 2]]}),
    ] {
        let desk = Desk::new();
        let answer = desk.accept().call("updateExcel", arguments.clone()).await;
        all.push(json!({"arguments": arguments, "requests": desk.wire(), "answer": answer}));
    }
    snapshot("update_excel", &Value::Array(all));
}

#[tokio::test(flavor = "current_thread")]
async fn more_cells_than_asked_for_are_never_read() {
    let desk = Desk::new();
    let arguments = json!({"path": BOOK, "sheet": "S", "range": "A1:J1000", "maxCells": 100});
    let answer = desk.answer(&json!({"values": []})).call("getExcel", arguments).await;
    assert_eq!(
        (&answer["range"], &answer["nextRange"], &answer["truncated"]),
        (&json!("A1:J10"), &json!("A11:J1000"), &json!(true))
    );
    assert!(desk.asked()[0].contains("/range(address='A1%3AJ10')"), "{:?}", desk.asked());
}

#[tokio::test(flavor = "current_thread")]
async fn rows_are_not_added_again_after_doubt_and_a_range_may_be_written_again() {
    for (arguments, doubt) in [
        (json!({"path": BOOK, "table": "T", "values": [[1]]}), json!(true)),
        (json!({"path": BOOK, "sheet": "S", "range": "A1", "values": [[1]]}), Value::Null),
    ] {
        let desk = Desk::new();
        let report = desk.doubt().error("updateExcel", arguments).await;
        assert_eq!((&report["mayHaveActed"], desk.asked().len()), (&doubt, 1));
    }
}

#[tokio::test(flavor = "current_thread")]
async fn another_drive_needs_the_wider_scope_and_a_used_range_the_writing_one() {
    let values = json!([[1]]);
    for (granted, tool, arguments, missing) in [
        ("Files.ReadWrite", "getExcel", json!({"driveId": "d", "itemId": "i"}), "Files.Read.All"),
        ("Files.Read", "getExcel", json!({"itemId": "i", "sheet": "S"}), "Files.ReadWrite"),
        ("Files.Read.All", "getExcel", json!({"driveId": "d", "itemId": "i", "sheet": "S"}), "Files.ReadWrite.All"),
        (
            "Files.ReadWrite",
            "updateExcel",
            json!({"driveId": "d", "itemId": "i", "table": "T", "values": values}),
            "Files.ReadWrite.All",
        ),
        ("Files.Read", "updateExcel", json!({"itemId": "i", "table": "T", "values": values}), "Files.ReadWrite"),
    ] {
        let desk = Desk::granted(granted);
        assert_eq!(desk.error(tool, arguments).await["missingScope"], missing);
        assert!(desk.asked().is_empty());
    }
}

#[tokio::test(flavor = "current_thread")]
async fn values_that_do_not_fit_are_refused_with_what_would() {
    let desk = Desk::new();
    let arguments = json!({"path": BOOK, "sheet": "S", "range": "B2:C2", "values": [[1, 2, 3], [4, 5, 6]]});
    let message = desk.error("updateExcel", arguments).await["message"].to_string();
    assert!(message.contains("range: B2:C2 is 1 rows of 2 cells") && message.contains("B2:D3 would fit"), "{message}");
    assert!(desk.asked().is_empty());
}

#[tokio::test(flavor = "current_thread")]
async fn a_wrong_argument_is_refused_before_anything_leaves() {
    let wide: Vec<_> = (0..5001).collect();
    let write = |more: Value| {
        let mut all = json!({"path": BOOK, "sheet": "S", "range": "A1", "values": [[1]]});
        more.as_object().unwrap().iter().for_each(|(name, value)| all[name] = value.clone());
        all
    };
    for (tool, argument, arguments) in [
        ("getExcel", "path", json!({})),
        ("getExcel", "path", json!({"path": "/a.xlsx", "itemId": "i"})),
        ("getExcel", "path", json!({"path": "/a/../b.xlsx"})),
        ("getExcel", "path", json!({"path": "/a.xlsx:/content"})),
        ("getExcel", "path", json!({"path": "/a/%2e%2e/b.xlsx"})),
        ("getExcel", "itemId", json!({"itemId": "../x"})),
        ("getExcel", "driveId", json!({"driveId": "..", "itemId": "i"})),
        ("getExcel", "sheet", json!({"itemId": "i", "range": "A1"})),
        ("getExcel", "sheet", json!({"itemId": "i", "sheet": ".."})),
        ("getExcel", "range", json!({"itemId": "i", "sheet": "S", "range": "A1')/x"})),
        ("getExcel", "range", json!({"itemId": "i", "sheet": "S", "range": "Other!A1"})),
        ("getExcel", "table", json!({"itemId": "i", "table": "T", "range": "A1"})),
        ("getExcel", "maxCells", json!({"itemId": "i", "maxCells": 5001})),
        ("updateExcel", "values", write(json!({"values": []}))),
        ("updateExcel", "values", write(json!({"values": [[]]}))),
        ("updateExcel", "values", write(json!({"values": [[1, 2], [3]]}))),
        ("updateExcel", "values", write(json!({"values": [[{"a": 1}]]}))),
        ("updateExcel", "values", write(json!({"values": [wide]}))),
        ("updateExcel", "values", write(json!({"values": [["x".repeat(32_767)]]}))),
        ("updateExcel", "range", write(json!({"values": [[1, 2]]}))),
        ("updateExcel", "range", write(json!({"range": null}))),
        ("updateExcel", "range", write(json!({"table": "T"}))),
        ("updateExcel", "sheet", write(json!({"sheet": null}))),
        ("updateExcel", "table", json!({"itemId": "i", "table": "..", "values": [[1]]})),
    ] {
        let desk = Desk::new();
        let report = desk.error(tool, arguments.clone()).await;
        assert!(report["message"].as_str().unwrap().starts_with(&format!("{argument}: ")), "{arguments}: {report}");
        assert!(desk.asked().is_empty(), "{argument}");
    }
}
