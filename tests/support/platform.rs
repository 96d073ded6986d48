//! A whole platform of fakes, with the grants' objects in the same process.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::{Rc, Weak};

use async_trait::async_trait;

use super::fakes::{
    CountingLimiter, FakeConnection, FakeTimer, FewZones, FrozenClock, MemoryLog, MemorySockets, NativeReader, Pace,
    QueuedBackground, ScriptedGateway, ScriptedUpstream, SeededRandom,
};
use super::signatures::{NativeEs256, NativePs256, NativeRs256};
use super::stores::{FakeAlarm, MemoryKv, MemorySql};
use crate::agent::{Agent, AgentName, Attach, Attached, Command, GrantError, Reply};
use crate::config::Config;
use crate::ports::{AgentPorts, AgentUnavailable, Agents, Ports};

/// Monday, 2026-03-02 09:00 UTC.
pub(crate) const START: u64 = 1_772_442_000;

/// Tenant of the invented company.
pub(crate) const TENANT: &str = "0a1b2c3d-0000-4000-8000-00000000c0de";

/// What proves the server to Entra, unless a test sets a certificate.
pub(crate) const CLIENT_SECRET: &str = "entra-client-secret-of-the-tests";

const FIRST_KEY: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
const SECOND_KEY: &str = "8899aabbccddeeff00112233445566778899aabbccddeeff0011223344556677";

/// The environment's change of `ENCRYPTION_KEY`; the first alone is the day on which the old key is dropped.
pub(crate) const ROTATED: [(&str, &str); 2] = [("ENCRYPTION_KEY", SECOND_KEY), ("ENCRYPTION_KEY_PREVIOUS", FIRST_KEY)];

/// The day before: the new key is known already, and makes nothing yet.
pub(crate) const ANNOUNCED: [(&str, &str); 1] = [("ENCRYPTION_KEY_PREVIOUS", SECOND_KEY)];

