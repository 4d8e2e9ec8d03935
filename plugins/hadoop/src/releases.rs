//! The releases of Hadoop that can be asked for.

use stampede_framework::{Problem, problem};

/// A release of Hadoop.
#[derive(Clone, Copy, Debug)]
pub struct HadoopRelease {
    /// Its number.
    pub version: &'static str,
    /// The official tarball's checksum.
    pub sha512: &'static str,
    /// The range of Java versions that its servers run on.
    pub java: (u32, u32),
}

/// What can be asked for, newest first.
pub const RELEASES: [HadoopRelease; 2] = [
    HadoopRelease {
        version: "3.5.0",
        sha512: "04ab94496cc00c8b7a28d03f6308eff8d2a4e7f37a9da5e8e086e4d6fc990e7a94d661908f6a6136039536efb362614b8aecdef185b5fb8ed588f0b152c7aa16",
        java: (17, 17),
    },
    HadoopRelease {
        version: "3.4.3",
        sha512: "e25be7e57b4d3c5bfe83895844321a21d6cf7331266d524d8983c27cf484e576c3d79b3b60d590f8cddecf16229d0e232de2491b1b61b362ee7d67072c7290e1",
        java: (11, 17),
    },
];

impl HadoopRelease {
    /// Where it lies below Apache's servers, and below mirrors of them.
    pub fn path(&self) -> String {
        format!("hadoop/common/hadoop-{0}/hadoop-{0}.tar.gz", self.version)
    }
}

/// The release of this number.
///
/// # Errors
/// There is none.
pub fn find_release(version: &str) -> Result<&'static HadoopRelease, Problem> {
    let found = RELEASES.iter().find(|release| release.version == version);
    found.ok_or_else(|| {
        let known = RELEASES.map(|release| release.version).join(", ");
        problem(
            "hadoop.version",
            format!("there is no Hadoop {version} here"),
            format!("take one of {known}"),
        )
    })
}
