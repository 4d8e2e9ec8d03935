//! A request that was to change something, as it is remembered: who asked, through what, for what, and
//! what became of it; and what of a request may be kept, since nobody's secret is. No I/O.

use std::collections::BTreeMap;

use super::{
    attribute_names::{PREFIX, kept_name},
    attribute_schema::UPGRADE,
    attributes::is_ours,
    default_groups::{WORKERS, sized_group},
};

/// Bytes of a cluster's name, of a user's and of an id that are kept.
pub const MAX_NAME_BYTES: usize = 255;
/// Who asks for what no user does.
pub const HOST_ITSELF: &str = "the host";
/// Characters of the reason that is kept of a refusal or failure.
pub const MAX_REASON_CHARS: usize = 400;
/// What the names of attributes have in them whose values are kept from everybody.
const SECRET_WORDS: [&str; 12] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "credential",
    "private",
    "access.key",
    "access_key",
    "accesskey",
    "api_key",
    "apikey",
];
/// So much of a value that is not kept must not stand in a reason either; a shorter one is a word.
const TELLING_CHARS: usize = 4;

/// Through what a request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestFace {
    /// OCCI.
    Occi,
    /// hurtle's Service Manager, over OCCI.
    ServiceManager,
    /// The JSON API.
    Api,
    /// The page.
    Page,
    /// The command line, in its own process or over the JSON API.
    CommandLine,
    /// Nothing: the host itself, at a cluster's end.
    End,
}

impl RequestFace {
    const ALL: [Self; 6] = [
        Self::Occi,
        Self::ServiceManager,
        Self::Api,
        Self::Page,
        Self::CommandLine,
        Self::End,
    ];

    /// In one word: `service_manager`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Occi => "occi",
            Self::ServiceManager => "service_manager",
            Self::Api => "api",
            Self::Page => "page",
            Self::CommandLine => "command_line",
            Self::End => "end",
        }
    }

    /// The one of this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|face| face.as_str() == word)
    }
}

/// What a request was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestVerb {
    /// A new cluster.
    Create,
    /// OCCI's second step: its stack.
    Deploy,
    /// OCCI's last step.
    Provision,
    /// Another shape of a cluster.
    Change,
    /// Its end.
    Delete,
    /// A stack that no record knew.
    Adopt,
    /// A group of clusters: OCCI's user-defined mixin.
    Group,
}

impl RequestVerb {
    const ALL: [Self; 7] = [
        Self::Create,
        Self::Deploy,
        Self::Provision,
        Self::Change,
        Self::Delete,
        Self::Adopt,
        Self::Group,
    ];

    /// In one word: `change`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Deploy => "deploy",
            Self::Provision => "provision",
            Self::Change => "change",
            Self::Delete => "delete",
            Self::Adopt => "adopt",
            Self::Group => "group",
        }
    }

    /// The one of this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verb| verb.as_str() == word)
    }
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestOutcome {
    /// It is not answered yet.
    Asked,
    /// It was taken, and is being carried out.
    Accepted,
    /// It was not taken; nothing was changed by it.
    Refused,
    /// It was carried out.
    Succeeded,
    /// It was taken, and could not be carried out.
    Failed,
    /// The host ended before it had answered.
    Unknown,
}

impl RequestOutcome {
    /// All, as filters know them.
    pub const ALL: [Self; 6] = [
        Self::Asked,
        Self::Accepted,
        Self::Refused,
        Self::Succeeded,
        Self::Failed,
        Self::Unknown,
    ];

    /// In one word: `refused`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Accepted => "accepted",
            Self::Refused => "refused",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }

    /// The one of this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|outcome| outcome.as_str() == word)
    }

    /// Whether the cluster was asked to be what the request says, and nothing has taken that back.
    pub fn stands(self) -> bool {
        matches!(self, Self::Accepted | Self::Succeeded)
    }
}

/// What was given, by attribute; none is a value that is not kept.
pub type KeptAttributes = BTreeMap<String, Option<String>>;

