//! Which parts of an Office package belong to a part. Targets outside the package are passed over: nothing is fetched.

use crate::Unreadable;
use crate::package::Package;
use crate::xml::{Node, Xml};

pub(crate) struct Relation {
    pub id: String,
    /// The last word of its type.
    pub kind: String,
    /// The part's name.
    pub target: String,
}

/// The relations of the part `name`; none where it has no list of them.
pub(crate) fn of(package: &mut Package<'_>, name: &str) -> Result<Vec<Relation>, Unreadable> {
    let (folder, file) = name.rsplit_once('/').unwrap_or(("", name));
    let Some(list) = package.part(&format!("{folder}/_rels/{file}.rels"))? else { return Ok(Vec::new()) };
    let mut xml = Xml::new(&list);
    let mut relations = Vec::new();
    while let Some(node) = xml.next()? {
        let Node::Open(element) = node else { continue };
        let attribute = |name| element.attribute(name).unwrap_or_default();
        if element.name() == "Relationship" && attribute("TargetMode") != "External" {
            let kind = attribute("Type").rsplit('/').next().unwrap_or_default().to_owned();
            relations.push(Relation { id: attribute("Id"), kind, target: resolve(folder, &attribute("Target")) });
        }
    }
    Ok(relations)
}

/// A name relative to a folder as a whole one.
fn resolve(folder: &str, target: &str) -> String {
    let (mut path, rest): (Vec<&str>, &str) = match target.strip_prefix('/') {
        Some(whole) => (Vec::new(), whole),
        None => (folder.split('/').collect(), target),
    };
    for step in rest.split('/') {
        match step {
            "." | "" => {}
            ".." => drop(path.pop()),
            _ => path.push(step),
        }
    }
    path.join("/")
}
