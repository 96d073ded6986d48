//! Word: the body, then footnotes and endnotes. Headers, footers and comments are left out.

use std::collections::HashMap;

use crate::Unreadable;
use crate::flow::{self, Dialect};
use crate::output::Output;
use crate::package::Package;
use crate::xml::{Node, Xml};

pub(crate) const MAIN: &str = "word/document.xml";

pub(crate) fn read(package: &mut Package<'_>, output: &mut Output) -> Result<(), Unreadable> {
    let styles = match package.part("word/styles.xml")? {
        Some(styles) => beginnings(&styles)?,
        None => HashMap::new(),
    };
    let dialect = Dialect { text_in_runs: true, styles };
    flow::write(&package.needed(MAIN)?, &dialect, output)?;
    for (part, element, kind) in [("footnotes", "footnote", ""), ("endnotes", "endnote", "e")] {
        if let Some(notes) = package.part(&format!("word/{part}.xml"))? {
            write_notes(&notes, element, kind, &dialect, output)?;
        }
    }
    Ok(())
}

/// What begins a paragraph of a style that is a heading or a list: the ids are in the author's language, the names never
/// are.
fn beginnings(styles: &str) -> Result<HashMap<String, String>, Unreadable> {
    let mut xml = Xml::new(styles);
    let (mut style, mut beginnings) = (String::new(), HashMap::new());
    while let Some(node) = xml.next()? {
        let Node::Open(element) = node else { continue };
        match element.name() {
            "style" => style = element.attribute("styleId").unwrap_or_default(),
            "name" => {
                let name = element.attribute("val").unwrap_or_default().to_ascii_lowercase();
                let begins = match name.strip_prefix("heading ") {
                    Some(level) => level.parse().ok().map(flow::heading),
                    None if name == "title" => Some(flow::heading(1)),
                    None => (name.starts_with("list bullet") || name.starts_with("list number")).then(|| "- ".into()),
                };
                beginnings.extend(begins.map(|begins| (style.clone(), begins)));
            }
            _ => {}
        }
    }
    Ok(beginnings)
}

/// Each note under its mark. Those of a negative id or with a type are the lines that separate notes.
fn write_notes(
    notes: &str,
    element: &str,
    kind: &str,
    dialect: &Dialect,
    output: &mut Output,
) -> Result<(), Unreadable> {
    let mut first = true;
    for (id, note) in split(notes, element)? {
        if std::mem::take(&mut first) {
            output.gap();
        }
        output.line();
        output.push(&format!("[^{kind}{id}]: "));
        flow::write(note, dialect, output)?;
    }
    Ok(())
}

/// The notes by their ids, each as XML of its own.
fn split<'a>(notes: &'a str, element: &str) -> Result<Vec<(String, &'a str)>, Unreadable> {
    let mut xml = Xml::new(notes);
    let mut found = Vec::new();
    while let Some(node) = xml.next()? {
        let Node::Open(open) = node else { continue };
        if open.name() != element {
            continue;
        }
        let id = open.attribute("id").unwrap_or_default();
        let separates = open.attribute("type").is_some();
        let start = xml.position();
        xml.skip()?;
        let inner = notes.get(start..xml.position()).unwrap_or_default();
        let inner = inner.rsplit_once("</").map_or("", |(inner, _)| inner);
        if !separates {
            found.push((id, inner));
        }
    }
    Ok(found)
}
