//! The releases of Spark that can be asked for.

/// A release.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SparkRelease {
    /// Its number.
    pub version: &'static str,
    /// The official tarball's checksum, where two independent places tell the same.
    pub sha512: Option<&'static str>,
    /// The range of Java versions that it runs on.
    pub java: (u32, u32),
    /// The version of py4j in it, which Python's path has to name.
    pub py4j: &'static str,
}

/// The first is what a request gets that names none, so its checksum is known.
pub(crate) const RELEASES: [SparkRelease; 2] = [
    SparkRelease {
        version: "4.2.0",
        sha512: Some(
            "3a6559e8546ff387db8fe7a04b8fe4008853b467b972c2e343df8e14a81450534777719fc5d4998dd96519a86fdf9de140cee753c61e2e94db044d5f9555ddc4",
        ),
        java: (17, 21),
        py4j: "0.10.9.9",
    },
    SparkRelease {
        version: "3.5.9",
        sha512: None,
        java: (11, 17),
        py4j: "0.10.9.7",
    },
];

impl SparkRelease {
    /// The release of this number; the first where there is none such, which the host refuses.
    pub(crate) fn find(version: &str) -> &'static Self {
        RELEASES
            .iter()
            .find(|release| release.version == version)
            .unwrap_or(&RELEASES[0])
    }

    /// Its path below Apache's `dist`, or below a mirror of it.
    pub(crate) fn tarball(&self) -> String {
        let version = self.version;
        format!("spark/spark-{version}/spark-{version}-bin-hadoop3.tgz")
    }
}
