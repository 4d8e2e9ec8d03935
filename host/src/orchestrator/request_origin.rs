//! Through what a caller asks, and which entry of the journal their client's request has: several verbs
//! may be one request of a client, such as a cluster's creation, its deploy, and its end where that is
//! refused.

use std::sync::{Arc, Mutex};

use super::locks::lock_mutex;
use crate::cluster::request_entry::{RequestFace, RequestVerb};

/// Where a caller's requests come from.
#[derive(Clone)]
pub(crate) struct RequestOrigin {
    pub(crate) face: RequestFace,
    /// None for a caller whose verbs are requests of their own.
    whole: Option<Arc<Mutex<Option<OriginEntry>>>>,
}

/// The entry that a client's request has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OriginEntry {
    pub(crate) number: i64,
    pub(crate) name: String,
    pub(crate) verb: RequestVerb,
    pub(crate) is_refused: bool,
}

/// What the journal makes of a verb.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum JournalPlace {
    /// An entry of its own.
    New,
    /// It goes on with the entry of this number.
    Goes(i64),
    /// None: it takes back what was refused.
    Nowhere,
}

impl Default for RequestOrigin {
    /// A process that asks for itself.
    fn default() -> Self {
        Self {
            face: RequestFace::CommandLine,
            whole: None,
        }
    }
}

impl RequestOrigin {
    /// One request of a client.
    pub(crate) fn of_client(face: RequestFace) -> Self {
        Self {
            face,
            whole: Some(Arc::default()),
        }
    }

    /// Where a verb's entry stands.
    pub(crate) fn place_of(&self, verb: RequestVerb, name: &str) -> JournalPlace {
        let before = self
            .whole
            .as_ref()
            .and_then(|whole| lock_mutex(whole).clone());
        match before.filter(|before| before.name == name) {
            Some(before) if before.verb == RequestVerb::Create => match verb {
                RequestVerb::Deploy => JournalPlace::Goes(before.number),
                RequestVerb::Delete if before.is_refused => JournalPlace::Nowhere,
                _ => JournalPlace::New,
            },
            _ => JournalPlace::New,
        }
    }

    /// Remembers what became of the first verb and of those that went on with its entry.
    pub(crate) fn note(&self, entry: OriginEntry) {
        if let Some(whole) = &self.whole {
            *lock_mutex(whole) = Some(entry);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(verb: RequestVerb, is_refused: bool) -> OriginEntry {
        OriginEntry {
            number: 7,
            name: "demo".to_owned(),
            verb,
            is_refused,
        }
    }

    #[test]
    fn a_creation_its_deploy_and_its_end_are_one_request_of_a_client() {
        use RequestVerb::{Change, Create, Delete, Deploy};
        let whole = RequestOrigin::of_client(RequestFace::Page);
        assert_eq!(whole.place_of(Create, "demo"), JournalPlace::New);
        whole.note(entry(Create, false));
        assert_eq!(whole.place_of(Deploy, "demo"), JournalPlace::Goes(7));
        assert_eq!(whole.place_of(Deploy, "other"), JournalPlace::New);
        assert_eq!(whole.place_of(Delete, "demo"), JournalPlace::New);
        whole.note(entry(Create, true));
        assert_eq!(
            whole.clone().place_of(Delete, "demo"),
            JournalPlace::Nowhere
        );
        whole.note(entry(Change, true));
        assert_eq!(whole.place_of(Delete, "demo"), JournalPlace::New);
        let apart = RequestOrigin::default();
        apart.note(entry(Create, false));
        assert_eq!(apart.place_of(Deploy, "demo"), JournalPlace::New);
    }
}
