//! How much OCCI a request may carry. What the connection may carry is the server's matter.

/// Limits of one request, and of the lines that answers are packed into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OcciLimits {
    /// Attributes in one request, duplicates counted.
    pub attributes: usize,
    /// Bytes of an attribute's name.
    pub name_bytes: usize,
    /// Bytes of an attribute's value. Escaped threefold it still fits a header line that the
    /// Service Manager can read.
    pub value_bytes: usize,
    /// Categories in one request.
    pub categories: usize,
    /// Locations in one request.
    pub locations: usize,
    /// Bytes of one header line in an answer: Python's `httplib` gives up beyond 65,536.
    pub line_bytes: usize,
    /// Bytes of one value in a header of an answer; longer ones (outputs of a stack) are cut there
    /// and stand whole in JSON.
    pub shown_value_bytes: usize,
    /// Bytes of all rendered answers that are kept to be sent again; those asked for longest ago
    /// make room.
    pub kept_bytes: usize,
    /// Bytes of one answer that is kept; larger ones are rendered each time.
    pub kept_answer_bytes: usize,
    /// Answers that are kept of one cluster: renderings, each with every address that clients know
    /// the service by.
    pub kept_answers: usize,
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
            shown_value_bytes: 48 * 1024,
            kept_bytes: 1024 * 1024,
            kept_answer_bytes: 256 * 1024,
            kept_answers: 8,
        }
    }
}
