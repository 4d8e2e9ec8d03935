//! Answers that were rendered before, kept for as long as what they show stays as it is, within a
//! bound of bytes. Knows nobody's rights: whoever asks for a cluster's answer has found the cluster
//! among his own.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use bytes::Bytes;
use http::Response;
use lru::LruCache;

use super::limits::OcciLimits;
use super::negotiate::Rendering;
use super::render::Renderer;
use crate::orchestrator::{ClusterGroup, ViewVersion};

/// What the maps take beside an answer's texts: the headers' table, pointers, keys.
const ANSWER_BYTES: usize = 1024;

/// What an entity's answers depend on, besides how they are asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct ResponseKey<'a> {
    /// The cluster's own id.
    pub(super) id: &'a str,
    /// Of the cluster.
    pub(super) edition: &'a ViewVersion,
    /// The project's: they are never changed, but replaced.
    pub(super) groups: &'a Arc<Vec<ClusterGroup>>,
}

/// The answers.
pub(super) struct ResponseCache {
    limits: OcciLimits,
    kept: Mutex<CacheEntry>,
}

struct CacheEntry {
    /// By the cluster's id; those asked for longest ago make room.
    clusters: LruCache<Box<str>, ClusterResponses>,
    bytes: usize,
}

/// The answers of one cluster, all of one edition.
struct ClusterResponses {
    edition: ViewVersion,
    /// Weak: a comparison needs no more, and the place stays taken so that it cannot be another's.
    groups: Weak<Vec<ClusterGroup>>,
    answers: Vec<CachedResponse>,
}

struct CachedResponse {
    rendering: Rendering,
    base: Box<str>,
    bytes: usize,
    response: Arc<Response<Bytes>>,
}

impl ResponseCache {
    pub(super) fn new(limits: OcciLimits) -> Self {
        Self {
            limits,
            kept: Mutex::new(CacheEntry {
                clusters: LruCache::unbounded(),
                bytes: 0,
            }),
        }
    }

    /// The answer, where one was kept and nothing has changed since.
    pub(super) fn get(&self, of: ResponseKey<'_>, style: &Renderer<'_>) -> Option<Response<Bytes>> {
        let response = {
            let mut kept = self.lock();
            let cluster = kept
                .clusters
                .get(of.id)
                .filter(|cluster| cluster.is_of(of))?;
            let answer = cluster.answers.iter().find(|answer| answer.is_in(style))?;
            Arc::clone(&answer.response)
        };
        Some(Response::clone(&response))
    }

    /// Keeps an answer, in the place of what is older. One that is too large is not kept.
    pub(super) fn keep(
        &self,
        of: ResponseKey<'_>,
        style: &Renderer<'_>,
        response: &Response<Bytes>,
    ) {
        let bytes = ANSWER_BYTES + of.id.len() + style.base.len() + weight(response);
        if bytes > self.limits.kept_answer_bytes {
            return;
        }
        let mut copy = response.clone();
        // A body that grew while it was written takes more than it holds.
        *copy.body_mut() = Bytes::copy_from_slice(response.body());
        let answer = CachedResponse {
            rendering: style.rendering,
            base: style.base.into(),
            bytes,
            response: Arc::new(copy),
        };
        let mut kept = self.lock();
        let mut answers = match kept.clusters.pop(of.id) {
            Some(cluster) if cluster.is_of(of) => cluster.answers,
            Some(old) => {
                kept.bytes -= old.bytes();
                Vec::new()
            }
            None => Vec::new(),
        };
        while let Some(at) = answers
            .iter()
            .position(|other| other.is_in(style))
            .or((answers.len() >= self.limits.kept_answers).then_some(0))
        {
            kept.bytes -= answers.remove(at).bytes;
        }
        answers.push(answer);
        kept.bytes += bytes;
        let cluster = ClusterResponses {
            edition: of.edition.clone(),
            groups: Arc::downgrade(of.groups),
            answers,
        };
        kept.clusters.put(of.id.into(), cluster);
        kept.fit(self.limits.kept_bytes);
    }

    /// Whoever panicked while holding it left maps that are whole at every step.
    fn lock(&self) -> MutexGuard<'_, CacheEntry> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CacheEntry {
    fn fit(&mut self, most: usize) {
        while self.bytes > most {
            let Some((_, oldest)) = self.clusters.pop_lru() else {
                return;
            };
            self.bytes -= oldest.bytes();
        }
    }
}

impl ClusterResponses {
    fn is_of(&self, of: ResponseKey<'_>) -> bool {
        self.edition == *of.edition && std::ptr::eq(self.groups.as_ptr(), Arc::as_ptr(of.groups))
    }

    fn bytes(&self) -> usize {
        self.answers.iter().map(|answer| answer.bytes).sum()
    }
}

impl CachedResponse {
    fn is_in(&self, style: &Renderer<'_>) -> bool {
        self.rendering == style.rendering && *self.base == *style.base
    }
}

