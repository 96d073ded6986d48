//! The drives at the start: a small one for each person, and the library `Marketing`.

use serde_json::json;
use time::{Date, Duration};

use super::{Drive, Item};
use crate::sample::directory::{USERS, User};

/// Folder, name, content (none: a folder), days ago.
type Row = (&'static str, &'static str, Option<&'static [u8]>, i64);

const OWN: &[Row] = &[
    ("", "Reports", None, 40),
    ("Reports", "2026", None, 20),
    ("2026", "Budget 2026.csv", Some(b"item,amount\nOffice,12000\nTravel,8500\nTools,4300\n"), 3),
    ("2026", "notes.txt", Some(b"Numbers are due on Friday.\r\nAsk Megan about travel.\r\n"), 2),
    ("2026", "Quarterly review.docx", Some(b"PK invented"), 5),
    ("2026", "Team's plan 100%.md", Some(b"# Plan\n\n- hire two people\n- move the office\n"), 1),
    (
        "",
        "Trade fair.html",
        Some(b"<html><body><h1>Trade fair</h1><p>Stand 12, hall B</p><script>x</script></body></html>"),
        9,
    ),
    ("", "logo.png", Some(b"\x89PNG invented"), 90),
    ("", "Notebook", Some(b""), 60),
];

const LIBRARY: &[Row] = &[
    ("", "Campaigns", None, 30),
    ("Campaigns", "Spring launch.txt", Some(b"The spring launch starts with the newsletter.\n"), 4),
    ("", "Brand guide.pdf", Some(b"%PDF-1.7 invented"), 100),
];

/// The id of an item.
pub fn item_id(number: u32) -> String {
    format!("01CONTOSO7XWEZRMLNK5E4G2QH{number:06}")
}

/// The id of a person's drive.
fn drive_id(user: &User) -> String {
    format!("b!{}", user.oid.replace('-', ""))
}

/// All of them.
pub fn drives(today: Date) -> Vec<Drive> {
    let mut drives: Vec<_> = USERS
        .iter()
        .zip((0..).step_by(100))
        .map(|(user, number)| drive(drive_id(user), Some(user), (user, OWN), (number, today)))
        .collect();
    let (first, second) = (drives.first().map(|drive| drive.id.clone()), USERS.get(1));
    if let (Some(library_by), Some(_)) = (second, first) {
        drives.push(drive("b!marketing-library".to_owned(), None, (library_by, LIBRARY), (800, today)));
    }
    share(&mut drives);
    drives
}

fn drive(
    id: String,
    owner: Option<&'static User>,
    (by, rows): (&'static User, &[Row]),
    (number, today): (u32, Date),
) -> Drive {
    let at = |days: i64| format!("{}T08:30:00Z", today.checked_sub(Duration::days(days)).unwrap_or(today));
    let blank = |number: u32, name: &str, days: i64| Item {
        id: item_id(number),
        parent: None,
        name: name.to_owned(),
        content: None,
        versions: vec![(0, at(days), by)],
        created: at(days + 10),
        permissions: Vec::new(),
        remote: None,
    };
    let mut items = vec![blank(number, "root", 400)];
    for ((folder, name, content, days), number) in rows.iter().zip(number + 1..) {
        let above = items.iter().find(|item| item.name == *folder || (folder.is_empty() && item.parent.is_none()));
        let parent = above.map(|item| item.id.clone());
        let mut item = Item { parent, content: content.map(<[u8]>::to_vec), ..blank(number, name, *days) };
        if let Some(content) = content {
            item.versions = vec![(10, at(days + 3), by), (content.len(), at(*days), by)];
        }
        items.push(item);
    }
    Drive { id, owner, items }
}

/// Alex shares a folder with Adele, who has a shortcut to it, and a file by a link to everybody of the company.
fn share(drives: &mut [Drive]) {
    let Some([adele, alex]) = drives.first_chunk_mut::<2>() else { return };
    let reports = alex.items.iter_mut().find(|item| item.name == "Reports");
    let Some(reports) = reports else { return };
    let user = json!({"user": {"displayName": "Adele Vance", "email": "adele@contoso.example"}});
    reports.permissions.push(json!({"id": "p-shared", "roles": ["write"], "grantedToV2": user}));
    let shortcut = Item {
        remote: Some((alex.id.clone(), reports.id.clone())),
        name: "Alex's reports".to_owned(),
        ..reports.clone()
    };
    if let Some(root) = adele.items.first().map(|root| root.id.clone()) {
        adele.items.push(Item { id: item_id(99), parent: Some(root), permissions: Vec::new(), ..shortcut });
    }
    if let Some(page) = alex.items.iter_mut().find(|item| item.name == "Trade fair.html") {
        let link =
            json!({"type": "view", "scope": "organization", "webUrl": "https://contoso-my.sharepoint.com/:t:/g/Ealex"});
        page.permissions.push(json!({"id": "p-link", "roles": ["read"], "link": link}));
    }
}
