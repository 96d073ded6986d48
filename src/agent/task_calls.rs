//! Calls that become tasks: when one does, how it goes on without anybody who waits, and what is done with it then.
//!
//! A call becomes a task where its client knows tasks and it has taken so long, or its tool said that it will. It is the
//! same call before and after, with the token that it came with in its memory and nowhere else; only its end is later.
//! A task that is answered runs again from its start, like every call that asked.

use std::pin::pin;
use std::rc::Rc;

use futures_util::future::{AbortHandle, Abortable, Either, LocalBoxFuture, select};

use super::Agent;
use super::calls::Deferral;
use super::client::{Called, Client};
use super::command::{Action, CallCommand, GrantError, TaskStep};
use super::streams::{Attach, Change, Streams};
use super::tasks::{Asking, State, Table, Task};
use crate::crypto::Key;
use crate::log::{Event, Kind};
use crate::tools;

/// Milliseconds that a client waits for an answer before it gets a task: less than the half minute after which the first
/// give up, and long enough that nearly no call comes so far.
const PATIENCE_MS: u64 = 25_000;

/// Bytes with which a listener is told at once how its tasks stand. Of the rest it learns by asking.
const MOST_TOLD: usize = 2_000_000;

type Work = LocalBoxFuture<'static, Result<Called, GrantError>>;

impl Agent {
    /// A call, or what is asked of one that went on as a task.
    pub(super) async fn begin(self: &Rc<Self>, command: CallCommand) -> Result<Called, GrantError> {
        match &command.action {
            Action::Task { id, step } => self.task(&command, id, step),
            Action::Tool { .. } if command.request.is_none() && command.client.capabilities.knows_tasks() => {
                self.call_or_task(command).await
            }
            Action::Tool { .. } | Action::Resource { .. } | Action::Wish(_) => {
                self.call(&command, &Rc::default()).await
            }
        }
    }

    async fn call_or_task(self: &Rc<Self>, command: CallCommand) -> Result<Called, GrantError> {
        let (command, deferral) = (Rc::new(command), Rc::new(Deferral::default()));
        let work = self.work(&command, &deferral);
        let patience = self.ports.timer.sleep(PATIENCE_MS);
        // The tool is asked first: what is done is done.
        let work = match select(work, select(pin!(patience), pin!(deferral.is_wanted()))).await {
            Either::Left((outcome, _)) => return outcome,
            Either::Right((_, work)) => work,
        };
        // Without room, or without storage, it stays the call that it was.
        let Ok(Some((task, key))) = self.open_task(&command).await else { return work.await };
        deferral.begin();
        let told = task.told().to_string();
        self.go_on(task.id, key, command, work);
        Ok(Called::Task(told))
    }

    fn work(self: &Rc<Self>, command: &Rc<CallCommand>, deferral: &Rc<Deferral>) -> Work {
        let (agent, command, deferral) = (Rc::clone(self), Rc::clone(command), Rc::clone(deferral));
        Box::pin(async move { agent.call(&command, &deferral).await })
    }

    async fn open_task(&self, command: &CallCommand) -> Result<Option<(Task, Key)>, GrantError> {
        let key = self.grant.stream_key(&command.presented)?;
        let task = Table::new(&self.ports, &key).begin(tools::writes(&command.action)).await?;
        Ok(task.map(|task| (task, key)))
    }

    /// Runs a task to its end, after the reply.
    fn go_on(self: &Rc<Self>, id: String, key: Key, command: Rc<CallCommand>, work: Work) {
        let (abort, registration) = AbortHandle::new_pair();
        self.tasks.enter(&id, abort);
        let agent = Rc::clone(self);
        self.ports.background.run(Box::pin(async move {
            let started = agent.ports.clock.now_ms();
            let ended = Abortable::new(work, registration).await;
            // A call that was cancelled by itself has written its line.
            let has_line = matches!(ended, Ok(Ok(Called::Cancelled)));
            let outcome = ended.unwrap_or(Ok(Called::Cancelled));
            if !has_line {
                agent.log(&command, started, &outcome);
            }
            // Nothing waits between the two: at no moment is it neither running nor at its end.
            agent.tasks.leave(&id);
            if agent.settle(&id, &key, &command, outcome).is_err() {
                let reason = Some("task-lost");
                let request_id = Some(command.correlation.request_id.as_str());
                agent.ports.log.write(&Event { request_id, reason, ..Event::new(Kind::InternalError) });
            }
        }));
    }