/// Bytes of an answer. Values of headers grew while they were written, so that each may take twice
/// what it holds.
fn weight(response: &Response<Bytes>) -> usize {
    response.body().len()
        + response
            .headers()
            .iter()
            .map(|(name, value)| name.as_str().len() + 2 * value.len())
            .sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "http://h";

    fn edition(revision: i64) -> ViewVersion {
        ViewVersion {
            revision,
            cloud_error: None,
        }
    }

    fn response(bytes: usize) -> Response<Bytes> {
        Response::new(vec![b'x'; bytes].into())
    }

    fn style<'a>(limits: &'a OcciLimits, rendering: Rendering, base: &'a str) -> Renderer<'a> {
        Renderer {
            rendering,
            base,
            limits,
        }
    }

    /// What a kept answer of so many bytes is counted as.
    fn counted(id: &str, bytes: usize) -> usize {
        ANSWER_BYTES + id.len() + BASE.len() + bytes
    }

    #[test]
    fn an_answer_is_found_only_while_all_that_it_depends_on_is_the_same() {
        let limits = OcciLimits::default();
        let answers = ResponseCache::new(limits);
        let (groups, others) = (Arc::new(Vec::new()), Arc::new(Vec::new()));
        let (first, second) = (edition(1), edition(2));
        let slow = ViewVersion {
            cloud_error: Some("heat".into()),
            ..edition(1)
        };
        let plain = style(&limits, Rendering::Plain, BASE);
        answers.keep(
            ResponseKey {
                id: "a",
                edition: &first,
                groups: &groups,
            },
            &plain,
            &response(3),
        );
        let found = |id: &str,
                     edition: &ViewVersion,
                     groups: &Arc<Vec<ClusterGroup>>,
                     style: &Renderer<'_>| {
            answers
                .get(
                    ResponseKey {
                        id,
                        edition,
                        groups,
                    },
                    style,
                )
                .is_some()
        };
        assert!(found("a", &first, &groups, &plain));
        assert!(found("a", &edition(1), &groups, &plain));
        assert!(!found("b", &first, &groups, &plain));
        assert!(!found("a", &second, &groups, &plain));
        assert!(!found("a", &slow, &groups, &plain));
        assert!(!found("a", &first, &others, &plain));
        assert!(!found(
            "a",
            &first,
            &groups,
            &style(&limits, Rendering::Json, BASE)
        ));
        assert!(!found(
            "a",
            &first,
            &groups,
            &style(&limits, Rendering::Plain, "http://other")
        ));
    }

    #[test]
    fn what_changed_takes_the_place_of_all_that_is_older() {
        let limits = OcciLimits::default();
        let answers = ResponseCache::new(limits);
        let groups = Arc::new(Vec::new());
        let (first, second) = (edition(1), edition(2));
        let of = |edition| ResponseKey {
            id: "a",
            edition,
            groups: &groups,
        };
        for rendering in [Rendering::Plain, Rendering::Json] {
            answers.keep(of(&first), &style(&limits, rendering, BASE), &response(10));
        }
        assert_eq!(answers.lock().bytes, 2 * counted("a", 10));
        answers.keep(
            of(&second),
            &style(&limits, Rendering::Json, BASE),
            &response(20),
        );
        answers.keep(
            of(&second),
            &style(&limits, Rendering::Json, BASE),
            &response(30),
        );
        assert_eq!(answers.lock().bytes, counted("a", 30));
        assert_eq!(
            answers
                .get(of(&second), &style(&limits, Rendering::Json, BASE))
                .unwrap()
                .body()
                .len(),
            30
        );
        assert!(
            answers
                .get(of(&first), &style(&limits, Rendering::Plain, BASE))
                .is_none()
        );
    }

    #[test]
    fn each_limit_holds_on_both_sides() {
        let groups = Arc::new(Vec::new());
        let edition = edition(1);
        let of = |id| ResponseKey {
            id,
            edition: &edition,
            groups: &groups,
        };
        let limits = OcciLimits {
            kept_answer_bytes: counted("a", 10),
            kept_bytes: 2 * counted("a", 10),
            kept_answers: 2,
            ..OcciLimits::default()
        };
        let plain = style(&limits, Rendering::Plain, BASE);
        let answers = ResponseCache::new(limits);
        answers.keep(of("a"), &plain, &response(11));
        assert!(
            answers.get(of("a"), &plain).is_none(),
            "one answer's bytes, and one more"
        );
        for id in ["a", "b"] {
            answers.keep(of(id), &plain, &response(10));
        }
        assert!(
            answers.get(of("b"), &plain).is_some() && answers.get(of("a"), &plain).is_some(),
            "both fit"
        );
        answers.keep(of("c"), &plain, &response(0));
        assert!(
            answers.get(of("b"), &plain).is_none(),
            "the one asked for longest ago made room"
        );
        assert!(answers.get(of("a"), &plain).is_some() && answers.get(of("c"), &plain).is_some());
        assert!(answers.lock().bytes <= limits.kept_bytes);

        let answers = ResponseCache::new(OcciLimits {
            kept_bytes: usize::MAX,
            ..limits
        });
        for base in ["http://1", "http://2", "http://3"] {
            answers.keep(
                of("a"),
                &style(&limits, Rendering::Plain, base),
                &response(0),
            );
        }
        let kept = ["http://1", "http://2", "http://3"].map(|base| {
            answers
                .get(of("a"), &style(&limits, Rendering::Plain, base))
                .is_some()
        });
        assert_eq!(kept, [false, true, true]);
        assert_eq!(answers.lock().bytes, 2 * counted("a", 0));
    }
}
