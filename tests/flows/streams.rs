//! Streams that can be taken up again: what is kept of them, for whom it opens, and how long.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a flow that cannot go on should stop")]

use std::rc::Rc;

use super::granted::{Granted, presented, refresh, user};
use crate::agent::{
    Agent, Attach, Attached, Change, ChangeFilter, Command, EventId, GrantCommand, GrantError, GrantReply, Presented,
    Reply, StreamName, Streams, Subscription,
};
use crate::crypto::{Key, Secret};
use crate::ports::{AgentPorts, SqlValue};
use crate::support::{MemorySockets, SeededRandom};

const SESSION: &str = "AAAAAAAAAAAAAAAAAAAAAA";
const OTHER_SESSION: &str = "BBBBBBBBBBBBBBBBBBBBBB";
const MAIL: &str = r#"{"jsonrpc":"2.0","id":1,"result":{"subject":"Salary round"}}"#;

/// A grant's object with the sockets of its clients.
struct Scene {
    granted: Granted,
    ports: AgentPorts,
    agent: Rc<Agent>,
    sockets: Rc<MemorySockets>,
    access: Secret,
    refresh: Secret,
}

impl Scene {
    async fn new() -> Self {
        let granted = Granted::new();
        let tokens = granted.tokens().await;
        let sockets = Rc::new(MemorySockets::default());
        let ports = AgentPorts { sql: granted.sql.clone(), sockets: sockets.clone(), ..granted.platform.agent_ports() };
        let agent = Rc::new(Agent::new(granted.platform.config.clone(), ports.clone()));
        Self { granted, ports, agent, sockets, access: tokens.access, refresh: tokens.refresh }
    }

    async fn step(&self, command: GrantCommand) {
        assert!(matches!(self.agent.handle(Command::Grant(command)).await, Reply::Grant(Ok(_))));
    }

    fn streams(&self) -> Streams<'_> {
        Streams::new(&self.ports)
    }

    fn presented(&self, session: &str) -> Presented {
        Presented { session: Some(session.to_owned()), ..presented(&self.access) }
    }

    fn key(&self) -> Key {
        self.granted.grant.stream_key(&self.presented(SESSION)).unwrap()
    }

    /// A call's stream, begun; the call waits for its client, so it is not over.
    async fn call(&self, seed: u64) -> StreamName {
        let stream = StreamName::of_call(SESSION, &SeededRandom::new(seed));
        self.streams().begin(&stream, "1").await.unwrap();
        let waits = "INSERT INTO waiting_calls VALUES (?1, 's', '1', ?1, x'', 9999999999)";
        self.ports.sql.exec(waits, &[SqlValue::Text(stream.to_string())]).unwrap();
        stream
    }

    /// The calls are gone, as after a deploy.
    fn lose_calls(&self) {
        self.ports.sql.exec("DELETE FROM waiting_calls", &[]).unwrap();
    }

    fn say(&self, stream: &StreamName, message: &str) {
        self.streams().publish(stream, Some(&self.key()), message).unwrap();
    }

    /// What went to sockets of this stream.
    fn sent(&self, stream: &StreamName) -> Vec<String> {
        let all = self.sockets.0.borrow();
        all.iter().filter(|(to, _)| to == stream.as_str()).map(|(_, text)| text.clone()).collect()
    }

    fn ids(&self, stream: &StreamName) -> Vec<u64> {
        numbers(&self.sent(stream).concat(), stream)
    }

    fn attach(&self, stream: &StreamName, after: Option<u64>) -> Result<Attached, GrantError> {
        let presented = Some(self.presented(SESSION));
        self.agent.attach(&Attach { presented, stream: stream.clone(), after, prime: false, listens: None })
    }

    fn count(&self, table: &str) -> usize {
        self.ports.sql.exec(&format!("SELECT 1 FROM {table}"), &[]).unwrap().len()
    }
}

