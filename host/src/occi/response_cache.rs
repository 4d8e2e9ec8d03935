//! Caches rendered responses of entities within a bound of bytes. GET of one entity is the most
//! frequent request, and its response changes only when the cluster or the project's mixins do.
//!
//! A response is found by the cluster's id and is valid for one version of the cluster and one list
//! of the project's groups; nothing has to be invalidated, because whatever changes either makes
//! another version or another list. The key holds no caller: a handler asks only after the
//! orchestrator has found the cluster for its caller, so that the cache decides no rights.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use bytes::Bytes;
use http::Response;
use lru::LruCache;

use super::http::negotiate::Rendering;
use super::limits::OcciLimits;
use crate::orchestrator::{ClusterGroup, ViewVersion};

/// What the maps take beside a response's texts: the headers' table, pointers, keys.
const OVERHEAD_BYTES: usize = 1024;

/// Everything that an entity's response depends on.
#[derive(Clone, Copy, Debug)]
pub(super) struct ResponseKey<'a> {
    /// The cluster's own id. Not its name: a name can be given to another cluster, an id cannot.
    pub(super) id: &'a str,
    /// The cluster's version, which every write of its record changes.
    pub(super) version: &'a ViewVersion,
    /// The project's groups, which its mixins are made of. A change replaces the list and never
    /// writes into it, so that lists are compared by address.
    pub(super) groups: &'a Arc<Vec<ClusterGroup>>,
    /// How it is rendered.
    pub(super) rendering: Rendering,
    /// `http://HOST`, which stands in responses and is the client's to choose.
    pub(super) base: &'a str,
}

/// The cached responses of all clusters.
pub(super) struct ResponseCache {
    limits: OcciLimits,
    contents: Mutex<CacheContents>,
}

struct CacheContents {
    /// By the cluster's id; the least recently used make room.
    clusters: LruCache<Box<str>, ClusterResponses>,
    bytes: usize,
}

/// The responses of one cluster, all of one version and one list of groups.
struct ClusterResponses {
    version: ViewVersion,
    /// Weak, so that the cache keeps no list alive. The allocation itself stays while a weak
    /// pointer is there, so that its address cannot become another list's.
    groups: Weak<Vec<ClusterGroup>>,
    responses: Vec<CachedResponse>,
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
            contents: Mutex::new(CacheContents {
                clusters: LruCache::unbounded(),
                bytes: 0,
            }),
        }
    }

    /// The cached response, if nothing that it depends on has changed.
    pub(super) fn find_response(&self, key: ResponseKey<'_>) -> Option<Response<Bytes>> {
        // Copied outside the lock, which all requests share.
        let response = {
            let mut contents = self.lock();
            let cluster = contents
                .clusters
                .get(key.id)
                .filter(|cluster| cluster.matches_version(key))?;
            let cached = cluster
                .responses
                .iter()
                .find(|cached| cached.matches_form(key))?;
            Arc::clone(&cached.response)
        };
        Some(Response::clone(&response))
    }

    /// Caches a response and drops the cluster's responses of other versions. One that is too large
    /// is not cached.
    pub(super) fn store_response(&self, key: ResponseKey<'_>, response: &Response<Bytes>) {
        let bytes = OVERHEAD_BYTES + key.id.len() + key.base.len() + response_bytes(response);
        if bytes > self.limits.cached_response_bytes {
            return;
        }
        let mut copy = response.clone();
        // The buffer of a body that grew while it was written is larger than the body.
        *copy.body_mut() = Bytes::copy_from_slice(response.body());
        let cached = CachedResponse {
            rendering: key.rendering,
            base: key.base.into(),
            bytes,
            response: Arc::new(copy),
        };
        let mut contents = self.lock();
        let mut responses = match contents.clusters.pop(key.id) {
            Some(cluster) if cluster.matches_version(key) => cluster.responses,
            Some(old) => {
                contents.bytes -= old.bytes();
                Vec::new()
            }
            None => Vec::new(),
        };
        // Clients choose the host in `base`; without a bound on responses of one cluster, one
        // client could fill the cache with copies of one entity.
        while let Some(at) = responses
            .iter()
            .position(|other| other.matches_form(key))
            .or((responses.len() >= self.limits.cached_responses).then_some(0))
        {
            contents.bytes -= responses.remove(at).bytes;
        }
        responses.push(cached);
        contents.bytes += bytes;
        let cluster = ClusterResponses {
            version: key.version.clone(),
            groups: Arc::downgrade(key.groups),
            responses,
        };
        contents.clusters.put(key.id.into(), cluster);
        contents.evict_until(self.limits.cache_bytes);
    }

    /// A poisoned lock is taken all the same: nothing in this file panics between two changes that
    /// belong together.
    fn lock(&self) -> MutexGuard<'_, CacheContents> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CacheContents {
    /// Drops the least recently used clusters until no more than `most_bytes` are left.
    fn evict_until(&mut self, most_bytes: usize) {
        while self.bytes > most_bytes {
            let Some((_, oldest)) = self.clusters.pop_lru() else {
                return;
            };
            self.bytes -= oldest.bytes();
        }
    }
}

