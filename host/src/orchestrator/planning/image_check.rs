//! What an image says of itself, held against what nodes need: the distribution, the processor, and
//! whether the distribution packages a Java that the frameworks take. An image that says nothing is
//! not refused; its node finds out first of all. Pure.

use crate::{
    cluster::{ClusterSpec, FrameworkView, Problem, framework::JAVA_KEYWORD},
    openstack::CloudImage,
    orchestrator::planning::cluster_plan::version,
};

/// The distributions whose packages the nodes' scripts take.
const DISTRIBUTIONS: [&str; 2] = ["debian", "ubuntu"];
/// The processors that frameworks run on, the one that is taken first in front, each as images call
/// it.
const ARCHITECTURES: [(&str, &[&str]); 2] = [
    ("x86_64", &["x86_64", "amd64", "x86-64"]),
    ("aarch64", &["aarch64", "arm64", "armv8"]),
];
/// The Java versions that a release packages, from this release on.
const JAVA_PACKAGES: &[(&str, u32, &[u32])] = &[
    ("debian", 13, &[21, 25]),
    ("debian", 12, &[17]),
    ("debian", 11, &[11, 17]),
    ("debian", 10, &[11]),
    ("ubuntu", 20, &[8, 11, 17, 21]),
    ("ubuntu", 18, &[8, 11, 17]),
];

/// The Java that a framework runs on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JavaNeed {
    /// `Apache Hadoop 3.5.0`.
    pub framework: String,
    /// The oldest.
    pub oldest: u32,
    /// The newest.
    pub newest: u32,
}

/// What the frameworks of a spec say of the Java that they run on.
pub fn java_needs(spec: &ClusterSpec, plugins: &[FrameworkView<'_>]) -> Vec<JavaNeed> {
    let of = |name: &str| {
        let plugin = plugins.iter().find(|plugin| plugin.name == name)?;
        let version = version(spec, *plugin);
        let range = plugin.parameters.get(JAVA_KEYWORD)?.get(&version)?;
        let bound = |at: usize| range.get(at)?.as_u64()?.try_into().ok();
        Some(JavaNeed {
            framework: format!("{} {version}", plugin.title),
            oldest: bound(0)?,
            newest: bound(1)?,
        })
    };
    let choices = spec.frameworks.iter();
    choices.filter_map(|choice| of(&choice.name)).collect()
}

/// Why nodes cannot boot from this image, which the attribute at `path` names; none where it says
/// nothing that speaks against it.
pub fn check_image(
    path: &str,
    image: &CloudImage,
    java: &[JavaNeed],
    has_java: bool,
) -> Option<Problem> {
    let name = &image.name;
    if let Some(distro) = said(&image.os_distro)
        && !DISTRIBUTIONS.contains(&distro.as_str())
    {
        return Some(Problem::new(
            path,
            format!("`{name}` is a {distro} (os_distro), nodes need Debian or Ubuntu"),
            "name an image of one of these",
        ));
    }
    if let Some(said) = said(&image.architecture)
        && architecture(&said).is_none()
    {
        let known: Vec<&str> = ARCHITECTURES.iter().map(|(name, _)| *name).collect();
        return Some(Problem::new(
            path,
            format!(
                "`{name}` is for {said} processors, frameworks run on {}",
                known.join(" and ")
            ),
            "name an image of one of these",
        ));
    }
    if has_java {
        return None;
    }
    let (release, packages) = packaged_java(image)?;
    let missing = |need: &&JavaNeed| {
        let fits = |java: &u32| (need.oldest..=need.newest).contains(java);
        !packages.iter().any(fits)
    };
    let need = java.iter().find(missing)?;
    let wanted = if need.oldest == need.newest {
        need.oldest.to_string()
    } else {
        format!("{} to {}", need.oldest, need.newest)
    };
    let packages: Vec<String> = packages.iter().map(u32::to_string).collect();
    Some(Problem::new(
        path,
        format!(
            "`{name}` is {release}, which packages Java {}; {} needs Java {wanted}",
            packages.join(" and "),
            need.framework
        ),
        "name another image, such as a Debian 12; where this one has that Java inside, set \
         `image.has_java` to true",
    ))
}

/// Of several images those of the first processor come first; one that says none is of it.
pub fn architecture_rank(image: &CloudImage) -> usize {
    let said = said(&image.architecture);
    said.map_or(Some(0), |said| architecture(&said))
        .unwrap_or(ARCHITECTURES.len())
}

/// The processor of an image, where it says one.
pub fn image_architecture(image: &CloudImage) -> Option<&'static str> {
    let at = architecture(&said(&image.architecture)?)?;
    ARCHITECTURES.get(at).map(|(name, _)| *name)
}

