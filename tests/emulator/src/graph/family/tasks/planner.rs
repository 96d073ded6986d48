//! Planner: the plans of groups, their buckets and tasks.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use time::{Date, Duration, OffsetDateTime, format_description::well_known::Rfc3339};

use crate::graph::error::GraphError;
use crate::graph::family::Found;
use crate::graph::request::{Answer, Family, Request};
use crate::graph::shape::known_members;
use crate::json::{set, text};
use crate::sample::directory::{Home, USERS, by_email};

const READ: &[&str] = &["Tasks.Read", "Tasks.ReadWrite", "Group.Read.All"];
const WRITE: &[&str] = &["Tasks.ReadWrite"];
const WRITABLE: &[&str] =
    &["planId", "bucketId", "title", "assignments", "dueDateTime", "startDateTime", "percentComplete", "priority"];
/// Plans, their names, and who is in their groups.
const PLANS: [(&str, &str, &[&str]); 2] = [
    ("xqQg5FS2LkCp935s-FIFm2QAFkHM", "Heron launch", &["adele@contoso.example", "megan@contoso.example"]),
    ("opsQg5FS2LkCp935s-FIFm2QAFkA", "Office move", &["megan@contoso.example"]),
];
/// Buckets of the first plan.
const BUCKETS: [(&str, &str); 2] =
    [("gcrYAaAkgU2EQUvpkNNXLGQAGTtu", "To do"), ("hcrYAaAkgU2EQUvpkNNXLGQAGTtv", "Waiting for others")];

/// All tasks of all plans, with their details.
pub(super) struct Store {
    tasks: Vec<Value>,
    next: usize,
}

fn assigned() -> Value {
    json!({"@odata.type": "#microsoft.graph.plannerAssignment", "assignedDateTime": "2026-01-05T08:00:00Z",
        "orderHint": "8585269209601773376Pc"})
}

fn task(number: usize, plan: &str, title: &str) -> Value {
    json!({
        "id": format!("{number:04}SlKkIUSUl6DF_EilrmQAKDhh"), "planId": plan, "bucketId": BUCKETS[0].0, "title": title,
        "percentComplete": 0, "priority": 5, "dueDateTime": null, "startDateTime": null, "hasDescription": false,
        "createdDateTime": "2026-01-05T08:00:00Z", "completedDateTime": null, "assignments": {}, "orderHint": "8586",
        "version": 1, "details": {"description": "", "checklist": {}, "previewType": "automatic", "version": 1},
    })
}

impl Store {
    pub(super) fn sample(today: Date) -> Self {
        let check = |title: &str, done: bool| json!({"@odata.type": "#microsoft.graph.plannerChecklistItem", "title": title, "isChecked": done});
        let details = json!({"description": "Two of each size.\nNora at Fabrikam has the list.",
            "previewType": "automatic", "version": 1,
            "checklist": {"95e27074-6c4a-447a-aa24-9d718a0b86fa": check("Get the quote", true)}});
        let (adele, megan) = ("adele@contoso.example", "megan@contoso.example");
        let mut tasks: Vec<Value> = [
            ("Agree on the launch date", adele, json!({"percentComplete": 100})),
            (
                "Order samples",
                adele,
                json!({"percentComplete": 50, "priority": 3, "hasDescription": true, "details": details}),
            ),
            ("Write the press release", adele, json!({})),
            ("Brief the call centre", megan, json!({})),
        ]
        .into_iter()
        .zip(1..)
        .map(|((title, email, members), number)| {
            let mut task = task(number, PLANS[0].0, title);
            let due = today + Duration::days(7 * i64::try_from(number).unwrap_or(0));
            set(&mut task, "dueDateTime", format!("{}T10:00:00Z", super::day(due)));
            let owner = by_email(email).map_or("", |user| user.oid);
            set(&mut task, "assignments", json!({(owner): assigned()}));
            for (name, member) in members.as_object().into_iter().flatten() {
                set(&mut task, name, member.clone());
            }
            task
        })
        .collect();
        tasks.push(task(50, PLANS[1].0, "Label the boxes"));
        Self { tasks, next: 100 }
    }
}

fn not_found() -> GraphError {
    GraphError::new(404, "NotFound", "The requested item is not found.")
}

fn bad(message: &str) -> GraphError {
    GraphError::bad(message)
}

