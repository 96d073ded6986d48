//! To Do: each person's lists and their tasks.

use std::collections::HashMap;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{Date, Duration, PrimitiveDateTime};

use crate::graph::error::GraphError;
use crate::graph::event::STAMP;
use crate::graph::family::Found;
use crate::graph::query::{self, ListOptions, Sizes};
use crate::graph::request::{Answer, Family, Request};
use crate::graph::shape::{item_body, known_members};
use crate::graph::zone::Zone;
use crate::graph::{filter, request::Prefer};
use crate::json::{items, set, text};
use crate::sample::directory::{USERS, User};

/// Lists that come where nobody says how many, with no link to the rest.
const UNASKED: usize = 2;
const SIZES: Sizes = Sizes { default: 10, max: 1000 };
const READ: &[&str] = &["Tasks.Read", "Tasks.ReadWrite"];
const WRITE: &[&str] = &["Tasks.ReadWrite"];
const WRITABLE: &[&str] = &[
    "title",
    "body",
    "dueDateTime",
    "reminderDateTime",
    "isReminderOn",
    "status",
    "importance",
    "categories",
    "startDateTime",
    "recurrence",
];
const CLOCK: &[BorrowedFormatItem<'static>] =
    format_description!(version = 2, "[year]-[month]-[day]T[hour]:[minute]:[second][optional [.[subsecond]]]");

/// Everybody's lists with their tasks.
pub(super) struct Store {
    lists: HashMap<&'static str, Vec<List>>,
    next: usize,
}

struct List {
    value: Value,
    tasks: Vec<Value>,
}

fn id(kind: &str, user: &User, number: usize) -> String {
    let owner = user.oid.get(..8).unwrap_or("");
    format!("AQMkAD{}AAAA=", URL_SAFE_NO_PAD.encode(format!("{owner}|{kind}|{number:04}")))
}

fn task(user: &User, number: usize, title: &str, due: Option<Date>) -> Value {
    let due =
        due.map(|due| json!({"dateTime": format!("{}T00:00:00.0000000", super::day(due)), "timeZone": user.zone}));
    json!({
        "@odata.etag": format!("W/\"todo{number}==\""), "id": id("todo", user, number), "title": title,
        "status": "notStarted", "importance": "normal", "isReminderOn": false, "reminderDateTime": null,
        "body": {"content": "", "contentType": "text"}, "categories": [], "hasAttachments": false,
        "dueDateTime": due, "completedDateTime": null, "createdDateTime": "2026-01-05T08:00:00Z",
        "lastModifiedDateTime": "2026-01-05T08:00:00Z", "steps": [],
    })
}

fn sample(user: &User, today: Date) -> Vec<List> {
    let list = |number: usize, name: &str, known: &str, tasks: Vec<Value>| List {
        value: json!({"id": id("list", user, number), "displayName": name, "isOwner": true, "isShared": false,
            "wellknownListName": known}),
        tasks,
    };
    let in_days = |days| Some(today + Duration::days(days));
    let mut first = task(user, 1, "Send the revised budget to Megan", in_days(1));
    set(&mut first, "importance", "high");
    set(
        &mut first,
        "body",
        json!({"contentType": "html", "content": "<p>Use the <b>March</b> figures &amp; ask first.</p>"}),
    );
    set(&mut first, "isReminderOn", true);
    let reminder = json!({"dateTime": format!("{}T08:30:00.0000000", super::day(today)), "timeZone": user.zone});
    set(&mut first, "reminderDateTime", reminder);
    let step = |title: &str, done: bool| json!({"id": title, "displayName": title, "isChecked": done});
    set(&mut first, "steps", json!([step("Check the totals", true), step("Ask for the freight costs", false)]));
    let mut second = task(user, 2, "Book the train to Hamburg", in_days(6));
    set(&mut second, "status", "inProgress");
    let mut third = task(user, 3, "Renew the parking permit", in_days(-20));
    set(&mut third, "status", "completed");
    let many =
        (0..30).map(|at| task(user, 100 + at, &format!("{}: item {at} of the packing list", user.project), None));
    vec![
        list(1, "Tasks", "defaultList", vec![first, second, third]),
        list(2, "Groceries", "none", vec![task(user, 4, "Coffee, two bags", None)]),
        list(3, "Packing", "none", many.collect()),
    ]
}

impl Store {
    pub(super) fn sample(today: Date) -> Self {
        Self { lists: USERS.iter().map(|user| (user.oid, sample(user, today))).collect(), next: 1000 }
    }
}

/// Answers a request below `/me/todo/lists`.
pub(super) fn route(request: &Request<'_>, store: &mut Store, path: &[&str]) -> Found {
    let method = request.call.method.as_str();
    request.require(if method == "GET" { READ } else { WRITE }, Family::Outlook)?;
    if query::option(request, "$select").is_some() {
        return Err(GraphError::new(400, "invalidRequest", "Invalid request"));
    }
    let user = request.consent.user;
    let lists = store.lists.entry(user.oid).or_default();
    let list = match path.first() {
        None if method == "GET" => {
            let options = ListOptions::parse(request, SIZES)?;
            let mut all: Vec<_> = lists.iter().map(|list| list.value.clone()).collect();
            if query::option(request, "$top").is_none() {
                all.truncate(UNASKED);
            }
            return query::page(request, &options, all, "microsoft.graph.todoTaskList").map(Some);
        }
        None => return Ok(None),
        Some(id) => lists.iter_mut().find(|list| text(&list.value, "/id") == *id).ok_or_else(GraphError::no_item)?,
    };
    let rest = path.get(1..).unwrap_or_default();
    Ok(Some(match (method, rest) {
        ("GET", ["tasks"]) => tasks(request, &list.tasks)?,
        ("POST", ["tasks"]) => {
            store.next += 1;
            create(request, list, id("todo", user, store.next))?
        }
        ("GET", ["tasks", id]) => Answer::ok(shown(find(&mut list.tasks, id)?, &request.prefer)),
        ("GET", ["tasks", id, "checklistItems"]) => {
            Answer::ok(json!({"value": items(find(&mut list.tasks, id)?, "/steps")}))
        }
        ("PATCH", ["tasks", id]) => {
            let body = written(request)?;
            let task = find(&mut list.tasks, id)?;
            put(task, &body);
            Answer::ok(shown(task, &request.prefer))
        }
        ("DELETE", ["tasks", id]) => {
            find(&mut list.tasks, id)?;
            list.tasks.retain(|task| text(task, "/id") != *id);
            Answer::empty(204)
        }
        _ => return Ok(None),
    }))
}

/// The tasks of one of the caller's lists.
pub(super) fn of_list(request: &Request<'_>, store: &Store, list: &str) -> Result<Vec<Value>, GraphError> {
    let lists = store.lists.get(request.consent.user.oid).map(Vec::as_slice).unwrap_or_default();
    let list = lists.iter().find(|one| text(&one.value, "/id") == list).ok_or_else(GraphError::no_item)?;
    Ok(list.tasks.iter().map(|task| shown(task, &request.prefer)).collect())
}

fn find<'a>(tasks: &'a mut [Value], id: &str) -> Result<&'a mut Value, GraphError> {
    tasks.iter_mut().find(|task| text(task, "/id") == id).ok_or_else(GraphError::no_item)
}