/// The numbers in the ids of these events, each of which must be of this stream.
fn numbers(events: &str, stream: &StreamName) -> Vec<u64> {
    let ids = events.lines().filter_map(|line| line.strip_prefix("id: "));
    ids.map(|id| EventId::parse(id).filter(|id| id.stream == *stream).unwrap().number).collect()
}

#[tokio::test(flavor = "current_thread")]
async fn what_is_said_is_stored_before_it_is_sent_and_never_in_clear() {
    let scene = Scene::new().await;
    let stream = scene.call(1).await;
    scene.granted.sql.budget.set(Some(1));
    let outcome = scene.streams().publish(&stream, Some(&Key::new([1; 32])), MAIL);
    assert_eq!(outcome, Err(GrantError::Storage));
    assert!(scene.sent(&stream).is_empty(), "what could not be stored is not sent");
    scene.granted.sql.budget.set(None);
    scene.say(&stream, MAIL);
    let sent = scene.sent(&stream);
    assert!(sent[0].starts_with(&format!("id: {stream}-")) && sent[0].ends_with(&format!("data: {MAIL}\n\n")));
    assert_eq!(scene.count("stream_events"), 1);
    let dump = scene.granted.dump();
    let bytes = format!("{:?}", "Salary".as_bytes());
    assert!(!dump.contains("Salary") && !dump.contains(bytes.trim_matches(['[', ']'])), "stored in clear");
}

#[tokio::test(flavor = "current_thread")]
async fn a_client_that_comes_back_gets_what_it_missed_of_that_stream_and_of_no_other() {
    let scene = Scene::new().await;
    let (one, two) = (scene.call(1).await, scene.call(2).await);
    for index in 0..4 {
        scene.say(&one, &format!("{{\"one\":{index}}}"));
        scene.say(&two, &format!("{{\"two\":{index}}}"));
    }
    let ids = scene.ids(&one);
    assert!(ids.windows(2).all(|pair| pair[0] < pair[1]), "numbers grow although the clock stood still");
    let missed = scene.attach(&one, Some(ids[1])).unwrap();
    assert_eq!(missed.events, scene.sent(&one)[2..].concat(), "the same events under the same ids");
    assert!(!missed.complete);
    assert_eq!(scene.attach(&one, Some(ids[3])).unwrap().events, "");
    assert_eq!(numbers(&scene.attach(&one, Some(0)).unwrap().events, &one), ids, "from the priming event on");
    assert_eq!(scene.attach(&one, None).unwrap().events, "", "who names no event missed none");
}

#[tokio::test(flavor = "current_thread")]
async fn a_stream_that_is_complete_ends_after_its_replay() {
    let scene = Scene::new().await;
    let stream = scene.call(1).await;
    scene.say(&stream, "{\"progress\":1}");
    scene.streams().finish(&stream, Some(&scene.key()), MAIL).unwrap();
    assert_eq!(scene.sent(&stream).last().unwrap(), "closed");
    let missed = scene.attach(&stream, Some(scene.ids(&stream)[0])).unwrap();
    assert!(missed.complete && missed.events.contains("Salary round") && !missed.events.contains("progress"));
}

#[tokio::test(flavor = "current_thread")]
async fn only_a_client_that_expects_it_gets_a_priming_event_with_the_cursor_it_would_come_back_with() {
    let scene = Scene::new().await;
    let stream = scene.call(1).await;
    let attach = |after| {
        let asked = Attach {
            presented: Some(scene.presented(SESSION)),
            stream: stream.clone(),
            after,
            prime: true,
            listens: None,
        };
        scene.agent.attach(&asked).unwrap().events
    };
    assert_eq!(attach(None), format!("id: {stream}-0\nretry: 2000\ndata: \n\n"));
    scene.say(&stream, MAIL);
    let newest = scene.ids(&stream)[0];
    assert!(attach(None).starts_with(&format!("id: {stream}-{newest}\n")));
    let resumed = attach(Some(0));
    assert!(resumed.starts_with(&format!("id: {stream}-0\nretry")) && resumed.contains("Salary round"), "{resumed}");
}

