//! The Graph permissions that tools need: their names, who can agree to them, which include which, and sets of them.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! scopes {
    ($($variant:ident = $name:literal),+ $(,)?) => {
        /// A delegated Graph permission that some tool needs. Also the OAuth scope that clients see.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Scope { $(#[doc = $name] $variant),+ }

        impl Scope {
            /// Every scope, in the order of their bits. New ones go to the end: tokens hold the bits.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name that Graph and Entra use.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }
    };
}

scopes! {
    UserRead = "User.Read",
    MailRead = "Mail.Read",
    MailReadWrite = "Mail.ReadWrite",
    MailSend = "Mail.Send",
    MailReadShared = "Mail.Read.Shared",
    MailReadWriteShared = "Mail.ReadWrite.Shared",
    MailSendShared = "Mail.Send.Shared",
    MailboxSettingsRead = "MailboxSettings.Read",
    CalendarsRead = "Calendars.Read",
    CalendarsReadWrite = "Calendars.ReadWrite",
    CalendarsReadShared = "Calendars.Read.Shared",
    CalendarsReadWriteShared = "Calendars.ReadWrite.Shared",
    ChannelMessageSend = "ChannelMessage.Send",
    ChatMessageSend = "ChatMessage.Send",
    ChatCreate = "Chat.Create",
    TeamReadBasicAll = "Team.ReadBasic.All",
    OnlineMeetingsReadWrite = "OnlineMeetings.ReadWrite",
    PeopleRead = "People.Read",
    ContactsRead = "Contacts.Read",
    UserReadBasicAll = "User.ReadBasic.All",
    MailReadBasic = "Mail.ReadBasic",
    MailboxSettingsReadWrite = "MailboxSettings.ReadWrite",
    PlaceReadAll = "Place.Read.All",
    ChannelReadBasicAll = "Channel.ReadBasic.All",
    ChannelMessageReadAll = "ChannelMessage.Read.All",
    ChatReadBasic = "Chat.ReadBasic",
    ChatRead = "Chat.Read",
    OnlineMeetingsRead = "OnlineMeetings.Read",
    OnlineMeetingArtifactReadAll = "OnlineMeetingArtifact.Read.All",
    OnlineMeetingTranscriptReadAll = "OnlineMeetingTranscript.Read.All",
    PresenceRead = "Presence.Read",
    PresenceReadAll = "Presence.Read.All",
    PresenceReadWrite = "Presence.ReadWrite",
    UserReadAll = "User.Read.All",
    GroupMemberReadAll = "GroupMember.Read.All",
    ContactsReadWrite = "Contacts.ReadWrite",
    FilesRead = "Files.Read",
    FilesReadAll = "Files.Read.All",
    FilesReadWrite = "Files.ReadWrite",
    FilesReadWriteAll = "Files.ReadWrite.All",
    SitesReadAll = "Sites.Read.All",
    SitesReadWriteAll = "Sites.ReadWrite.All",
    NotesRead = "Notes.Read",
    NotesCreate = "Notes.Create",
    NotesReadWrite = "Notes.ReadWrite",
    TasksRead = "Tasks.Read",
    TasksReadWrite = "Tasks.ReadWrite",
}

/// Who can agree to a scope, by Microsoft's defaults; a tenant may demand an administrator for all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsentBy {
    /// The person who signs in.
    User,
    /// An administrator of the organisation, for everybody. Until then a sign-in that asks for it fails as a whole.
    Admin,
}

