//! The published Rust SDK (`rmcp`) as an application uses it, told by its standard input what to do.
//!
//! A JSON message a line, in and out. `connect`, `tools`, `call` and `cancel` come with an `id` and are answered under
//! it; where a person has to sign in, `open` goes out and `callback`, where the browser was sent, comes in. The end of
//! the input is the end. What is asserted of the answers is the tests' affair; the other drivers beside it speak the
//! same. A developer's tool: never part of the Worker.

use std::collections::HashMap;
use std::env;
use std::error::Error;
use std::sync::Arc;

use reqwest::Client as Http;
use rmcp::model::{CallToolRequestParams, ProtocolVersion};
use rmcp::service::{ClientInitializeError, ClientLifecycleMode, ClientServiceExt, RoleClient, RunningService};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::auth::{AuthClient, AuthorizationRequest, OAuthState};
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::io::{AsyncBufReadExt, BufReader, Lines, Stdin, stdin};
use tokio::task::{AbortHandle, LocalSet, spawn_local};

type Failure = Box<dyn Error>;
type Running = RunningService<RoleClient, ()>;

#[derive(Deserialize)]
struct Message {
    /// Where the browser was sent.
    callback: Option<String>,
    #[serde(default)]
    id: u64,
    r#do: Option<What>,
    #[serde(default)]
    name: String,
    arguments: Option<Map<String, Value>>,
    #[serde(default)]
    of: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum What {
    Connect,
    Tools,
    Call,
    Cancel,
}

/// One application: what it keeps over its connections, and the connection that it has.
struct Driver {
    url: String,
    lifecycle: ClientLifecycleMode,
    redirect_uri: String,
    signed_in: Option<AuthClient<Http>>,
    running: Option<Arc<Running>>,
    under_way: HashMap<u64, AbortHandle>,
    input: Lines<BufReader<Stdin>>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let mut arguments = env::args().skip(1);
    let mut next = || arguments.next().ok_or("URL, way to agree on a revision, redirect URI");
    let driver = Driver {
        url: next()?,
        lifecycle: lifecycle(&next()?)?,
        redirect_uri: next()?,
        signed_in: None,
        running: None,
        under_way: HashMap::new(),
        input: BufReader::new(stdin()).lines(),
    };
    LocalSet::new().run_until(Box::pin(driver.run())).await
}

fn lifecycle(mode: &str) -> Result<ClientLifecycleMode, Failure> {
    let preferred_versions = vec![ProtocolVersion::V_2026_07_28];
    match mode {
        "initialize" => Ok(ClientLifecycleMode::Initialize),
        "discover" => Ok(ClientLifecycleMode::Discover { preferred_versions }),
        "auto" => Ok(ClientLifecycleMode::Auto { preferred_versions, legacy_version: None }),
        other => Err(format!("no such way: {other}").into()),
    }
}

fn say(message: &Value) {
    println!("{message}");
}

fn answer<T: Into<Value>>(id: u64, outcome: Result<T, impl std::fmt::Debug>) {
    match outcome {
        Ok(result) => say(&json!({ "id": id, "result": result.into() })),
        Err(error) => say(&json!({ "id": id, "error": format!("{error:?}") })),
    }
}

impl Driver {
    async fn run(mut self) -> Result<(), Failure> {
        while let Some(message) = self.next().await? {
            self.carry_out(message).await?;
        }
        Ok(())
    }

    async fn next(&mut self) -> Result<Option<Message>, Failure> {
        Ok(self.input.next_line().await?.map(|line| serde_json::from_str(&line)).transpose()?)
    }

    async fn carry_out(&mut self, message: Message) -> Result<(), Failure> {
        let Message { id, name, arguments, of, .. } = message;
        match message.r#do.ok_or("nothing to do")? {
            What::Connect => answer(id, self.connect().await),
            What::Tools => {
                let running = self.running()?;
                self.begin(id, async move {
                    let tools = running.list_all_tools().await?;
                    Ok(json!(tools.iter().map(|tool| tool.name.as_ref()).collect::<Vec<_>>()))
                });
            }
            What::Call => {
                let params = CallToolRequestParams::new(name).with_arguments(arguments.unwrap_or_default());
                let running = self.running()?;
                self.begin(id, async move { Ok(serde_json::to_value(running.call_tool(params).await?)?) });
            }
            What::Cancel => {
                // As an application gives up waiting: it drops what it waits for.
                self.under_way.remove(&of).ok_or("no such call")?.abort();
                answer(id, Ok::<_, Failure>(Value::Null));
            }
        }
        Ok(())
    }

    fn running(&self) -> Result<Arc<Running>, Failure> {
        self.running.clone().ok_or_else(|| "not connected".into())
    }

    fn begin(&mut self, id: u64, work: impl Future<Output = Result<Value, Failure>> + 'static) {
        let task = spawn_local(async move { answer(id, work.await) });
        self.under_way.insert(id, task.abort_handle());
        spawn_local(async move {
            if task.await.is_err_and(|error| error.is_cancelled()) {
                answer(id, Err::<Value, _>("cancelled"));
            }
        });
    }

    /// Refused first, signed in through the browser, connected; with the tokens of an earlier connection at once.
    async fn connect(&mut self) -> Result<Value, Failure> {
        self.running = None;
        let connected = match self.signed_in.clone() {
            Some(client) => self.open(client).await?,
            None => match self.open(Http::new()).await {
                Ok(_) => return Err("let in without a token".into()),
                Err(refusal) => {
                    let client = self.sign_in(&refusal).await?;
                    self.signed_in = Some(client.clone());
                    self.open(client).await?
                }
            },
        };
        let peer = connected.peer_info().ok_or("nobody there")?;
        let said = json!({ "revision": peer.protocol_version.as_str() });
        self.running = Some(Arc::new(connected));
        Ok(said)
    }

    async fn open<C>(&self, client: C) -> Result<Running, ClientInitializeError>
    where
        C: rmcp::transport::streamable_http_client::StreamableHttpClient + Sync,
    {
        let config = StreamableHttpClientTransportConfig::with_uri(self.url.as_str());
        let transport = StreamableHttpClientTransport::with_client(client, config);
        ().serve_with_lifecycle(transport, self.lifecycle.clone()).await
    }

    async fn sign_in(&mut self, refusal: &ClientInitializeError) -> Result<AuthClient<Http>, Failure> {
        let challenge = refusal.auth_challenge().ok_or_else(|| format!("no challenge: {refusal:?}"))?;
        let mut state = OAuthState::new(&self.url, None).await?;
        let request = AuthorizationRequest::new(&self.redirect_uri).with_client_name("rmcp test");
        state.start_authorization(request.with_challenge(challenge)).await?;
        say(&json!({ "open": state.get_authorization_url().await? }));
        let message = self.next().await?.and_then(|message| message.callback).ok_or("nobody came back")?;
        state.handle_callback_url(&message).await?;
        let manager = state.into_authorization_manager().ok_or("not signed in")?;
        Ok(AuthClient::new(Http::new(), manager))
    }
}