fn tasks(request: &Request<'_>, tasks: &[Value]) -> Result<Answer, GraphError> {
    let options = ListOptions::parse(request, SIZES)?;
    let clauses = options.filter.as_deref().map(filter::parse).transpose()?.unwrap_or_default();
    let kept = tasks.iter().filter(|task| clauses.iter().all(|clause| clause.holds(task)));
    let mut kept: Vec<Value> = kept.map(|task| shown(task, &request.prefer)).collect();
    query::sort(&mut kept, &options.orderby);
    query::page(request, &options, kept, "microsoft.graph.todoTask")
}

/// The task as it goes out: times in the zone asked for, else in UTC.
fn shown(task: &Value, prefer: &Prefer) -> Value {
    let mut task = task.clone();
    crate::json::remove(&mut task, "steps");
    let name = prefer.zone.as_deref().unwrap_or("UTC");
    for member in ["dueDateTime", "reminderDateTime"] {
        let moment = task.get(member).and_then(moment);
        if let (Some(moment), Some(zone)) = (moment, Zone::parse(name)) {
            let at = zone.local(moment).format(STAMP).unwrap_or_default();
            set(&mut task, member, json!({"dateTime": at, "timeZone": name}));
        }
    }
    task
}

fn moment(clock: &Value) -> Option<time::OffsetDateTime> {
    let at = PrimitiveDateTime::parse(text(clock, "/dateTime"), CLOCK).ok()?;
    Some(Zone::parse(text(clock, "/timeZone"))?.moment(at))
}

/// The members that a client may write, of the right shape.
fn written(request: &Request<'_>) -> Result<Value, GraphError> {
    let body = request.object()?;
    known_members(&body, WRITABLE, "microsoft.graph.todoTask")?;
    item_body(body.get("body"))?;
    let clocks = ["dueDateTime", "reminderDateTime"].into_iter().filter_map(|member| body.get(member));
    let one_of = |member: &str, known: &[&str]| {
        body.get(member).is_none_or(|value| value.as_str().is_some_and(|value| known.contains(&value)))
    };
    let shaped = one_of("importance", &["low", "normal", "high"])
        && one_of("status", &["notStarted", "inProgress", "completed", "waitingOnOthers", "deferred"])
        && body.get("title").is_none_or(Value::is_string);
    if !shaped || clocks.clone().any(|clock| !clock.is_null() && moment(clock).is_none()) {
        return Err(GraphError::new(400, "invalidRequest", "Invalid request"));
    }
    Ok(body)
}

/// To Do ignores the time of a due date: it is midnight in the zone it was given with.
fn put(task: &mut Value, body: &Value) {
    for (name, member) in body.as_object().into_iter().flatten() {
        let mut member = member.clone();
        if name == "dueDateTime" && member.is_object() {
            let day = text(&member, "/dateTime").get(..10).unwrap_or_default().to_owned();
            set(&mut member, "dateTime", format!("{day}T00:00:00.0000000"));
        }
        set(task, name, member);
    }
}

fn create(request: &Request<'_>, list: &mut List, id: String) -> Result<Answer, GraphError> {
    let body = written(request)?;
    if text(&body, "/title").is_empty() {
        return Err(GraphError::new(400, "invalidRequest", "Invalid request"));
    }
    let mut made = task(request.consent.user, list.tasks.len(), "", None);
    put(&mut made, &body);
    set(&mut made, "id", id);
    list.tasks.push(made.clone());
    let location = request.url(&format!("me/todo/lists('{}')/tasks", text(&list.value, "/id")));
    Ok(Answer::created(shown(&made, &request.prefer), location))
}