/// One request, as it is remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestEntry {
    /// Its number, higher than those of all before it.
    pub number: i64,
    /// Whose it is.
    pub project_id: String,
    /// The cluster's own id; none where no cluster was found or made.
    pub cluster_id: Option<String>,
    /// The cluster's name; empty where the request was for none.
    pub cluster_name: String,
    /// Who asked; empty where no user did.
    pub user_id: String,
    /// The same for people; else [`HOST_ITSELF`].
    pub user_name: String,
    /// Through what.
    pub face: RequestFace,
    /// For what.
    pub verb: RequestVerb,
    /// When, in seconds since 1970.
    pub asked_s: u64,
    /// What was given.
    pub attributes: KeptAttributes,
    /// How many nodes its groups had once it was deployed by this request; empty otherwise.
    pub node_counts: BTreeMap<String, u32>,
    /// What its client calls it.
    pub request_id: Option<String>,
    /// What became of it.
    pub outcome: RequestOutcome,
    /// Why, where it was refused or has failed; one line.
    pub reason: String,
    /// When that was.
    pub ended_s: Option<u64>,
}

/// What of a request's attributes may be kept, in at most so many bytes: values of Stampede's own,
/// but for those that speak of secrets, in their names or inside, and for URLs with a user in them. What clients send
/// besides is theirs, and may be anything: of it the names are kept.
pub fn keep_attributes(given: &[(String, String)], most_bytes: usize) -> KeptAttributes {
    let mut kept = KeptAttributes::new();
    let mut bytes = 0;
    for (name, value) in given {
        let name = cut_bytes(&kept_name(name), MAX_NAME_BYTES).to_owned();
        let value = may_be_kept(&name, value).then(|| value.clone());
        let more = name.len() + value.as_ref().map_or(0, String::len);
        if bytes + more <= most_bytes {
            bytes += more;
            kept.insert(name, value);
        } else if bytes + name.len() <= most_bytes {
            bytes += name.len();
            kept.insert(name, None);
        }
    }
    kept
}

fn may_be_kept(name: &str, value: &str) -> bool {
    is_ours(name)
        && !speaks_of_secrets(name)
        && !speaks_of_secrets(value)
        && !has_user_in_url(value)
}

/// Whether a name, or the names that a value such as a table of properties has in it, are of secrets.
fn speaks_of_secrets(text: &str) -> bool {
    let lower = text.to_lowercase();
    SECRET_WORDS.iter().any(|word| lower.contains(word))
}

/// Whether a text has `scheme://user@host` or `scheme://user:password@host` in it.
fn has_user_in_url(text: &str) -> bool {
    text.match_indices("://").any(|(at, found)| {
        let rest = text.get(at + found.len()..).unwrap_or_default();
        let ends = |c: char| matches!(c, '/' | '?' | '#') || c.is_whitespace();
        rest.split(ends)
            .next()
            .is_some_and(|host| host.contains('@'))
    })
}

/// A reason in one line, in which no value stands that is not kept.
pub fn keep_reason(words: &str, given: &[(String, String)]) -> String {
    let tells = |(name, value): &(String, String)| {
        let begin: String = value.trim().chars().take(TELLING_CHARS * 2).collect();
        !may_be_kept(&kept_name(name), value)
            && begin.chars().count() >= TELLING_CHARS
            && words.contains(&begin)
    };
    if has_user_in_url(words) || given.iter().any(tells) {
        return "the reason names a value that is not kept".to_owned();
    }
    let lines = words.lines().map(str::trim).filter(|line| !line.is_empty());
    let line = lines.collect::<Vec<_>>().join("; ");
    let mut cut: String = line.chars().take(MAX_REASON_CHARS).collect();
    if cut.len() < line.len() {
        cut.push('…');
    }
    cut
}

/// The first so many bytes at most.
pub fn cut_bytes(text: &str, most: usize) -> &str {
    text.get(..text.floor_char_boundary(most)).unwrap_or(text)
}

