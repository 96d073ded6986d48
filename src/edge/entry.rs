//! The Worker's `fetch` event: platform types in, the core's answer, platform types out.

use std::cell::OnceCell;
use std::rc::Rc;

use worker::{Context as WorkerContext, Env, event};

use crate::app::{self, Arrival, Deployment};
use crate::config::Config;
use crate::edge::agents::ObjectAgents;
use crate::edge::convert;
use crate::edge::fetch::WorkerFetch;
use crate::edge::kv::WorkerKv;
use crate::edge::limiter::WorkerRateLimiter;
use crate::edge::platform::{
    ClientConnection, ConsoleLog, SystemClock, SystemRandom, WaitUntil, WorkerTimer, has_binding, lookup,
};
use crate::edge::ps256::WebCryptoSigner;
use crate::edge::rs256::WebCrypto;
use crate::exchange::{Exchange, Isolate};
use crate::ports::{Limit, Ports};
use crate::web::{Request, Response};

const BINDINGS: &[&str] = &["MCP_OBJECT", "OAUTH_KV", "AI"];

thread_local! {
    static DEPLOYMENT: OnceCell<Rc<Deployment>> = const { OnceCell::new() };
    static ISOLATE: Rc<Isolate> = Rc::default();
}

/// The settings of this deployment, parsed by the first request of the isolate: they cannot change without a new one.
pub(crate) fn deployment(env: &Env) -> Rc<Deployment> {
    DEPLOYMENT.with(|cell| {
        Rc::clone(cell.get_or_init(|| {
            let missing = BINDINGS.iter().filter(|name| !has_binding(env, name));
            let config = Config::parse(&|name| lookup(env, name));
            let unlimited = Limit::ALL.into_iter().map(Limit::binding).filter(|name| !has_binding(env, name));
            Rc::new(Deployment::new(config, missing.map(|name| (*name).to_owned())).warn_of_unlimited(unlimited))
        }))
    })
}

#[event(fetch)]
async fn fetch(mut request: worker::Request, env: Env, context: WorkerContext) -> worker::Result<web_sys::Response> {
    let deployment = deployment(&env);
    let ports = ports(&env, context, Clone::clone(request.inner()));
    let mut head = convert::read_head(&request);
    let arrival = app::arrive(&ports, &head);
    let response = match convert::read_body(&mut request, app::body_limit(&head)).await {
        Err(refusal) => app::refuse_body(refusal),
        Ok(bytes) => {
            head.body = bytes;
            respond(&deployment, &ports, &arrival, &head).await
        }
    };
    let response = app::depart(&ports, &deployment, &arrival, &head, response);
    convert::write(response, &env).await
}

async fn respond(deployment: &Deployment, ports: &Ports, arrival: &Arrival, request: &Request) -> Response {
    let Ok(config) = &deployment.config else {
        return app::unconfigured(deployment, request);
    };
    let exchange = Exchange {
        config: Rc::clone(config),
        ports: ports.clone(),
        isolate: ISOLATE.with(Rc::clone),
        context: arrival.context.clone(),
        access: None,
    };
    app::answer(exchange, deployment, request).await
}

fn ports(env: &Env, context: WorkerContext, request: web_sys::Request) -> Ports {
    Ports {
        clock: Rc::new(SystemClock),
        random: Rc::new(SystemRandom),
        kv: Rc::new(WorkerKv(env.clone())),
        agents: Rc::new(ObjectAgents(env.clone())),
        limiter: Rc::new(WorkerRateLimiter(env.clone())),
        upstream: Rc::new(WorkerFetch),
        rs256: Rc::new(WebCrypto),
        es256: Rc::new(WebCrypto),
        ps256: Rc::new(WebCryptoSigner),
        timer: Rc::new(WorkerTimer),
        log: Rc::new(ConsoleLog),
        background: Rc::new(WaitUntil(context)),
        connection: Rc::new(ClientConnection(request)),
    }
}
