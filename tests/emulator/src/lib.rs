//! The emulator: Entra, Microsoft Graph, Cloudflare Access and the far end of AI Gateway in one process.
//!
//! It exists for local development and tests. It routes by `Host`, because workerd sends every
//! `fetch` of the Worker to one address with the original host, and it refuses whatever the real
//! service would refuse. All its people and all its mail are invented.
//!
//! `dispatch` chooses the service · `entra`, `graph`, `gateway`, `access` are the services ·
//! `control` is the JSON interface for tests · `page` is the same for people · `sample` is the
//! data everything starts from · `faults` are the failures a test can order.

pub mod access;
pub mod call;
pub mod control;
pub mod dispatch;
pub mod entra;
pub mod faults;
pub mod gateway;
pub mod graph;
pub mod json;
pub mod keys;
pub mod layout;
pub mod listener;
pub mod opaque;
pub mod page;
pub mod publisher;
pub mod reply;
pub mod sample;
pub mod settings;
pub mod world;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use keys::KeyRing;
use settings::Settings;
use world::World;

/// One running emulator: its settings, its keys and everything that `reset` forgets.
pub struct Emulator {
    /// What the process was started with.
    pub settings: Settings,
    /// Keys that sign `id_token`s.
    pub entra_keys: KeyRing,
    /// Keys that sign Access JWTs.
    pub access_keys: KeyRing,
    /// The client the gateway calls the handler with.
    pub http: reqwest::Client,
    world: Mutex<World>,
}

/// The handle every request gets.
pub type App = Arc<Emulator>;

/// workerd closes a connection that was idle for five seconds; one that is closed just as it is used again has no answer.
const IDLE: Duration = Duration::from_secs(3);

impl Emulator {
    /// Builds an emulator with fresh sample data; keys are made on first use.
    pub fn new(settings: Settings) -> Result<App, reqwest::Error> {
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .pool_max_idle_per_host(64)
            .pool_idle_timeout(IDLE)
            .build()?;
        let world = Mutex::new(World::new(&settings));
        Ok(Arc::new(Self {
            settings,
            entra_keys: KeyRing::new("entra"),
            access_keys: KeyRing::new("access"),
            http,
            world,
        }))
    }

    /// Locks the state. Never hold the guard across an `.await`.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts all state and faults back to the start; keys are kept.
    pub fn reset(&self) {
        *self.world() = World::new(&self.settings);
    }
}

/// Serves the emulator on a listener until the future is dropped, making keys in the background.
pub async fn serve(app: App, tcp: tokio::net::TcpListener) -> std::io::Result<()> {
    let warm = Arc::clone(&app);
    tokio::spawn(async move {
        warm.entra_keys.current().await;
        warm.access_keys.current().await;
    });
    let service = dispatch::router(app).into_make_service_with_connect_info::<listener::Line>();
    axum::serve(listener::DroppableListener(tcp), service).await
}
