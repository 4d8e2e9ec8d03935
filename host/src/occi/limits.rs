//! Upper bounds on what one request may carry and on what responses and their cache may hold.
//! Parsed requests are kept in memory and recorded, so each count and length needs a bound of its
//! own; the bounds of a connection (head, body, time) are the server's.

/// Limits of one request, of header lines in responses, and of the response cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OcciLimits {
    /// Attributes in one request, duplicates counted.
    pub attributes: usize,
    /// Bytes of an attribute's name.
    pub name_bytes: usize,
    /// Bytes of an attribute's value. Escaping can make three bytes of one, and even then the value
    /// fits a header line that the Service Manager can read.
    pub value_bytes: usize,
    /// Categories in one request.
    pub categories: usize,
    /// Locations in one request.
    pub locations: usize,
    /// Bytes of one header line in a response: Python's `httplib` gives up beyond 65,536.
    pub line_bytes: usize,
    /// Bytes of one value in a header of a response; longer ones (outputs of a stack) are cut there
    /// and are whole in JSON.
    pub header_value_bytes: usize,
    /// Bytes of all cached responses; the least recently used make room.
    pub cache_bytes: usize,
    /// Bytes of one cached response; larger ones are rendered each time.
    pub cached_response_bytes: usize,
    /// Cached responses of one cluster: one for each rendering and each address by which clients
    /// know the service.
    pub cached_responses: usize,
}

impl Default for OcciLimits {
    fn default() -> Self {
        Self {
            attributes: 512,
            name_bytes: 255,
            value_bytes: 16 * 1024,
            categories: 64,
            locations: 512,
            line_bytes: 60 * 1024,
            header_value_bytes: 48 * 1024,
            cache_bytes: 1024 * 1024,
            cached_response_bytes: 256 * 1024,
            cached_responses: 8,
        }
    }
}