#[tokio::test(flavor = "current_thread")]
async fn an_event_of_another_session_or_of_no_stream_is_refused() {
    let scene = Scene::new().await;
    let stream = scene.call(1).await;
    scene.say(&stream, MAIL);
    let newest = scene.ids(&stream)[0];
    assert_eq!(scene.attach(&stream, Some(newest + 1)), Err(GrantError::EventUnknown), "yet to come");
    let unknown = StreamName::of_call(SESSION, &SeededRandom::new(99));
    assert_eq!(scene.attach(&unknown, Some(0)), Err(GrantError::EventUnknown));
    let from = |session: &str, after| {
        let presented = Some(scene.presented(session));
        scene.agent.attach(&Attach { presented, stream: stream.clone(), after, prime: false, listens: None })
    };
    assert_eq!(from(OTHER_SESSION, Some(0)), Err(GrantError::EventUnknown), "another session of the same grant");
    assert_eq!(from(OTHER_SESSION, None), Err(GrantError::EventUnknown), "nor may it listen");
    assert!(from(SESSION, Some(0)).is_ok(), "the control");
    let own = StreamName::of_session(SESSION);
    assert_eq!(scene.attach(&own, Some(newest)).unwrap().events, "", "the session's own stream needs no log");
}

#[tokio::test(flavor = "current_thread")]
async fn nobody_takes_up_a_stream_of_a_grant_without_its_live_token() {
    let scene = Scene::new().await;
    let stream = scene.call(1).await;
    scene.say(&stream, MAIL);
    let with = |presented| {
        scene.agent.attach(&Attach { presented, stream: stream.clone(), after: Some(0), prime: false, listens: None })
    };
    assert_eq!(with(None), Err(GrantError::TokenInvalid));
    let forged = Presented { token: Secret::new("m365a.x"), ..scene.presented(SESSION) };
    assert_eq!(with(Some(forged)), Err(GrantError::TokenInvalid));
    scene.step(GrantCommand::EndSession(scene.presented(SESSION))).await;
    assert_eq!(with(Some(scene.presented(SESSION))), Err(GrantError::SessionEnded));
    scene.step(GrantCommand::RevokeByUser { user: user() }).await;
    assert_eq!(with(Some(scene.presented(OTHER_SESSION))), Err(GrantError::Revoked));
}

#[tokio::test(flavor = "current_thread")]
async fn an_object_without_a_grant_serves_streams_of_discovery_and_knows_no_events() {
    let platform = crate::support::TestPlatform::new(&[]);
    let agent = Agent::new(platform.config.clone(), platform.agent_ports());
    let stream = StreamName::of_session(SESSION);
    let asked = Attach { presented: None, stream, after: None, prime: false, listens: None };
    assert_eq!(agent.attach(&asked), Ok(Attached { events: String::new(), complete: false }));
}

#[tokio::test(flavor = "current_thread")]
async fn what_was_sealed_for_one_token_opens_for_the_tokens_that_replace_it() {
    let mut scene = Scene::new().await;
    let stream = scene.call(1).await;
    scene.say(&stream, MAIL);
    let renewed = scene.granted.take(refresh(&scene.refresh)).await;
    scene.access = renewed.access;
    assert!(scene.attach(&stream, Some(0)).unwrap().events.contains("Salary round"));
}

#[tokio::test(flavor = "current_thread")]
async fn a_stored_event_opens_at_its_own_place_only() {
    let scene = Scene::new().await;
    let (one, two) = (scene.call(1).await, scene.call(2).await);
    scene.say(&one, MAIL);
    let steal = "INSERT INTO stream_events SELECT ?, number, sealed FROM stream_events";
    scene.ports.sql.exec(steal, &[SqlValue::Text(two.to_string())]).unwrap();
    scene.ports.sql.exec("UPDATE streams SET last = (SELECT MAX(last) FROM streams)", &[]).unwrap();
    assert_eq!(scene.attach(&two, Some(0)), Err(GrantError::Storage));
    assert!(scene.attach(&one, Some(0)).is_ok());
}

