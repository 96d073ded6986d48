//! A mailbox like those that people have, Carla's: newsletters of thirty kilobytes, long threads, several languages and
//! zones, series with exceptions, and chats. Whoever signs in as her sees it; what answers cost is measured over it.

pub mod calendar;
pub mod mail;
pub mod newsletter;
pub mod teams;

/// Whose it is.
pub const OWNER: &str = "carla@contoso.example";