    /// Stores what a run came to. Of a task that was taken back, or whose grant is over, nothing is stored.
    fn settle(
        &self,
        id: &str,
        key: &Key,
        command: &CallCommand,
        outcome: Result<Called, GrantError>,
    ) -> Result<(), GrantError> {
        let table = Table::new(&self.ports, key);
        let Some(mut task) = table.find(id)? else { return Ok(()) };
        let State::Working { writes, round } = task.state else { return Ok(()) };
        let state = match outcome {
            Ok(Called::Done(result)) => State::Completed(result),
            Ok(Called::InputRequired { requests, dialogue }) => {
                let client = Client { dialogue, ..command.client.clone() };
                State::Asking(Box::new(Asking::new(command, client, requests, round.saturating_add(1))))
            }
            Ok(Called::CannotAsk { method, .. }) => State::cannot_ask(method),
            Ok(Called::Cancelled) => State::Cancelled { writes },
            // None of these comes of a tool whose client has no session.
            Ok(Called::NotFound { .. } | Called::OnStream(_) | Called::Task(_)) => {
                State::failed("internal error", writes)
            }
            Err(error) => State::failed(&error.to_string(), writes),
        };
        self.change(&table, &mut task, state)
    }

    /// Stores how a task stands, and tells those who listen.
    fn change(&self, table: &Table<'_>, task: &mut Task, state: State) -> Result<(), GrantError> {
        table.change(task, state)?;
        Streams::new(&self.ports).announce(&Change::Task { id: task.id.clone(), task: task.told() });
        Ok(())
    }

    fn task(self: &Rc<Self>, command: &CallCommand, id: &str, step: &TaskStep) -> Result<Called, GrantError> {
        self.grant.present(&command.presented)?;
        let key = self.grant.stream_key(&command.presented)?;
        let table = Table::new(&self.ports, &key);
        let Some(mut task) = self.find(&table, id)? else { return Ok(Called::NotFound { uri: id.to_owned() }) };
        match (step, &mut task.state) {
            (TaskStep::Get, _) => return Ok(Called::Done(task.told().to_string())),
            (TaskStep::Update(answers), State::Asking(asking)) => {
                asking.take(answers);
                let asking = asking.clone();
                self.answered(command, (&table, &key), task, asking)?;
            }
            (TaskStep::Cancel, State::Working { .. } | State::Asking(_)) => {
                let writes = matches!(task.state, State::Working { writes: true, .. });
                self.change(&table, &mut task, State::Cancelled { writes })?;
                if let Some(running) = self.tasks.leave(id) {
                    running.abort();
                }
            }
            // Nothing is open, or it is over.
            (TaskStep::Update(_), State::Working { .. })
            | (
                TaskStep::Update(_) | TaskStep::Cancel,
                State::Completed(_) | State::Failed { .. } | State::Cancelled { .. },
            ) => {}
        }
        Ok(Called::Done("{}".to_owned()))
    }

    /// The task of this id, as it really stands: one that was taken away, or that nobody answered, has failed.
    fn find(&self, table: &Table<'_>, id: &str) -> Result<Option<Task>, GrantError> {
        let Some(mut task) = table.find(id)? else { return Ok(None) };
        let failed = match &task.state {
            State::Working { writes, .. } if !self.tasks.runs(id) => {
                State::failed("the server was interrupted", *writes)
            }
            State::Asking(asking) if table.is_late(asking) => State::failed("nobody answered in time", false),
            State::Working { .. }
            | State::Asking(_)
            | State::Completed(_)
            | State::Failed { .. }
            | State::Cancelled { .. } => return Ok(Some(task)),
        };
        self.change(table, &mut task, failed)?;
        Ok(Some(task))
    }

    /// Goes on with the last answer; until then it waits on.
    fn answered(
        self: &Rc<Self>,
        command: &CallCommand,
        (table, key): (&Table<'_>, &Key),
        mut task: Task,
        asking: Box<Asking>,
    ) -> Result<(), GrantError> {
        if !asking.open.is_empty() {
            return self.change(table, &mut task, State::Asking(asking));
        }
        let round = asking.round;
        let command = Rc::new(asking.again(command.presented.clone()));
        self.change(table, &mut task, State::Working { writes: tools::writes(&command.action), round })?;
        let deferral = Rc::new(Deferral::default());
        deferral.begin();
        let work = self.work(&command, &deferral);
        self.go_on(task.id, key.clone(), command, work);
        Ok(())
    }

    /// How the tasks stand of which a connection wants to hear: what happened before it was there would not be told again.
    pub(super) fn states(&self, asked: &Attach) -> Result<String, GrantError> {
        let mut events = String::new();
        let (Some(presented), Some(subscription)) = (&asked.presented, &asked.listens) else { return Ok(events) };
        if subscription.filter.task_ids.is_empty() {
            return Ok(events);
        }
        let key = self.grant.stream_key(presented)?;
        let table = Table::new(&self.ports, &key);
        for id in &subscription.filter.task_ids {
            let Some(task) = self.find(&table, id)? else { continue };
            let change = Change::Task { id: id.clone(), task: task.told() };
            events.extend(subscription.notification(&change).as_deref().map(Streams::event));
            if events.len() > MOST_TOLD {
                break;
            }
        }
        Ok(events)
    }
}