#[tokio::test(flavor = "current_thread")]
async fn the_log_is_bounded_in_events_bytes_and_streams_and_its_newest_events_stay() {
    let scene = Scene::new().await;
    let stream = scene.call(1).await;
    for index in 0..100 {
        scene.say(&stream, &format!("{{\"n\":{index}}}"));
    }
    let kept = scene.attach(&stream, Some(0)).unwrap().events;
    assert_eq!(numbers(&kept, &stream), scene.ids(&stream)[36..], "64 events");
    let large = format!("\"{}\"", "x".repeat(900_000));
    for _ in 0..3 {
        scene.say(&stream, &large);
    }
    assert_eq!(scene.count("stream_events"), 2, "two megabytes");
    scene.say(&stream, &format!("\"{}\"", "y".repeat(2_000_000)));
    assert_eq!(scene.count("stream_events"), 2, "what fits no row is sent and not kept");
    assert!(scene.sent(&stream).last().unwrap().contains("yyy"));
    for seed in 2..40 {
        scene.granted.platform.clock.advance(1);
        scene.say(&scene.call(seed).await, "{}");
    }
    assert_eq!((scene.count("streams"), scene.count("stream_events")), (16, 16));
    let newest = StreamName::of_call(SESSION, &SeededRandom::new(39));
    assert!(scene.attach(&newest, Some(0)).is_ok());
    assert_eq!(scene.attach(&stream, Some(0)), Err(GrantError::EventUnknown));
}

#[tokio::test(flavor = "current_thread")]
async fn the_alarm_erases_what_is_an_hour_old_and_still_ends_the_grant_in_time() {
    let scene = Scene::new().await;
    let (alarm, clock) = (&scene.granted.platform.alarm, &scene.granted.platform.clock);
    alarm.0.set(Some(scene.granted.now() + 30));
    let first = scene.call(1).await;
    assert_eq!(alarm.0.get(), Some(scene.granted.now() + 30), "an earlier alarm stays");
    scene.say(&first, MAIL);
    scene.agent.wake().await.unwrap();
    assert_eq!(alarm.0.get(), Some(scene.granted.now() + 3600));
    clock.advance(1800);
    let second = scene.call(2).await;
    scene.say(&second, MAIL);
    clock.advance(1800);
    scene.agent.wake().await.unwrap();
    assert_eq!((scene.count("streams"), scene.count("stream_events")), (1, 1));
    assert_eq!(alarm.0.get(), Some(scene.granted.now() + 1800));
    clock.advance(1800);
    scene.agent.wake().await.unwrap();
    assert_eq!((scene.count("streams"), scene.count("stream_events")), (0, 0));
    let Ok(GrantReply::Described(grant)) = scene.granted.ask(GrantCommand::Describe { user: user() }).await else {
        unreachable!("the grant stands")
    };
    assert_eq!(alarm.0.get(), Some(grant.ends_at));
}

#[tokio::test(flavor = "current_thread")]
async fn a_session_that_ends_takes_its_streams_with_it_and_leaves_the_others() {
    let scene = Scene::new().await;
    let gone = scene.call(1).await;
    let stays = StreamName::of_call(OTHER_SESSION, &SeededRandom::new(2));
    scene.streams().begin(&stays, "1").await.unwrap();
    for stream in [&gone, &stays] {
        scene.say(stream, MAIL);
    }
    let command = Command::Grant(GrantCommand::EndSession(scene.presented(SESSION)));
    assert!(matches!(scene.agent.handle(command).await, Reply::Grant(Ok(GrantReply::Done))));
    assert_eq!((scene.count("streams"), scene.count("stream_events")), (1, 1));
    assert!(scene.sockets.0.borrow().contains(&(SESSION.to_owned(), "closed".to_owned())));
}