fn etag(kind: &str, value: &Value) -> String {
    let version = value.get("version").and_then(Value::as_u64).unwrap_or(0);
    format!("W/\"{}\"", STANDARD.encode(format!("'1-{kind}  {version:016}'")))
}

fn shown(task: &Value) -> Value {
    let mut shown = task.clone();
    set(&mut shown, "@odata.etag", etag("Task", task));
    crate::json::remove(&mut shown, "details");
    crate::json::remove(&mut shown, "version");
    shown
}

fn details(task: &Value) -> Value {
    let mut details = task.get("details").cloned().unwrap_or_default();
    let tag = etag("TaskDetails", &details);
    set(&mut details, "@odata.etag", tag);
    set(&mut details, "id", text(task, "/id"));
    crate::json::remove(&mut details, "version");
    details
}

fn allowed(request: &Request<'_>) -> Result<(), GraphError> {
    let any = if request.call.method == "GET" { READ } else { WRITE };
    request.require(any, Family::Teams)?;
    if request.consent.user.home == Home::Personal {
        return Err(GraphError::new(403, "Forbidden", "Planner is not available for this account."));
    }
    Ok(())
}

/// Whether a plan is there and the person is in its group.
fn plan(request: &Request<'_>, id: &str) -> Result<(), GraphError> {
    let (_, _, members) = PLANS.iter().find(|(plan, _, _)| *plan == id).ok_or_else(not_found)?;
    let member = members.contains(&request.consent.user.email);
    if member { Ok(()) } else { Err(GraphError::new(403, "Forbidden", "You do not have the required permissions.")) }
}

/// A whole list, whatever the query says.
fn list(values: impl Iterator<Item = Value>) -> Answer {
    let values: Vec<Value> = values.collect();
    Answer::ok(json!({"@odata.count": values.len(), "value": values}))
}

/// Answers a request below `/me/planner`.
pub(super) fn mine(request: &Request<'_>, store: &Store, path: &[&str]) -> Found {
    allowed(request)?;
    let me = request.consent.user;
    let on_me = |task: &&Value| task.pointer(&format!("/assignments/{}", me.oid)).is_some();
    Ok(Some(match (request.call.method.as_str(), path) {
        ("GET", ["tasks"]) => list(store.tasks.iter().filter(on_me).map(shown)),
        ("GET", ["plans"]) => {
            let mine = PLANS.iter().filter(|(_, _, members)| members.contains(&me.email));
            list(mine.map(
                |(id, title, _)| json!({"id": id, "title": title, "owner": "7ea00000-0000-4000-8000-00000000000b"}),
            ))
        }
        _ => return Ok(None),
    }))
}

/// Answers a request below `/planner`.
pub(super) fn route(request: &Request<'_>, store: &mut Store, path: &[&str]) -> Found {
    allowed(request)?;
    Ok(Some(match (request.call.method.as_str(), path) {
        ("GET", ["plans", id, "tasks"]) => {
            plan(request, id)?;
            list(store.tasks.iter().filter(|task| text(task, "/planId") == *id).map(shown))
        }
        ("GET", ["plans", id, "buckets"]) => {
            plan(request, id)?;
            let own = BUCKETS.iter().filter(|_| *id == PLANS[0].0);
            list(own.map(|(bucket, name)| json!({"id": bucket, "name": name, "planId": id, "orderHint": "85"})))
        }
        ("POST", ["tasks"]) => create(request, store)?,
        ("GET", ["tasks", id]) => Answer::ok(shown(find(request, store, id)?)),
        ("GET", ["tasks", id, "details"]) => Answer::ok(details(find(request, store, id)?)),
        ("PATCH", ["tasks", id]) => change(request, find(request, store, id)?)?,
        ("PATCH", ["tasks", id, "details"]) => describe(request, find(request, store, id)?)?,
        ("DELETE", ["tasks", id]) => {
            let tag = etag("Task", find(request, store, id)?);
            matches(request, &tag)?;
            store.tasks.retain(|task| text(task, "/id") != *id);
            Answer::empty(204)
        }
        _ => return Ok(None),
    }))
}

fn find<'a>(request: &Request<'_>, store: &'a mut Store, id: &str) -> Result<&'a mut Value, GraphError> {
    let task = store.tasks.iter_mut().find(|task| text(task, "/id") == id).ok_or_else(not_found)?;
    plan(request, text(task, "/planId"))?;
    Ok(task)
}