fn architecture(said: &str) -> Option<usize> {
    ARCHITECTURES
        .iter()
        .position(|(_, spellings)| spellings.contains(&said))
}

/// The distribution for people, and the Java versions that it packages, where both are known.
fn packaged_java(image: &CloudImage) -> Option<(String, &'static [u32])> {
    let distro = said(&image.os_distro)?;
    let release = said(&image.os_version)?;
    let major: u32 = release
        .split('.')
        .next()
        .and_then(|major| major.parse().ok())?;
    let packages = JAVA_PACKAGES
        .iter()
        .find(|(name, from, _)| *name == distro && *from <= major)
        .map(|(_, _, packages)| *packages)?;
    Some((format!("{distro} {release}"), packages))
}

/// What a property says, in one spelling; empty says nothing.
fn said(property: &Option<String>) -> Option<String> {
    let text = property.as_deref()?.trim().to_ascii_lowercase();
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::orchestrator::planning::resolve::tests_support::image;

    fn needs(oldest: u32, newest: u32) -> Vec<JavaNeed> {
        vec![JavaNeed {
            framework: "Apache Hadoop 3.5.0".into(),
            oldest,
            newest,
        }]
    }

    fn told(distro: &str, version: &str, java: &[JavaNeed]) -> Option<String> {
        let image = image("x", Some(distro), Some(version), "1");
        check_image("image", &image, java, false).map(|problem| problem.to_string())
    }

    #[test]
    fn a_release_without_the_frameworks_java_is_refused_with_both_numbers() {
        assert_eq!(
            told("debian", "13", &needs(17, 17)).as_deref(),
            Some(
                "image: `x` is debian 13, which packages Java 21 and 25; Apache Hadoop 3.5.0 needs \
                 Java 17 (name another image, such as a Debian 12; where this one has that Java \
                 inside, set `image.has_java` to true)"
            )
        );
        for (distro, version, oldest, newest, fits) in [
            ("debian", "12.7", 17, 17, true),
            ("Debian", "13.1", 17, 17, false),
            ("debian", "14", 11, 17, false),
            ("debian", "13", 17, 21, true),
            ("debian", "12", 11, 11, false),
            ("ubuntu", "24.04", 17, 17, true),
            ("debian", "sid", 17, 17, true),
            ("debian", "", 17, 17, true),
        ] {
            let refused = told(distro, version, &needs(oldest, newest)).is_some();
            assert_eq!(!refused, fits, "{distro} {version} {oldest}-{newest}");
        }
        assert_eq!(told("debian", "13", &[]), None, "no framework needs Java");
        let image = image("x", Some("debian"), Some("13"), "1");
        assert_eq!(check_image("image", &image, &needs(17, 17), true), None);
    }

    #[test]
    fn another_distribution_or_processor_is_refused_and_silence_is_not() {
        assert!(told("rocky", "9", &[]).is_some_and(|told| told.contains("Debian or Ubuntu")));
        let of = |said: Option<&str>| {
            let image = CloudImage {
                architecture: said.map(str::to_owned),
                ..image("x", None, None, "1")
            };
            let refused = check_image("image", &image, &[], true).is_some();
            (refused, architecture_rank(&image))
        };
        assert_eq!(of(None), (false, 0));
        assert_eq!(of(Some("x86_64")), (false, 0));
        assert_eq!(of(Some("AMD64")), (false, 0));
        assert_eq!(of(Some("aarch64")), (false, 1));
        assert_eq!(of(Some("arm64")), (false, 1));
        assert_eq!(of(Some("ppc64le")), (true, 2));
    }
}
