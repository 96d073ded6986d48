//! Assigning tasks to others: Planner tells them, so the send policy and the user's word come first.

use serde_json::{Value, json};

use super::policy::writes;
use super::tools_fake::Desk;
use crate::agent::{Called, ClientCapabilities, InputAnswer};

const ME: &str = "00000000-0000-0000-0000-000000000002";
const BO: &str = "b0000000-0000-4000-8000-000000000002";
const CY: &str = "c0000000-0000-4000-8000-000000000003";

fn desk(policy: &str) -> Desk {
    Desk::configured(&[("TOOL_PRESETS", "all"), ("SEND_POLICY", policy)])
}

fn asking(policy: &str) -> Desk {
    let mut desk = desk(policy);
    desk.client.capabilities = ClientCapabilities(ClientCapabilities::ELICITATION);
    desk
}

fn task(assigned: &[&str]) -> Value {
    let on: serde_json::Map<_, _> = assigned.iter().map(|id| ((*id).to_owned(), json!({"orderHint": "x"}))).collect();
    json!({"@odata.etag": "W/\"1\"", "id": "T", "title": "Order", "assignments": on})
}

fn new(assignees: &[&str]) -> Value {
    json!({"source": "planner", "listId": "P", "title": "Order", "notes": "Two boxes", "assignees": assignees})
}

fn change(assignees: &[&str]) -> Value {
    json!({"source": "planner", "id": "T", "assignees": assignees})
}

/// A colleague and a guest, as a batch of two shows them.
fn people() -> Value {
    json!({"responses": [
        {"id": "0", "status": 200, "body": {"mail": null, "userPrincipalName": "bo@contoso.example"}},
        {"id": "1", "status": 200, "body": {"mail": null, "userPrincipalName": "cy_fabrikam.example#EXT#@contoso.example"}},
    ]})
}

async fn question(desk: &mut Desk, arguments: &Value) -> String {
    let called = desk.tool("saveTask", arguments.clone()).await;
    let Called::InputRequired { requests, dialogue } = called else { panic!("{called:?}") };
    desk.client.dialogue = dialogue;
    requests[0].params["message"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "current_thread")]
async fn g2_who_is_assigned_is_shown_by_address_before_the_task_is_made() {
    let mut desk = asking("");
    desk.answer(&people());
    let form = question(&mut desk, &new(&[ME, BO, CY])).await;
    let (shown, _) = form.rsplit_once('\n').unwrap();
    // A guest's name at the organisation's domain is not inside it.
    assert_eq!(
        shown,
        format!(
            "Assign this task to these people?\nAssigned: {CY} (OUTSIDE), bo@contoso.example\nSubject: Order\n> Two boxes"
        )
    );
    assert_eq!(desk.asked(), ["POST /$batch"], "nobody is assigned yet");
    desk.client
        .dialogue
        .take("agree", InputAnswer::Result(json!({"action": "accept", "content": {"agree": true}}).to_string()));
    desk.answer(&people()).answer(&json!({"id": "T", "@odata.etag": "W/\"1\""})).answer(&task(&[]));
    assert_eq!(desk.call("saveTask", new(&[ME, BO, CY])).await["id"], "T");
    assert!(desk.asked().contains(&"POST /planner/tasks".to_owned()), "{:?}", desk.asked());
}

#[tokio::test(flavor = "current_thread")]
async fn g2_only_who_is_assigned_anew_is_asked_about() {
    let mut desk = asking("");
    desk.answer(&task(&[BO])).answer(&json!({"mail": "cy@fabrikam.example", "userPrincipalName": "x"}));
    let form = question(&mut desk, &change(&[ME, BO, CY])).await;
    assert!(form.contains("\nAssigned: cy@fabrikam.example (OUTSIDE)\nSubject: Order\n"), "{form}");
    assert!(writes(&desk).is_empty());
    // Nobody new: nothing to ask.
    let desk = asking("");
    desk.answer(&task(&[BO, CY])).answer(&task(&[BO, CY]));
    assert_eq!(desk.call("saveTask", change(&[ME, BO])).await["status"], "changed");
}

#[tokio::test(flavor = "current_thread")]
async fn g1_a_task_that_may_tell_nobody_can_be_kept_for_oneself() {
    for (policy, code) in [("draft-only", "sendPolicy"), ("fallback=draft", "cannotAsk"), ("external=0", "sendPolicy")]
    {
        for arguments in [new(&[CY]), change(&[CY])] {
            let desk = desk(policy);
            desk.answer(&task(&[])).answer(&task(&[]));
            let report = desk.error("saveTask", arguments).await;
            assert_eq!(report["code"], code, "{policy}: {report}");
            assert!(writes(&desk).is_empty(), "{policy}");
        }
        for arguments in [new(&[ME]), change(&[ME]), change(&[]), json!({"listId": "L", "title": "To Do"})] {
            let desk = desk(policy);
            desk.answer(&task(&[])).answer(&task(&[]));
            desk.call("saveTask", arguments).await;
        }
    }
    let report = { desk("draft-only") }.error("saveTask", new(&[CY])).await;
    assert!(report["hint"].as_str().unwrap().contains("Planner"), "{report}");
}

#[tokio::test(flavor = "current_thread")]
async fn g3_whose_address_is_not_known_is_outside_and_who_is_nobody_is_named() {
    let mut unknown = desk("external=0");
    unknown.caller.scopes = crate::identity::ScopeSet::parse_known("Tasks.ReadWrite");
    assert_eq!(unknown.error("saveTask", new(&[BO])).await["code"], "sendPolicy");
    assert!(unknown.asked().is_empty());
    let desk = desk("external=0");
    desk.refuse(404, "Request_ResourceNotFound");
    let report = desk.error("saveTask", new(&[BO])).await;
    assert!(report["message"].as_str().unwrap().starts_with(&format!("assignees: nobody has the id {BO}")), "{report}");
}

#[tokio::test(flavor = "current_thread")]
async fn g2_who_was_taken_off_meanwhile_is_not_assigned_unasked() {
    let desk = desk("external=1");
    desk.answer(&task(&[BO])).answer(&json!({"mail": "cy@fabrikam.example"})).answer(&task(&[]));
    let report = desk.error("saveTask", change(&[BO, CY])).await;
    assert!(report["message"].as_str().unwrap().starts_with("assignees: "), "{report}");
    assert!(writes(&desk).is_empty());
}
