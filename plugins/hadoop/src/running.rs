//! How many copies there are, and what cannot be done to a running cluster. What nodes alone know,
//! such as files that want more copies than workers remain, they refuse themselves, in `drain`.

use stampede_framework::{Problem, Request, problem};

use crate::{
    daemons::{DATANODE, NAMENODE},
    settings::HadoopSettings,
};

/// Copies of each block unasked, where there are as many DataNodes.
const COPIES: usize = 3;

/// What `replication` comes to.
pub fn default_replication(request: &Request) -> usize {
    request.members(DATANODE).len().clamp(1, COPIES)
}

/// More copies than there are to be DataNodes: nothing could ever be written whole, and whoever leaves
/// would be waited for for ever.
pub fn check_replication(request: &Request, settings: &HadoopSettings) -> Option<Problem> {
    let count = u32::try_from(request.members(DATANODE).len()).unwrap_or(u32::MAX);
    let copies = settings.replication.unwrap_or(1);
    (copies > count).then(|| {
        problem(
            "hadoop.replication",
            format!("{copies} copies of a block need {copies} workers, there are {count}"),
            format!("take at most {count}, or more workers"),
        )
    })
}

/// A version is not changed, and the NameNode stays: the only names of all blocks lie on its node.
pub fn check_change(request: &Request, running: &Request) -> Vec<Problem> {
    let mut problems = Vec::new();
    let (was, is) = (&running.version, &request.version);
    if was != is {
        problems.push(problem(
            "hadoop.version",
            format!("HDFS of {was} is not made into one of {is} while it runs"),
            format!("leave {was}, or deploy a new cluster"),
        ));
    }
    if let (Some(was), Some(is)) = (running.first_node(NAMENODE), request.first_node(NAMENODE))
        && was != is
    {
        problems.push(problem(
            "framework",
            format!("the NameNode would move from {was} to {is}, and the names of all files lie on {was}"),
            format!("keep {was} and its component {NAMENODE}, or deploy a new cluster"),
        ));
    }
    problems
}