impl ClusterResponses {
    fn matches_version(&self, key: ResponseKey<'_>) -> bool {
        self.version == *key.version && std::ptr::eq(self.groups.as_ptr(), Arc::as_ptr(key.groups))
    }

    fn bytes(&self) -> usize {
        self.responses.iter().map(|cached| cached.bytes).sum()
    }
}

impl CachedResponse {
    fn matches_form(&self, key: ResponseKey<'_>) -> bool {
        self.rendering == key.rendering && *self.base == *key.base
    }
}

/// Bytes of a response. Values of headers grew while they were written, so that each may take twice
/// its length.
fn response_bytes(response: &Response<Bytes>) -> usize {
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

    fn version(revision: i64) -> ViewVersion {
        ViewVersion {
            revision,
            cloud_error: None,
        }
    }

    fn response(bytes: usize) -> Response<Bytes> {
        Response::new(vec![b'x'; bytes].into())
    }

    fn key<'a>(
        id: &'a str,
        version: &'a ViewVersion,
        groups: &'a Arc<Vec<ClusterGroup>>,
    ) -> ResponseKey<'a> {
        ResponseKey {
            id,
            version,
            groups,
            rendering: Rendering::Plain,
            base: BASE,
        }
    }

    /// What a cached response of so many bytes is counted as.
    fn counted(id: &str, bytes: usize) -> usize {
        OVERHEAD_BYTES + id.len() + BASE.len() + bytes
    }

    #[test]
    fn an_answer_is_found_only_while_all_that_it_depends_on_is_the_same() {
        let cache = ResponseCache::new(OcciLimits::default());
        let (groups, others) = (Arc::new(Vec::new()), Arc::new(Vec::new()));
        let (first, same, second) = (version(1), version(1), version(2));
        let slow = ViewVersion {
            cloud_error: Some("heat".into()),
            ..version(1)
        };
        let plain = key("a", &first, &groups);
        cache.store_response(plain, &response(3));
        let is_found = |key| cache.find_response(key).is_some();
        assert!(is_found(plain));
        assert!(is_found(key("a", &same, &groups)));
        assert!(!is_found(key("b", &first, &groups)));
        assert!(!is_found(key("a", &second, &groups)));
        assert!(!is_found(key("a", &slow, &groups)));
        assert!(!is_found(key("a", &first, &others)));
        assert!(!is_found(ResponseKey {
            rendering: Rendering::Json,
            ..plain
        }));
        assert!(!is_found(ResponseKey {
            base: "http://other",
            ..plain
        }));
    }

    #[test]
    fn what_changed_takes_the_place_of_all_that_is_older() {
        let cache = ResponseCache::new(OcciLimits::default());
        let groups = Arc::new(Vec::new());
        let (first, second) = (version(1), version(2));
        let in_json = |version| ResponseKey {
            rendering: Rendering::Json,
            ..key("a", version, &groups)
        };
        cache.store_response(key("a", &first, &groups), &response(10));
        cache.store_response(in_json(&first), &response(10));
        assert_eq!(cache.lock().bytes, 2 * counted("a", 10));
        cache.store_response(in_json(&second), &response(20));
        cache.store_response(in_json(&second), &response(30));
        assert_eq!(cache.lock().bytes, counted("a", 30));
        let found = cache.find_response(in_json(&second)).unwrap();
        assert_eq!(found.body().len(), 30);
        assert!(cache.find_response(key("a", &first, &groups)).is_none());
    }

    #[test]
    fn each_limit_holds_on_both_sides() {
        let groups = Arc::new(Vec::new());
        let version = version(1);
        let of = |id| key(id, &version, &groups);
        let limits = OcciLimits {
            cached_response_bytes: counted("a", 10),
            cache_bytes: 2 * counted("a", 10),
            cached_responses: 2,
            ..OcciLimits::default()
        };
        let cache = ResponseCache::new(limits);
        let is_found = |id| cache.find_response(of(id)).is_some();
        cache.store_response(of("a"), &response(11));
        assert!(!is_found("a"), "one answer's bytes, and one more");
        for id in ["a", "b"] {
            cache.store_response(of(id), &response(10));
        }
        assert!(is_found("b") && is_found("a"), "both fit");
        cache.store_response(of("c"), &response(0));
        assert!(!is_found("b"), "the one asked for longest ago made room");
        assert!(is_found("a") && is_found("c"));
        assert!(cache.lock().bytes <= limits.cache_bytes);

        let cache = ResponseCache::new(OcciLimits {
            cache_bytes: usize::MAX,
            ..limits
        });
        let bases = ["http://1", "http://2", "http://3"];
        let at = |base| ResponseKey { base, ..of("a") };
        for base in bases {
            cache.store_response(at(base), &response(0));
        }
        let found = bases.map(|base| cache.find_response(at(base)).is_some());
        assert_eq!(found, [false, true, true]);
        assert_eq!(cache.lock().bytes, 2 * counted("a", 0));
    }
}
