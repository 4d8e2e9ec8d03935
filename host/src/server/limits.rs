//! Bounds what a connection may cost: every limit of the HTTP server in one struct.

use std::time::Duration;

/// Header lines in a request, beyond which it gets 431: hyper's own limit, which is fastest left
/// alone; a test holds it here.
pub const HEADERS: usize = 100;

/// Files that connections leave for all else: the store, calls to the cloud.
pub const FILES_KEPT: usize = 256;

/// Memory that a host needs besides its connections, what comes in among it, and what each of those
/// takes while it waits for its next request.
pub const MEMORY_KEPT: usize = 32 << 20;
/// See [`MEMORY_KEPT`]; measured, and rounded up.
pub const CONNECTION_BYTES: usize = 32 << 10;
/// One part in so many of the memory beyond [`MEMORY_KEPT`] is for requests that come in.
pub const INCOMING_SHARE: usize = 4;

/// One part in so many of the memory beyond [`MEMORY_KEPT`] is for streams whose clients do not read.
pub const STREAMS_SHARE: usize = 4;
/// What a stream takes whose client does not read, until its write fails: the buffer of its connection
/// and an event that waits for it.
pub const STREAM_BYTES: usize = 160 << 10;

/// One project has at most one part in so many of all streams, so that others get some too.
pub const PROJECT_STREAMS_SHARE: usize = 2;

/// Bytes of requests that come in to administration's port: they have no bodies.
pub const ADMIN_INCOMING_BYTES: usize = 1 << 20;

/// What request line and headers may take.
pub const HEADER_BYTES: usize = 112 * 1024;
/// What the buffer of a connection may take: a little more than the headers, so that it is their
/// limit that says no.
pub const BUFFER_BYTES: usize = HEADER_BYTES + 8 * 1024;

/// Limits of the server; each port has its own connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerLimits {
    /// Bytes of request line and headers together, beyond which a request gets 431. hurtle's
    /// recorded most is 100 KiB.
    pub header_bytes: usize,
    /// Bytes of a body, beyond which a request gets 413.
    pub body_bytes: usize,
    /// Bytes of all requests together that are held while they come in, beyond the first few of each:
    /// a request that exceeds it gets 503.
    pub incoming_bytes: usize,
    /// Bytes of a body that are read and thrown away, so that a client that is still sending gets
    /// to read its 413.
    pub drained_bytes: usize,
    /// OCCI's connections open at once, beyond which a new one gets 503 and is closed.
    pub connections: usize,
    /// Administration's connections open at once, likewise.
    pub admin_connections: usize,
    /// Connections that the system accepts before we do.
    pub backlog: u32,
    /// Connections that are being told 503, beyond which a new one is closed without a word.
    pub rejected: usize,
    /// How long a connection may take for request line and headers, and stay open without a
    /// request.
    pub header_read: Duration,
    /// How long a body may take, beyond which the request gets 408.
    pub body_read: Duration,
    /// Bytes that the system keeps of answers that a client does not read (it takes this for twice
    /// as many): beyond them nothing more of that client's is answered. The system's own limit is
    /// megabytes, of the container's memory too.
    pub send_buffer_bytes: u32,
    /// How long a client may not read while an answer waits for it.
    pub write_stall: Duration,
    /// Requests being worked on at once, beyond which one gets 503.
    pub in_flight: usize,
    /// Streams of events open at once, beyond which another gets 503. They are connections too, and
    /// must leave most of these to others.
    pub streams: usize,
    /// Those of one project, beyond which another gets 429.
    pub streams_of_project: usize,
    /// What Retry-After says, in seconds.
    pub retry_after_s: u32,
    /// How long requests may take to end once the server is asked to stop.
    pub grace: Duration,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            header_bytes: HEADER_BYTES,
            body_bytes: 256 * 1024,
            incoming_bytes: 64 << 20,
            drained_bytes: 4 * 1024 * 1024,
            connections: 4096,
            admin_connections: 64,
            backlog: 1024,
            rejected: 64,
            header_read: Duration::from_secs(30),
            body_read: Duration::from_secs(30),
            send_buffer_bytes: 64 * 1024,
            write_stall: Duration::from_secs(30),
            in_flight: 512,
            streams: 1024,
            streams_of_project: 256,
            retry_after_s: 1,
            grace: Duration::from_secs(1),
        }
    }
}

