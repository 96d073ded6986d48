//! Starts the emulator: arguments, environment, one ready line, and a clean stop on SIGTERM or SIGINT.

use std::process::ExitCode;

use m365_emulator::{Emulator, serve, settings::Settings};
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("m365-emulator: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let settings = Settings::parse(&arguments, |name| std::env::var(name).ok())?;
    let port = settings.port;
    let tcp = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    let address = tcp.local_addr()?;
    let app = Emulator::new(settings)?;
    let mut terminate = signal(SignalKind::terminate())?;
    println!("emulator ready on http://localhost:{}", address.port());
    tokio::select! {
        ended = serve(app, tcp) => ended?,
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    Ok(())
}
