//! Presets: the groups of tools that an operator offers and a client's URL may narrow.
//!
//! Which tool is in which preset is the catalogue's business (`tools`); here are their names and sets.

use serde::{Deserialize, Serialize};

/// A group of tools that an operator switches together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Preset {
    /// What every deployment and every client has: the tools of the reference.
    Core,
    /// Reading single mails, answering, drafts, folders, settings of the mailbox.
    Mail,
    /// Calendars, single events, answers to invitations, free times.
    Calendar,
    /// Teams, channels, chats, meetings, presence.
    Teams,
    /// The directory, groups, the address book.
    People,
    /// `OneDrive` and the drives of sites, Excel.
    Files,
    /// Sites and their lists.
    Sharepoint,
    /// `OneNote`.
    Notes,
    /// To Do and Planner.
    Tasks,
    /// Search across everything, and what changed.
    Search,
    /// Reading any allowed path of Graph.
    Raw,
}

impl Preset {
    /// Every preset. New ones go to the end: signed session ids hold the bits.
    pub const ALL: [Self; 11] = [
        Self::Core,
        Self::Mail,
        Self::Calendar,
        Self::Teams,
        Self::People,
        Self::Files,
        Self::Sharepoint,
        Self::Notes,
        Self::Tasks,
        Self::Search,
        Self::Raw,
    ];

    /// The name in settings and URLs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Core => "core",
            Self::Mail => "mail",
            Self::Calendar => "calendar",
            Self::Teams => "teams",
            Self::People => "people",
            Self::Files => "files",
            Self::Sharepoint => "sharepoint",
            Self::Notes => "notes",
            Self::Tasks => "tasks",
            Self::Search => "search",
            Self::Raw => "raw",
        }
    }

    const fn bit(self) -> u16 {
        1 << self as u8
    }
}

/// Some presets, core always among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PresetSet(u16);

/// What a deployment offers that says nothing: Outlook, Teams and people, the most that costs a model less than 6,000
/// tokens.
const USUAL: [Preset; 5] = [Preset::Core, Preset::Mail, Preset::Calendar, Preset::Teams, Preset::People];

impl PresetSet {
    /// All of them.
    pub const ALL: Self = Self((1 << Preset::ALL.len()) - 1);

    /// The set of these presets and core.
    pub fn of(presets: &[Preset]) -> Self {
        Self(presets.iter().fold(Preset::Core.bit(), |bits, preset| bits | preset.bit()))
    }

    /// What a deployment offers that says nothing.
    pub fn usual() -> Self {
        Self::of(&USUAL)
    }

    /// Names separated by commas, or `all`; otherwise the first name that no preset has, which may be empty.
    pub fn parse(names: &str) -> Result<Self, &str> {
        let mut bits = Preset::Core.bit();
        for name in names.split(',').map(str::trim) {
            bits |= match Preset::ALL.into_iter().find(|preset| preset.name() == name) {
                Some(preset) => preset.bit(),
                None if name == "all" => Self::ALL.0,
                None => return Err(name),
            };
        }
        Ok(Self(bits))
    }

    /// The presets in both sets.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether the set holds this preset.
    pub const fn contains(self, preset: Preset) -> bool {
        self.0 & preset.bit() != 0
    }

    /// The presets, in their order.
    pub fn iter(self) -> impl Iterator<Item = Preset> {
        Preset::ALL.into_iter().filter(move |preset| self.contains(*preset))
    }

    /// The bits, for a session id.
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// The set that the bits of a session id say.
    pub const fn from_bits(bits: u16) -> Self {
        Self(bits | Preset::Core.bit())
    }

    /// All of them, for messages of before there were any.
    pub const fn all() -> Self {
        Self::ALL
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn core_is_in_every_set_and_an_unknown_name_in_none() {
        assert_eq!(PresetSet::parse("mail, calendar"), Ok(PresetSet::of(&[Preset::Mail, Preset::Calendar])));
        assert_eq!(PresetSet::parse("core").map(|set| set.iter().count()), Ok(1));
        assert_eq!(PresetSet::parse("all"), Ok(PresetSet::ALL));
        for (names, wrong) in [("mail,contacts", "contacts"), ("", ""), ("mail,", ""), ("Mail", "Mail")] {
            assert_eq!(PresetSet::parse(names), Err(wrong), "{names:?}");
        }
    }

    #[test]
    fn an_intersection_never_widens() {
        let narrowed = PresetSet::usual().intersection(PresetSet::ALL);
        assert_eq!(narrowed, PresetSet::usual());
        assert!(!narrowed.contains(Preset::Raw));
    }
}