/// A complete environment of a local deployment, with changes applied; an empty value removes the setting.
pub(crate) fn environment(changes: &[(&str, &str)]) -> HashMap<String, String> {
    let base = [
        ("PUBLIC_URL", "http://localhost:8787"),
        ("CLOUD", "local:8788"),
        ("ACCESS_MODE", "off"),
        ("MICROSOFT_CLIENT_ID", "11111111-2222-4333-8444-555555555555"),
        ("MICROSOFT_TENANT_ID", TENANT),
        ("MICROSOFT_CLIENT_SECRET", CLIENT_SECRET),
        ("GRAPH_API_VERSION", "v1.0"),
        ("ENCRYPTION_KEY", FIRST_KEY),
        ("COOKIE_ENCRYPTION_KEY", "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100"),
        ("COOKIE_SECRET", "a cookie secret of at least thirty-two bytes"),
        ("GRAPH_HANDLER_KEY", "a handler key of at least thirty-two bytes"),
    ];
    let all = base.iter().chain(changes);
    all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// The configuration of [`environment`].
pub(crate) fn config(changes: &[(&str, &str)]) -> Rc<Config> {
    let environment = environment(changes);
    Rc::new(Config::parse(&|name| environment.get(name).cloned()).expect("the tests' environment is complete"))
}

/// Every fake of one deployment.
pub(crate) struct TestPlatform {
    pub(crate) config: Rc<Config>,
    pub(crate) clock: Rc<FrozenClock>,
    pub(crate) random: Rc<SeededRandom>,
    pub(crate) kv: Rc<MemoryKv>,
    pub(crate) upstream: Rc<ScriptedUpstream>,
    pub(crate) gateway: Rc<ScriptedGateway>,
    pub(crate) alarm: Rc<FakeAlarm>,
    pub(crate) timer: Rc<FakeTimer>,
    pub(crate) log: Rc<MemoryLog>,
    pub(crate) background: Rc<QueuedBackground>,
    pub(crate) agents: Rc<NativeAgents>,
    pub(crate) limiter: Rc<CountingLimiter>,
    /// What was said on the streams of every object.
    pub(crate) sockets: Rc<MemorySockets>,
    pub(crate) connection: Rc<FakeConnection>,
}

impl TestPlatform {
    pub(crate) fn new(changes: &[(&str, &str)]) -> Self {
        let config = config(changes);
        let clock = Rc::new(FrozenClock::new(START));
        let random = Rc::new(SeededRandom::new(42));
        let kv = Rc::new(MemoryKv::default());
        let upstream = Rc::new(ScriptedUpstream::default());
        let gateway = Rc::new(ScriptedGateway::default());
        let alarm = Rc::new(FakeAlarm::default());
        let timer = Rc::new(FakeTimer::default());
        let log = Rc::new(MemoryLog::default());
        let sockets = Rc::new(MemorySockets::default());
        let background = Rc::new(QueuedBackground::default());
        let switchboard = Rc::new(Switchboard::default());
        let template = AgentPorts {
            clock: clock.clone(),
            zones: Rc::new(FewZones),
            random: random.clone(),
            sql: Rc::new(MemorySql::new()),
            kv: kv.clone(),
            upstream: upstream.clone(),
            ps256: Rc::new(NativePs256),
            gateway: gateway.clone(),
            alarm: alarm.clone(),
            agents: switchboard.clone(),
            sockets: sockets.clone(),
            documents: Rc::new(NativeReader),
            timer: timer.clone(),
            log: log.clone(),
            background: background.clone(),
        };
        let agents = Rc::new(NativeAgents::new(config.clone(), template));
        *switchboard.0.borrow_mut() = Rc::downgrade(&agents);
        let (limiter, connection) = (Rc::default(), Rc::default());
        Self {
            config,
            clock,
            random,
            kv,
            upstream,
            gateway,
            alarm,
            timer,
            log,
            background,
            agents,
            limiter,
            sockets,
            connection,
        }
    }

    /// Deploys other settings over the same storage.
    pub(crate) fn reconfigure(&mut self, changes: &[(&str, &str)]) {
        self.config = config(changes);
        *self.agents.config.borrow_mut() = self.config.clone();
        self.agents.evict();
    }

    /// The stateless Worker's ports.
    pub(crate) fn ports(&self) -> Ports {
        Ports {
            clock: self.clock.clone(),
            random: self.random.clone(),
            kv: self.kv.clone(),
            agents: self.agents.clone(),
            limiter: self.limiter.clone(),
            upstream: self.upstream.clone(),
            rs256: Rc::new(NativeRs256),
            es256: Rc::new(NativeEs256),
            ps256: Rc::new(NativePs256),
            timer: self.timer.clone(),
            log: self.log.clone(),
            background: self.background.clone(),
            connection: self.connection.clone(),
        }
    }

    /// An object's ports over fresh storage, for tests of one object alone.
    pub(crate) fn agent_ports(&self) -> AgentPorts {
        AgentPorts { sql: Rc::new(MemorySql::new()), ..self.agents.template.clone() }
    }
}

/// One object and its storage.
type Object = (Rc<Agent>, Rc<MemorySql>);

/// The Durable Objects of a test, each with its own storage, which outlives an eviction.
pub(crate) struct NativeAgents {
    config: RefCell<Rc<Config>>,
    template: AgentPorts,
    objects: RefCell<HashMap<String, Object>>,
    /// Makes every object unreachable.
    pub(crate) fail: Cell<bool>,
    /// Makes the users' objects unreachable.
    pub(crate) fail_users: Cell<bool>,
    /// Commands carried to grants so far; the object that counts registrations is none.
    pub(crate) hops: Cell<usize>,
    /// How long a command is under way.
    pub(crate) pace: Pace,
}

impl NativeAgents {
    fn new(config: Rc<Config>, template: AgentPorts) -> Self {
        Self {
            config: RefCell::new(config),
            template,
            objects: RefCell::default(),
            fail: Cell::new(false),
            fail_users: Cell::new(false),
            hops: Cell::new(0),
            pace: Pace::default(),
        }
    }

    /// Forgets what the objects hold in memory, as an eviction or a deploy does.
    pub(crate) fn evict(&self) {
        for (agent, sql) in self.objects.borrow_mut().values_mut() {
            let ports = AgentPorts { sql: sql.clone(), ..self.template.clone() };
            *agent = Rc::new(Agent::new(self.config.borrow().clone(), ports));
        }
    }

    /// Every cell of the tables of grants and users, for tests that look for what must not be stored.
    pub(crate) fn dump(&self) -> String {
        self.storages().iter().map(|sql| sql.dump()).collect()
    }

    /// Every cell of one object's tables.
    pub(crate) fn dump_of(&self, name: &AgentName) -> String {
        self.objects.borrow().get(&name.to_string()).map(|(_, sql)| sql.dump()).unwrap_or_default()
    }

    /// A connection takes up a stream of an object.
    pub(crate) fn attach(&self, name: &AgentName, asked: &Attach) -> Result<Attached, GrantError> {
        self.object(name).attach(asked)
    }

    /// The connection to a stream breaks off.
    pub(crate) fn hang_up(&self, stream: &str) {
        let objects: Vec<_> = self.objects.borrow().values().map(|(agent, _)| agent.clone()).collect();
        for object in objects {
            object.hung_up(stream);
        }
    }

    /// Rings every object's alarm.
    pub(crate) async fn wake_all(&self) {
        let objects: Vec<_> = self.objects.borrow().values().map(|(agent, _)| agent.clone()).collect();
        for object in objects {
            object.wake().await.expect("the alarm does its work");
        }
    }

    /// The storage of every object that holds something of somebody's: all but the day's count of registrations. Grants
    /// first, then users.
    pub(crate) fn storages(&self) -> Vec<Rc<MemorySql>> {
        let objects = self.objects.borrow();
        let mut of_people: Vec<_> = objects.iter().filter(|(name, _)| !name.starts_with("registrations:")).collect();
        of_people.sort_by_key(|(name, _)| name.as_str());
        of_people.into_iter().map(|(_, (_, sql))| sql.clone()).collect()
    }

    fn object(&self, name: &AgentName) -> Rc<Agent> {
        let mut objects = self.objects.borrow_mut();
        let (agent, _) = objects.entry(name.to_string()).or_insert_with(|| {
            let sql = Rc::new(MemorySql::new());
            let mut ports = AgentPorts { sql: sql.clone(), ..self.template.clone() };
            if matches!(name, AgentName::User(_)) {
                // Tests look at the alarms of grants.
                ports.alarm = Rc::new(FakeAlarm::default());
            }
            (Rc::new(Agent::new(self.config.borrow().clone(), ports)), sql)
        });
        agent.clone()
    }
}

/// The way from one object to another.
#[derive(Default)]
struct Switchboard(RefCell<Weak<NativeAgents>>);

#[async_trait(?Send)]
impl Agents for Switchboard {
    async fn call(&self, name: &AgentName, command: &Command) -> Result<Reply, AgentUnavailable> {
        let agents = self.0.borrow().upgrade().ok_or(AgentUnavailable)?;
        agents.call(name, command).await
    }
}

#[async_trait(?Send)]
impl Agents for NativeAgents {
    async fn call(&self, name: &AgentName, command: &Command) -> Result<Reply, AgentUnavailable> {
        if self.fail.get() || (self.fail_users.get() && matches!(name, AgentName::User(_))) {
            return Err(AgentUnavailable);
        }
        self.pace.rest().await;
        if matches!(name, AgentName::Grant(_)) {
            self.hops.set(self.hops.get() + 1);
        }
        // Through JSON, as between a Worker and its object.
        let wire = serde_json::to_string(command).map_err(|_| AgentUnavailable)?;
        let command = serde_json::from_str(&wire).map_err(|_| AgentUnavailable)?;
        let reply = self.object(name).handle(command).await;
        self.pace.rest().await;
        let wire = serde_json::to_string(&reply).map_err(|_| AgentUnavailable)?;
        serde_json::from_str(&wire).map_err(|_| AgentUnavailable)
    }
}