impl ServerLimits {
    /// These, with no more connections than a process may have that opens so many files (`ulimit
    /// -n`): when files run out, calls to the cloud fail too, and then idle clients would cost
    /// those that work.
    #[must_use]
    pub fn limit_to_files(self, open_files: usize) -> Self {
        let others = FILES_KEPT + self.admin_connections + 2 * self.rejected;
        let files = open_files.saturating_sub(others).max(1);
        self.limit_connections(files)
    }

    /// These, with no more connections and incoming bytes than fit a container of so much memory:
    /// beyond it the kernel ends the host for all of them.
    #[must_use]
    pub fn limit_to_memory(self, memory_bytes: usize) -> Self {
        let free = memory_bytes.saturating_sub(MEMORY_KEPT);
        let limits = self.limit_connections((free / CONNECTION_BYTES).max(1));
        Self {
            incoming_bytes: self.incoming_bytes.min(free / INCOMING_SHARE),
            ..limits.limit_streams(free / STREAMS_SHARE / STREAM_BYTES)
        }
    }

    /// These, with no more connections, and no more streams than half of them.
    fn limit_connections(self, number: usize) -> Self {
        let connections = self.connections.min(number);
        let limits = Self {
            connections,
            ..self
        };
        limits.limit_streams(connections / 2)
    }

    /// These, with no more streams, of which one project has no more than its part; one at least.
    fn limit_streams(self, number: usize) -> Self {
        let streams = self.streams.min(number.max(1));
        let of_project = (streams / PROJECT_STREAMS_SHARE).max(1);
        Self {
            streams,
            streams_of_project: self.streams_of_project.min(of_project),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_files_for_the_cloud() {
        let limits = ServerLimits::default();
        let others = FILES_KEPT + 64 + 128;
        for (open_files, connections) in [
            (0, 1),
            (others + 7, 7),
            (1024, 1024 - others),
            (4096 + others - 1, 4095),
            (4096 + others, 4096),
            (usize::MAX, 4096),
        ] {
            assert_eq!(
                limits.limit_to_files(open_files).connections,
                connections,
                "{open_files}"
            );
        }
    }

    #[test]
    fn connections_fit_the_memory() {
        for (mib, connections) in [
            (0, 1),
            (32, 1),
            (33, 32),
            (64, 1024),
            (159, 4064),
            (160, 4096),
        ] {
            assert_eq!(
                ServerLimits::default()
                    .limit_to_memory(mib << 20)
                    .connections,
                connections,
                "{mib} MiB"
            );
        }
    }

    #[test]
    fn streams_fit_the_memory_and_leave_connections_to_others() {
        for (mib, streams) in [
            (0, 1),
            (32, 1),
            (64, 51),
            (671, 1022),
            (673, 1024),
            (4096, 1024),
        ] {
            let limits = ServerLimits::default().limit_to_memory(mib << 20);
            assert_eq!(limits.streams, streams, "{mib} MiB");
        }
        for (connections, streams) in [(1, 1), (3, 1), (100, 50), (2046, 1023), (2048, 1024)] {
            let limits = ServerLimits::default().limit_connections(connections);
            assert_eq!(limits.streams, streams, "{connections} connections");
        }
    }

    #[test]
    fn one_project_leaves_streams_to_others() {
        for (connections, of_project) in [(1, 1), (7, 1), (8, 2), (1022, 255), (1024, 256)] {
            let limits = ServerLimits::default().limit_connections(connections);
            assert_eq!(limits.streams_of_project, of_project, "{connections}");
        }
        let limits = ServerLimits::default().limit_to_memory(64 << 20);
        assert_eq!((limits.streams, limits.streams_of_project), (51, 25));
    }

    #[test]
    fn what_comes_in_fits_the_memory() {
        for (mib, incoming_mib) in [(0, 0), (32, 0), (64, 8), (288, 64), (289, 64)] {
            assert_eq!(
                ServerLimits::default()
                    .limit_to_memory(mib << 20)
                    .incoming_bytes,
                incoming_mib << 20,
                "{mib} MiB"
            );
        }
    }
}
