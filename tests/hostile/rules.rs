//! The table "Rules and their tests" of TECHNICAL.md is true: every rule has a test, and every test that it names exists.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const TABLE: &str = include_str!("../../TECHNICAL.md");

/// Every rule that the authorization server is held to, by group and number.
const RULES: [(&str, usize); 22] = [
    ("A", 10),
    ("B", 7),
    ("T", 9),
    ("S", 5),
    ("R", 2),
    ("D", 3),
    ("C", 2),
    ("M", 3),
    ("W", 2),
    ("X", 1),
    ("U", 1),
    ("L", 3),
    ("Q", 2),
    ("E", 8),
    ("P", 7),
    ("O", 2),
    ("F", 5),
    ("G", 7),
    ("J", 4),
    ("V", 4),
    ("H", 7),
    ("K", 1),
];

/// Rule and tests of each row.
fn rows() -> Vec<(&'static str, &'static str)> {
    let (_, section) = TABLE.split_once("\n## Rules and their tests\n").unwrap();
    let section = section.split("\n## ").next().unwrap_or_default();
    let rows = section.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| Rule"));
    rows.map(|line| {
        let cells: Vec<_> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        assert_eq!(cells.len(), 3, "{line}");
        (cells[0], cells[2])
    })
    .collect()
}

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path))
        .unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn every_rule_has_a_row_with_a_test() {
    let known: BTreeSet<_> = rows().into_iter().map(|(rule, _)| rule.to_owned()).collect();
    let wanted: BTreeSet<_> =
        RULES.iter().flat_map(|(group, last)| (1..=*last).map(move |number| format!("{group}{number}"))).collect();
    assert_eq!(known, wanted);
    assert_eq!(rows().len(), wanted.len(), "one row a rule");
    for (rule, tests) in rows() {
        assert!(tests.contains('`'), "{rule} names no test");
    }
}

/// A test is `path/to/file: name`, the file from `tests/` or `src/` on; further names of the same file follow after `, `.
#[test]
fn every_test_that_the_table_names_exists() {
    for (rule, tests) in rows() {
        for entry in tests.split('`').skip(1).step_by(2) {
            let (file, names) = entry.split_once(": ").unwrap_or_else(|| panic!("{rule}: {entry}"));
            let source = read(file);
            if Path::new(file).extension().is_some_and(|extension| extension == "mjs") {
                assert!(source.contains(&format!("test(\"{names}\"")), "{rule}: {file} has no test {names:?}");
                continue;
            }
            for name in names.split(", ") {
                let (before, _) =
                    source.split_once(&format!("fn {name}(")).unwrap_or_else(|| panic!("{rule}: {entry}"));
                let attributes: Vec<_> = before.lines().rev().take(3).collect();
                assert!(attributes.iter().any(|line| line.contains("test")), "{rule}: {name} is no test");
            }
        }
    }
}

#[test]
fn every_hostile_case_is_in_the_table() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hostile");
    let named: String = rows().into_iter().map(|(_, tests)| tests).collect();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let source = fs::read_to_string(entry.path()).unwrap();
        let cases = source.split("#[tokio::test(flavor = \"current_thread\")]\nasync fn ").skip(1);
        for name in cases.filter_map(|rest| rest.split('(').next()) {
            assert!(named.contains(name), "{name} of {:?} proves no rule of the table", entry.path());
        }
    }
}
