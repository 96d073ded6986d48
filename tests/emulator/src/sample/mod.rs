//! The invented people, mail, calendars and teams that every reset goes back to.

pub mod directory;
pub mod mail;
