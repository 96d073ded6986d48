//! Clock, randomness, timer, log, background work and settings.

use std::rc::Rc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::LocalBoxFuture;
use js_sys::Promise;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use worker::{Date, Delay, Env, State, console_log};

use crate::log::Event;
use crate::ports::{Background, Clock, Connection, Log, Random, Timer};

/// A setting or secret; `None` when absent or not text.
pub(crate) fn lookup(env: &Env, name: &str) -> Option<String> {
    js_sys::Reflect::get(env, &JsValue::from_str(name)).ok()?.as_string()
}

/// Whether a binding of this name exists.
pub(crate) fn has_binding(env: &Env, name: &str) -> bool {
    js_sys::Reflect::get(env, &JsValue::from_str(name)).is_ok_and(|value| value.is_object())
}

/// Whether the Worker runs with this compatibility flag.
pub(crate) fn has_compatibility_flag(name: &str) -> bool {
    let get = |object: &JsValue, key: &str| js_sys::Reflect::get(object, &JsValue::from_str(key));
    let flags = get(&js_sys::global(), "Cloudflare").and_then(|runtime| get(&runtime, "compatibilityFlags"));
    flags.and_then(|flags| get(&flags, name)).is_ok_and(|flag| flag.is_truthy())
}

/// The runtime's clock.
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn now_ms(&self) -> u64 {
        Date::now().as_millis()
    }
}

/// `crypto.getRandomValues`.
pub(crate) struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) {
        // The runtime's generator does not fail; were it missing, trapping is the only safe answer.
        if getrandom_02::getrandom(bytes).is_err() {
            wasm_bindgen::throw_str("no random source");
        }
    }
}

/// `setTimeout`.
pub(crate) struct WorkerTimer;

#[async_trait(?Send)]
impl Timer for WorkerTimer {
    async fn sleep(&self, ms: u64) {
        Delay::from(Duration::from_millis(ms)).await;
    }
}

/// One JSON line an event.
pub(crate) struct ConsoleLog;

impl Log for ConsoleLog {
    fn write(&self, event: &Event<'_>) {
        if let Ok(line) = serde_json::to_string(event) {
            console_log!("{line}");
        }
    }
}

/// `waitUntil` of the request being answered.
pub(crate) struct WaitUntil(pub(crate) worker::Context);

impl Background for WaitUntil {
    fn run(&self, work: LocalBoxFuture<'static, ()>) {
        self.0.wait_until(work);
    }
}

/// What an object does after its reply: it stays awake for that while it waits for something.
pub(crate) struct ObjectBackground(pub(crate) Rc<State>);

impl Background for ObjectBackground {
    fn run(&self, work: LocalBoxFuture<'static, ()>) {
        self.0.wait_until(work);
    }
}

/// The incoming request's `signal`, which aborts when the client goes. Needs the compatibility flag
/// `enable_request_signal`; without it nobody ever goes.
pub(crate) struct ClientConnection(pub(crate) web_sys::Request);

#[async_trait(?Send)]
impl Connection for ClientConnection {
    async fn closed(&self) {
        let signal = self.0.signal();
        if signal.aborted() {
            return;
        }
        let aborted = Promise::new(&mut |resolve, _| signal.set_onabort(Some(&resolve)));
        // What would reject it does not exist.
        let _ = JsFuture::from(aborted).await;
    }
}