impl Scope {
    /// Finds a scope by its Graph name, ignoring case as Entra does.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|scope| scope.name().eq_ignore_ascii_case(name))
    }

    /// Who can agree to it (Microsoft's permissions reference, delegated).
    pub const fn consent_by(self) -> ConsentBy {
        match self {
            Self::PlaceReadAll
            | Self::ChannelMessageReadAll
            | Self::OnlineMeetingTranscriptReadAll
            | Self::UserReadAll
            | Self::GroupMemberReadAll => ConsentBy::Admin,
            Self::UserRead
            | Self::MailRead
            | Self::MailReadWrite
            | Self::MailSend
            | Self::MailReadShared
            | Self::MailReadWriteShared
            | Self::MailSendShared
            | Self::MailboxSettingsRead
            | Self::CalendarsRead
            | Self::CalendarsReadWrite
            | Self::CalendarsReadShared
            | Self::CalendarsReadWriteShared
            | Self::ChannelMessageSend
            | Self::ChatMessageSend
            | Self::ChatCreate
            | Self::TeamReadBasicAll
            | Self::OnlineMeetingsReadWrite
            | Self::PeopleRead
            | Self::ContactsRead
            | Self::UserReadBasicAll
            | Self::MailReadBasic
            | Self::MailboxSettingsReadWrite
            | Self::ChannelReadBasicAll
            | Self::ChatReadBasic
            | Self::ChatRead
            | Self::OnlineMeetingsRead
            | Self::OnlineMeetingArtifactReadAll
            | Self::PresenceRead
            | Self::PresenceReadAll
            | Self::PresenceReadWrite
            | Self::ContactsReadWrite
            | Self::FilesRead
            | Self::FilesReadAll
            | Self::FilesReadWrite
            | Self::FilesReadWriteAll
            | Self::SitesReadAll
            | Self::SitesReadWriteAll
            | Self::NotesRead
            | Self::NotesCreate
            | Self::NotesReadWrite
            | Self::TasksRead
            | Self::TasksReadWrite => ConsentBy::User,
        }
    }

    /// The wider scopes that include this one, each with all that includes it in turn.
    const fn included_in(self) -> &'static [Self] {
        match self {
            Self::MailReadBasic => &[Self::MailRead, Self::MailReadWrite],
            Self::MailRead => &[Self::MailReadWrite],
            Self::MailReadShared => &[Self::MailReadWriteShared],
            Self::MailboxSettingsRead => &[Self::MailboxSettingsReadWrite],
            Self::CalendarsRead => &[Self::CalendarsReadWrite],
            Self::CalendarsReadShared => &[Self::CalendarsReadWriteShared],
            Self::ChatReadBasic => &[Self::ChatRead],
            Self::OnlineMeetingsRead => &[Self::OnlineMeetingsReadWrite],
            Self::PresenceRead => &[Self::PresenceReadWrite, Self::PresenceReadAll],
            Self::UserReadBasicAll => &[Self::UserReadAll],
            Self::ContactsRead => &[Self::ContactsReadWrite],
            Self::FilesRead => &[Self::FilesReadAll, Self::FilesReadWrite, Self::FilesReadWriteAll],
            Self::FilesReadAll | Self::FilesReadWrite => &[Self::FilesReadWriteAll],
            Self::SitesReadAll => &[Self::SitesReadWriteAll],
            Self::NotesRead | Self::NotesCreate => &[Self::NotesReadWrite],
            Self::TasksRead => &[Self::TasksReadWrite],
            Self::UserRead
            | Self::MailReadWrite
            | Self::MailSend
            | Self::MailReadWriteShared
            | Self::MailSendShared
            | Self::CalendarsReadWrite
            | Self::CalendarsReadWriteShared
            | Self::ChannelMessageSend
            | Self::ChatMessageSend
            | Self::ChatCreate
            | Self::TeamReadBasicAll
            | Self::OnlineMeetingsReadWrite
            | Self::PeopleRead
            | Self::MailboxSettingsReadWrite
            | Self::PlaceReadAll
            | Self::ChannelReadBasicAll
            | Self::ChannelMessageReadAll
            | Self::ChatRead
            | Self::OnlineMeetingArtifactReadAll
            | Self::OnlineMeetingTranscriptReadAll
            | Self::PresenceReadAll
            | Self::PresenceReadWrite
            | Self::UserReadAll
            | Self::GroupMemberReadAll
            | Self::ContactsReadWrite
            | Self::FilesReadWriteAll
            | Self::SitesReadWriteAll
            | Self::NotesReadWrite
            | Self::TasksReadWrite => &[],
        }
    }
}

/// A set of scopes as 64 bits, small enough to ride in every token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ScopeSet(u64);

impl ScopeSet {
    /// The set of these scopes.
    pub fn of(scopes: &[Scope]) -> Self {
        Self(scopes.iter().fold(0, |bits, scope| bits | 1 << (*scope as u8)))
    }

    /// The known scopes among space-separated names; resource prefixes such as `https://graph.microsoft.com/` are
    /// dropped and unknown names are ignored.
    pub fn parse_known(names: &str) -> Self {
        let known: Vec<_> = names
            .split_ascii_whitespace()
            .filter_map(|name| Scope::parse(name.rsplit('/').next().unwrap_or(name)))
            .collect();
        Self::of(&known)
    }

    /// The bits, for a token.
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// The set that a token's bits say.
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// Whether the set holds `scope` itself or a wider one that includes it.
    pub fn allows(self, scope: Scope) -> bool {
        self.contains(scope) || scope.included_in().iter().any(|wider| self.contains(*wider))
    }

    /// Whether every scope of `other` is in this set.
    pub const fn is_superset(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Scopes in both sets.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Scopes in either set.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The scopes of this set for which `keep` says yes.
    #[must_use]
    pub fn filter(self, keep: impl Fn(Scope) -> bool) -> Self {
        Self(self.iter().filter(|scope| keep(*scope)).fold(0, |bits, scope| bits | 1 << (scope as u8)))
    }

    /// Whether the set is empty.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The fewest scopes that allow the same: a narrower one goes where a wider one includes it.
    #[must_use]
    pub fn least(self) -> Self {
        let needed = |scope: &Scope| !scope.included_in().iter().any(|wider| self.contains(*wider));
        Self(self.iter().filter(needed).fold(0, |bits, scope| bits | 1 << (scope as u8)))
    }

    /// The scopes, in the order of their bits.
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.iter().copied().filter(move |scope| self.contains(*scope))
    }

    /// Whether the set holds exactly this scope.
    pub const fn contains(self, scope: Scope) -> bool {
        self.0 & (1 << (scope as u8)) != 0
    }
}

impl fmt::Display for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.iter().map(Scope::name).collect();
        f.write_str(&names.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_scope_allows_what_needs_only_reading() {
        let set = ScopeSet::parse_known("https://graph.microsoft.com/mail.readwrite openid Unknown.Scope");
        assert_eq!(set.to_string(), "Mail.ReadWrite");
        assert!(set.allows(Scope::MailRead));
        assert!(!set.allows(Scope::MailSend));
    }

    #[test]
    fn the_least_set_allows_the_same_with_fewer_scopes() {
        let all = ScopeSet::of(Scope::ALL);
        let least = all.least();
        assert!(Scope::ALL.iter().all(|scope| least.allows(*scope)));
        assert!(!least.contains(Scope::MailRead) && !least.contains(Scope::CalendarsReadShared));
        assert_eq!(ScopeSet::of(&[Scope::MailRead, Scope::MailSend]).least().to_string(), "Mail.Read Mail.Send");
    }
}
