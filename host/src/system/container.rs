//! Reads what the container of this process may have.

/// How much memory the container may have; `None` where there is no limit, or none of a container.
pub fn container_memory() -> Option<usize> {
    let files = [
        "/sys/fs/cgroup/memory.max",
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
    ];
    files
        .iter()
        .find_map(|file| std::fs::read_to_string(file).ok()?.trim().parse().ok())
}
