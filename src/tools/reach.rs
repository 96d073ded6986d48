//! Whom an action reaches, and who of them is outside: addresses are compared strictly and shown in a form in which no
//! letter can pass for another.
//!
//! Inside is exactly a domain of the organisation: neither its sub-domains nor anything that cannot be read as a plain
//! ASCII address.

use super::address;
use super::answer::clean;
use super::call::Call;

/// Addresses that a person is shown; those outside come first.
const SHOWN: usize = 20;

/// Who is reached.
pub(super) enum Reach<'a> {
    /// These people: how (`To`, `Invited`), and the address.
    People(Vec<(&'static str, String)>),
    /// Whoever can see a place, such as a Teams channel or a link.
    Place {
        /// How it is named to a person.
        name: &'a str,
        /// Whether people outside can see it.
        outside: bool,
    },
}

/// Which domains are the organisation's own.
pub(super) struct House<'a> {
    own: &'a [String],
    /// The user's, where the operator names none.
    user: Option<String>,
}

impl<'a> House<'a> {
    /// Of the caller.
    pub fn of(call: &Call<'a>) -> Self {
        let own = call.context.config.send_policy.own.as_slice();
        let email = call.context.caller.profile.email.as_deref().filter(|_| own.is_empty());
        Self { own, user: email.and_then(domain) }
    }

    fn holds(&self, address: &str) -> bool {
        domain(address).is_some_and(|domain| self.own.contains(&domain) || self.user.as_ref() == Some(&domain))
    }
}

/// The domain of a plain address, in lower case.
fn domain(address: &str) -> Option<String> {
    let (_, domain) = address.rsplit_once('@').filter(|_| address::is_address(address))?;
    Some(domain.to_ascii_lowercase())
}

impl Reach<'_> {
    /// People of several lists.
    pub fn people<T: AsRef<str>>(lists: &[(&'static str, &[T])]) -> Self {
        let each = lists.iter().flat_map(|(how, list)| list.iter().map(|address| (*how, address.as_ref().to_owned())));
        Self::People(each.collect())
    }

    /// Whether nobody is.
    pub fn is_nobody(&self) -> bool {
        matches!(self, Self::People(people) if people.is_empty())
    }

    /// How many of them are outside; a place that is open to the outside is open to any number.
    pub fn outside(&self, house: &House<'_>) -> usize {
        match self {
            Self::People(people) => people.iter().filter(|(_, address)| !house.holds(address)).count(),
            Self::Place { outside, .. } => {
                if *outside {
                    usize::MAX
                } else {
                    0
                }
            }
        }
    }

    /// The first that is neither in the house nor at one of these domains.
    pub fn beyond(&self, house: &House<'_>, allowed: &[String]) -> Option<String> {
        let fits = |address: &str| house.holds(address) || domain(address).is_some_and(|at| allowed.contains(&at));
        match self {
            Self::People(people) => {
                people.iter().find(|(_, address)| !fits(address)).map(|(_, address)| ascii(address))
            }
            Self::Place { name, outside } => outside.then(|| clean(name, 100)),
        }
    }

    /// All of them, for a digest.
    pub fn names(&self) -> Vec<&str> {
        match self {
            Self::People(people) => people.iter().flat_map(|(how, address)| [*how, address.as_str()]).collect(),
            Self::Place { name, .. } => vec![name],
        }
    }

    /// Lines for a person.
    pub fn shown(&self, house: &House<'_>) -> Vec<String> {
        let people = match self {
            Self::Place { name, outside } => {
                let mark = if *outside { " (also outside your organisation)" } else { "" };
                return vec![format!("Seen by: {}{mark}", clean(name, 100).replace(['\n', '\t'], " "))];
            }
            Self::People(people) => people,
        };
        let mut sorted: Vec<_> = people.iter().map(|(how, address)| (*how, address, !house.holds(address))).collect();
        sorted.sort_by_key(|(_, _, outside)| !outside);
        let mut lines: Vec<(&str, Vec<String>)> = Vec::new();
        for (how, address, outside) in sorted.iter().take(SHOWN) {
            let shown = format!("{}{}", ascii(address), if *outside { " (OUTSIDE)" } else { "" });
            match lines.iter_mut().find(|(known, _)| known == how) {
                Some((_, line)) => line.push(shown),
                None => lines.push((how, vec![shown])),
            }
        }
        let mut lines: Vec<_> = lines.into_iter().map(|(how, all)| format!("{how}: {}", all.join(", "))).collect();
        let left = sorted.get(SHOWN..).unwrap_or_default();
        if !left.is_empty() {
            let outside = left.iter().filter(|(_, _, outside)| *outside).count();
            lines.push(format!("and {} more, {outside} of them OUTSIDE; {} in all", left.len(), sorted.len()));
        }
        lines
    }
}

/// An address in which every letter is what it looks like: what is no plain ASCII letter is shown as its number.
pub(super) fn ascii(address: &str) -> String {
    let mut shown = String::new();
    for character in address.chars().take(320) {
        if character.is_ascii_graphic() {
            shown.push(character);
        } else {
            shown.extend(character.escape_unicode());
        }
    }
    shown
}
