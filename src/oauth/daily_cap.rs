//! How many clients may register themselves in one UTC day, everywhere together (`REGISTRATIONS_PER_DAY`).
//!
//! The limit per network slows one sender down; this one bounds what all of them together can make the store keep. One
//! object counts the day, exactly. Where it does not answer, nobody is registered: what cannot be counted is refused,
//! and nobody who is connected already needs a registration.

use crate::agent::{Admission, AgentName, Command, Reply};
use crate::exchange::Exchange;

use super::error::RegisterError;

const DAY_SECONDS: u64 = 24 * 3600;

/// Under this name an isolate notes that the day is full, so that the object is not asked again and again.
const NOTE: &str = "registrations";

/// Counts one registration, or says when the next day begins.
pub(super) async fn admit(exchange: &Exchange) -> Result<(), RegisterError> {
    let now = exchange.context.now;
    let day = now / DAY_SECONDS;
    let ends_at = (day + 1) * DAY_SECONDS;
    let full = RegisterError::DailyCap { retry_after: ends_at - now };
    if exchange.isolate.exhausted.holds(NOTE, now) {
        return Err(full);
    }
    let command = Command::AdmitRegistration { ends_at };
    match exchange.ports.agents.call(&AgentName::Registrations { day }, &command).await {
        Ok(Reply::Admission(Admission::Admitted)) => Ok(()),
        Ok(Reply::Admission(Admission::Full)) => {
            exchange.isolate.exhausted.note(NOTE, ends_at, now);
            Err(full)
        }
        Ok(
            Reply::Admission(Admission::Unknown)
            | Reply::Grant(_)
            | Reply::Called(_)
            | Reply::Published(_)
            | Reply::User(_),
        )
        | Err(_) => Err(RegisterError::Unavailable),
    }
}