/// Refuses a change that does not name what it changes.
fn matches(request: &Request<'_>, tag: &str) -> Result<(), GraphError> {
    match request.call.header("if-match") {
        None => Err(bad("The If-Match header must be specified for this type of request.")),
        Some(given) if given == tag => Ok(()),
        Some(_) => {
            Err(GraphError::new(412, "PreconditionFailed", "The attempted changes conflicted with other changes."))
        }
    }
}

/// The members that a client may write, of the right shape.
fn written(request: &Request<'_>) -> Result<Value, GraphError> {
    let body = request.object()?;
    known_members(&body, WRITABLE, "microsoft.graph.plannerTask")?;
    let assignments = body.get("assignments").and_then(Value::as_object).into_iter().flatten();
    for (id, one) in assignments {
        let typed = one.is_null()
            || (text(one, "/@odata.type").ends_with("microsoft.graph.plannerAssignment")
                && text(one, "/orderHint").ends_with('!'));
        if !typed || !USERS.iter().any(|user| user.oid == id) {
            return Err(bad("The assignments are not of the expected type, or name nobody."));
        }
    }
    let due = body.get("dueDateTime").filter(|due| !due.is_null());
    if due.is_some_and(|due| due.as_str().is_none_or(|due| OffsetDateTime::parse(due, &Rfc3339).is_err())) {
        return Err(bad("Cannot convert the value to the expected type 'Edm.DateTimeOffset'."));
    }
    let within =
        |name: &str, most: u64| body.get(name).is_none_or(|value| value.as_u64().is_some_and(|value| value <= most));
    let bucket = body.get("bucketId").is_none_or(|id| BUCKETS.iter().any(|(bucket, _)| id == bucket));
    if !within("percentComplete", 100) || !within("priority", 10) || !bucket {
        return Err(bad("The request is invalid: a value is out of its range."));
    }
    Ok(body)
}

fn create(request: &Request<'_>, store: &mut Store) -> Result<Answer, GraphError> {
    let body = written(request)?;
    plan(request, text(&body, "/planId"))?;
    if text(&body, "/title").is_empty() {
        return Err(bad("The title of the task is required."));
    }
    store.next += 1;
    let mut made = task(store.next, text(&body, "/planId"), "");
    put(&mut made, &body);
    store.tasks.push(made.clone());
    let location = request.url(&format!("planner/tasks('{}')", text(&made, "/id")));
    Ok(Answer::created(shown(&made), location))
}

fn change(request: &Request<'_>, task: &mut Value) -> Result<Answer, GraphError> {
    matches(request, &etag("Task", task))?;
    let body = written(request)?;
    if body.get("planId").is_some() {
        return Err(bad("The plan of a task cannot be changed."));
    }
    put(task, &body);
    count_up(task);
    Ok(Answer::empty(204))
}

fn put(task: &mut Value, body: &Value) {
    for (name, member) in body.as_object().into_iter().flatten() {
        if name != "assignments" {
            set(task, name, member.clone());
            continue;
        }
        let mut kept = task.get("assignments").cloned().unwrap_or_default();
        for (id, one) in member.as_object().into_iter().flatten() {
            if one.is_null() {
                crate::json::remove(&mut kept, id);
            } else {
                set(&mut kept, id, assigned());
            }
        }
        set(task, "assignments", kept);
    }
}

fn describe(request: &Request<'_>, task: &mut Value) -> Result<Answer, GraphError> {
    let mut details = task.get("details").cloned().unwrap_or_default();
    matches(request, &etag("TaskDetails", &details))?;
    let body = request.object()?;
    known_members(
        &body,
        &["description", "checklist", "references", "previewType"],
        "microsoft.graph.plannerTaskDetails",
    )?;
    for (name, member) in body.as_object().into_iter().flatten() {
        set(&mut details, name, member.clone());
    }
    count_up(&mut details);
    set(task, "hasDescription", !text(&details, "/description").is_empty());
    set(task, "details", details);
    Ok(Answer::empty(204))
}

fn count_up(value: &mut Value) {
    let version = value.get("version").and_then(Value::as_u64).unwrap_or(0);
    set(value, "version", version + 1);
}