/// What a cluster was asked to be by this request and all before it, of attributes that were given by
/// then; `entries` are the cluster's own, in any order.
pub fn values_after(entries: &[RequestEntry], number: i64) -> BTreeMap<String, String> {
    let counts = |entry: &&RequestEntry| entry.number <= number && entry.outcome.stands();
    let mut counted: Vec<_> = entries.iter().filter(counts).collect();
    counted.sort_by_key(|entry| entry.number);
    let mut values = BTreeMap::new();
    for entry in counted {
        for (name, value) in &entry.attributes {
            // Nodes to take away are named once, and used up; so is an upgrade.
            if name.ends_with(".remove") || name.strip_prefix(PREFIX) == Some(UPGRADE) {
                continue;
            }
            match value {
                Some(value) => values.insert(name.clone(), value.clone()),
                // What it was is not known any more.
                None => values.remove(name),
            };
        }
        if let Some(count) = entry.node_counts.get(sized_group().name) {
            let sized = values.entry(sized_attribute());
            sized.or_insert_with(|| count.to_string());
        }
    }
    values
}

/// What a cluster has to be given now, so that it is what it was after the request of this number: the
/// values of then that are others by now.
pub fn values_to_restore(
    entries: &[RequestEntry],
    number: i64,
    attributes: &BTreeMap<String, String>,
    node_counts: &BTreeMap<String, u32>,
) -> BTreeMap<String, String> {
    let mut values = values_after(entries, number);
    let sized = node_counts.get(sized_group().name).map(u32::to_string);
    values.retain(|name, value| {
        let now = attributes.get(name);
        let counted = sized.as_ref().filter(|_| *name == sized_attribute());
        now.or(counted).is_none_or(|now| now != value)
    });
    values
}

