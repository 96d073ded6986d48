//! The invented people, mail, calendars and teams that every reset goes back to.

pub mod calendar;
pub mod directory;
pub mod mail;
pub mod people;
pub mod realistic;
pub mod teams;
