//! `PowerPoint`: each slide in the order of the presentation, its notes below it.

use crate::Unreadable;
use crate::flow::{self, Dialect};
use crate::output::Output;
use crate::package::Package;
use crate::relations::{self, Relation};
use crate::xml::{Node, Xml};

pub(crate) const MAIN: &str = "ppt/presentation.xml";

pub(crate) fn read(package: &mut Package<'_>, output: &mut Output) -> Result<(), Unreadable> {
    let relations = relations::of(package, MAIN)?;
    let presentation = package.needed(MAIN)?;
    let dialect = Dialect { text_in_runs: true, ..Dialect::default() };
    for (number, slide) in order(&presentation, &relations)?.into_iter().enumerate() {
        let Some(content) = package.part(&slide)? else { continue };
        output.gap();
        output.push(&format!("# Slide {}\n", number + 1));
        flow::write(&content, &dialect, output)?;
        let notes = relations::of(package, &slide)?.into_iter().find(|relation| relation.kind == "notesSlide");
        if let Some(notes) = notes.map(|notes| package.part(&notes.target)).transpose()?.flatten() {
            output.line();
            output.push("Notes: ");
            flow::write(&notes, &dialect, output)?;
        }
        if output.is_full() {
            break;
        }
    }
    Ok(())
}

/// The slides' parts.
fn order(presentation: &str, relations: &[Relation]) -> Result<Vec<String>, Unreadable> {
    let mut xml = Xml::new(presentation);
    let mut slides = Vec::new();
    while let Some(node) = xml.next()? {
        let Node::Open(element) = node else { continue };
        if element.name() == "sldId" {
            let id = element.relation();
            slides.extend(relations.iter().find(|relation| Some(&relation.id) == id.as_ref()));
        }
    }
    Ok(slides.into_iter().map(|slide| slide.target.clone()).collect())
}