fn sized_attribute() -> String {
    [PREFIX, WORKERS].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(of: &[(&str, &str)]) -> Vec<(String, String)> {
        let pairs = of.iter();
        pairs
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn words_are_read_as_they_are_written() {
        for face in RequestFace::ALL {
            assert_eq!(RequestFace::from_word(face.as_str()), Some(face));
        }
        for verb in RequestVerb::ALL {
            assert_eq!(RequestVerb::from_word(verb.as_str()), Some(verb));
        }
        for outcome in RequestOutcome::ALL {
            assert_eq!(RequestOutcome::from_word(outcome.as_str()), Some(outcome));
        }
        assert_eq!(RequestOutcome::from_word("other"), None);
    }

    #[test]
    fn values_of_our_own_are_kept_and_nobodys_secret_is() {
        let given = pairs(&[
            ("stampede.workers", "3"),
            ("stampede.lab.password", "hunter22"),
            ("stampede.lab.API_TOKEN", "hunter22"),
            (
                "stampede.proxy.http",
                "http://me:hunter22@proxy.example.org:3128/",
            ),
            ("stampede.mirror", "http://mirror.example.org/a@b"),
            ("my.own", "hunter22"),
            (
                "stampede.hadoop.core_site",
                r#"{"fs.s3a.access.key":"me","fs.s3a.secret.key":"hunter22"}"#,
            ),
        ]);
        let kept = keep_attributes(&given, 1_000);
        let of = |name: &str| kept[name].as_deref();
        assert_eq!(kept.len(), 7);
        assert_eq!(of("stampede.workers"), Some("3"));
        assert_eq!(of("stampede.mirror"), Some("http://mirror.example.org/a@b"));
        assert!(!format!("{kept:?}").contains("hunter22"), "{kept:?}");
    }

    #[test]
    fn a_request_takes_so_many_bytes_and_no_more() {
        let given = pairs(&[("stampede.a", "0123456789"), ("stampede.b", "0123456789")]);
        let both = keep_attributes(&given, 40);
        assert!(both.values().all(Option::is_some), "{both:?}");
        let one = keep_attributes(&given, 39);
        assert_eq!(one["stampede.b"], None);
        assert!(keep_attributes(&given, 9).is_empty());
        let long = pairs(&[(&format!("stampede.{}", "é".repeat(200)), "1")]);
        let kept = keep_attributes(&long, 1_000);
        assert_eq!(kept.keys().next().unwrap().len(), MAX_NAME_BYTES);
    }

    #[test]
    fn a_reason_is_one_line_without_what_is_not_kept() {
        let given = pairs(&[
            ("stampede.workers", "many"),
            ("my.own", "hunter22 and more"),
        ]);
        assert_eq!(keep_reason("a: b\n c", &given), "a: b; c");
        assert_eq!(keep_reason("workers: `many`", &given), "workers: `many`");
        for words in ["my.own: `hunter22…`", "proxy: `http://me:x@proxy`"] {
            let kept = keep_reason(words, &given);
            assert_eq!(kept, "the reason names a value that is not kept");
        }
        let chars = |words: usize| keep_reason(&"é".repeat(words), &[]).chars().count();
        let most = MAX_REASON_CHARS;
        assert_eq!((chars(most), chars(most + 1)), (most, most + 1));
        assert!(keep_reason(&"é".repeat(most + 1), &[]).ends_with('…'));
    }

    fn entry(number: i64, outcome: RequestOutcome, of: &[(&str, &str)]) -> RequestEntry {
        RequestEntry {
            number,
            project_id: "p".to_owned(),
            cluster_id: Some("c".to_owned()),
            cluster_name: "demo".to_owned(),
            user_id: "u".to_owned(),
            user_name: "u".to_owned(),
            face: RequestFace::Api,
            verb: RequestVerb::Change,
            asked_s: 1,
            attributes: keep_attributes(&pairs(of), 1_000),
            node_counts: BTreeMap::new(),
            request_id: None,
            outcome,
            reason: String::new(),
            ended_s: None,
        }
    }

    #[test]
    fn what_a_cluster_was_then_is_all_that_was_taken_until_then() {
        use RequestOutcome::{Accepted, Failed, Refused, Succeeded};
        let entries = [
            entry(5, Accepted, &[("stampede.workers", "9")]),
            entry(4, Refused, &[("stampede.workers", "900")]),
            entry(3, Failed, &[("stampede.workers", "8")]),
            entry(
                2,
                Succeeded,
                &[
                    ("stampede.workers", "4"),
                    ("stampede.worker.remove", "x"),
                    ("stampede.upgrade", "true"),
                ],
            ),
            entry(
                1,
                Succeeded,
                &[("stampede.workers", "2"), ("stampede.key", "k")],
            ),
        ];
        let workers = |number| values_after(&entries, number)["stampede.workers"].clone();
        assert_eq!([1, 2, 3, 4, 5].map(workers), ["2", "4", "4", "4", "9"]);
        let then = values_after(&entries, 2);
        assert_eq!(then["stampede.key"], "k");
        assert_eq!(then.len(), 2, "{then:?}");
    }

    #[test]
    fn what_is_to_be_restored_is_what_is_another_by_now() {
        use RequestOutcome::Succeeded;
        let mut first = entry(1, Succeeded, &[("stampede.key", "k"), ("stampede.a", "1")]);
        // Nobody said how many.
        first.node_counts = [(sized_group().name.to_owned(), 2)].into();
        let given = [("stampede.workers", "4"), ("stampede.a", "2")];
        let entries = [entry(2, Succeeded, &given), first];
        let map = |of: &[(&str, &str)]| pairs(of).into_iter().collect::<BTreeMap<_, _>>();
        let now = map(&[("stampede.key", "k"), given[0], given[1]]);
        let counts = |count: u32| [(sized_group().name.to_owned(), count)].into();
        let back = values_to_restore(&entries, 1, &now, &counts(4));
        assert_eq!(back, map(&[("stampede.a", "1"), ("stampede.workers", "2")]));
        assert!(values_to_restore(&entries, 2, &now, &counts(4)).is_empty());
        // Nor has anybody said it since.
        let now = map(&[("stampede.key", "k"), ("stampede.a", "1")]);
        assert!(values_to_restore(&entries[1..], 1, &now, &counts(2)).is_empty());
    }
}