#[tokio::test(flavor = "current_thread")]
async fn the_end_of_the_grant_erases_every_stream() {
    let scene = Scene::new().await;
    let stream = scene.call(1).await;
    scene.say(&stream, MAIL);
    let command = Command::Grant(GrantCommand::RevokeByUser { user: user() });
    assert!(matches!(scene.agent.handle(command).await, Reply::Grant(Ok(GrantReply::Done))));
    assert_eq!((scene.count("streams"), scene.count("stream_events")), (0, 0));
}

/// A listener for this kind of change.
fn listener(seed: u64, filter: ChangeFilter) -> (StreamName, Subscription) {
    (StreamName::alone(&SeededRandom::new(seed)), Subscription { id: seed.to_string(), filter })
}

#[tokio::test(flavor = "current_thread")]
async fn a_change_goes_to_those_who_asked_for_it_and_the_end_of_the_grant_to_all_who_listen() {
    let scene = Scene::new().await;
    let (tools, tools_filter) = listener(1, ChangeFilter { tools_list_changed: true, ..ChangeFilter::default() });
    let (prompts, prompts_filter) = listener(2, ChangeFilter { prompts_list_changed: true, ..ChangeFilter::default() });
    *scene.sockets.1.borrow_mut() = vec![(tools.clone(), tools_filter), (prompts.clone(), prompts_filter)];
    scene.streams().announce(&Change::Tools);
    let told = scene.sent(&tools);
    assert!(told.len() == 1 && told[0].contains("notifications/tools/list_changed"), "{told:?}");
    assert!(scene.sent(&prompts).is_empty(), "nobody gets what was not asked for");
    let command = Command::Grant(GrantCommand::RevokeByUser { user: user() });
    assert!(matches!(scene.agent.handle(command).await, Reply::Grant(Ok(GrantReply::Done))));
    for stream in [&tools, &prompts] {
        assert!(scene.sent(stream).last().unwrap().contains(r#""resultType":"complete""#));
    }
    assert_eq!(scene.sockets.0.borrow().last().unwrap().1, "closed", "told first, then closed");
}

#[tokio::test(flavor = "current_thread")]
async fn whether_a_call_could_be_answered_is_said_only_to_a_token_that_counts() {
    let scene = Scene::new().await;
    let stream = StreamName::of_session(SESSION);
    let ask = async |presented| match scene.agent.handle(Command::MaySpeak { presented, stream: stream.clone() }).await
    {
        Reply::Grant(outcome) => outcome,
        other => unreachable!("{other:?}"),
    };
    assert_eq!(ask(scene.presented(SESSION)).await, Ok(GrantReply::Done));
    scene.sockets.2.set(true);
    assert_eq!(ask(scene.presented(SESSION)).await, Err(GrantError::NotConnected));
    let forged = Presented { token: Secret::new("m365a.x"), ..scene.presented(SESSION) };
    assert_eq!(ask(forged).await, Err(GrantError::TokenInvalid));
}

#[tokio::test(flavor = "current_thread")]
async fn who_comes_back_for_a_call_that_is_gone_gets_an_error_and_waits_for_nothing() {
    let scene = Scene::new().await;
    let stream = scene.call(1).await;
    scene.say(&stream, "{\"progress\":1}");
    assert!(!scene.attach(&stream, Some(0)).unwrap().complete, "as long as it goes on, nothing is said for it");
    scene.lose_calls();
    for _ in 0..2 {
        let missed = scene.attach(&stream, Some(0)).unwrap();
        assert!(missed.complete && missed.events.contains("progress"));
        assert_eq!(missed.events.matches(r#""id":1,"error":{"code":-32603"#).count(), 1, "{}", missed.events);
    }
    let done = scene.call(2).await;
    scene.streams().finish(&done, Some(&scene.key()), MAIL).unwrap();
    scene.lose_calls();
    let missed = scene.attach(&done, Some(0)).unwrap().events;
    assert!(missed.contains("Salary round") && !missed.contains("error"), "what was answered stays answered");
}
