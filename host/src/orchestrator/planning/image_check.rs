//! What an image says of itself, held against what nodes need: the distribution, the processor, and
//! whether the distribution packages a Java that the frameworks take. An image that says nothing is
//! not refused; its node finds out first of all. Pure.

use std::collections::BTreeSet;

use crate::{
    cluster::{ClusterSpec, GroupSpec, Problem, group_value::attribute_of},
    openstack::CloudImage,
    orchestrator::planning::inventory::CloudInventory,
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
    /// Those whose nodes need it.
    pub groups: BTreeSet<String>,
    /// The oldest.
    pub oldest: u32,
    /// The newest.
    pub newest: u32,
}

/// Why nodes cannot boot from this image, which the attribute at `path` names; none where it says
/// nothing that speaks against it.
pub fn check_image(path: &str, image: &CloudImage) -> Option<Problem> {
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
    None
}

/// What the images of these groups' nodes lack of Java, each image once. `spec` is resolved.
pub fn check_java<'a>(
    spec: &ClusterSpec,
    groups: impl IntoIterator<Item = &'a GroupSpec>,
    needs: &[JavaNeed],
    cloud: &CloudInventory,
) -> Vec<Problem> {
    let mut problems: Vec<Problem> = Vec::new();
    for group in groups.into_iter().filter(|_| !spec.image_has_java) {
        let image = spec.image_reference(group);
        let Some(image) = image.and_then(|image| cloud.find_image(image)) else {
            continue;
        };
        let path = match group.image {
            Some(_) => attribute_of(&group.name, "image"),
            None => "image".to_owned(),
        };
        let mut own = needs
            .iter()
            .filter(|need| need.groups.contains(&group.name));
        let problem = own.find_map(|need| missing_java(&path, image, need));
        problems.extend(problem.filter(|one| !problems.iter().any(|known| known.path == one.path)));
    }
    problems
}

fn missing_java(path: &str, image: &CloudImage, need: &JavaNeed) -> Option<Problem> {
    let (release, packages) = packaged_java(image)?;
    let fits = |java: &u32| (need.oldest..=need.newest).contains(java);
    if packages.iter().any(fits) {
        return None;
    }
    let wanted = if need.oldest == need.newest {
        need.oldest.to_string()
    } else {
        format!("{} to {}", need.oldest, need.newest)
    };
    let packages: Vec<String> = packages.iter().map(u32::to_string).collect();
    Some(Problem::new(
        path,
        format!(
            "`{}` is {release}, which packages Java {}; {} needs Java {wanted}",
            image.name,
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

    fn needs(oldest: u32, newest: u32) -> JavaNeed {
        JavaNeed {
            framework: "Apache Hadoop 3.5.0".into(),
            groups: ["worker".to_owned()].into(),
            oldest,
            newest,
        }
    }

    fn of(distro: &str, version: &str) -> CloudImage {
        image("x", Some(distro), Some(version), "1")
    }

    fn lacks(distro: &str, version: &str, need: &JavaNeed) -> Option<String> {
        missing_java("image", &of(distro, version), need).map(|problem| problem.to_string())
    }

    #[test]
    fn a_release_without_the_frameworks_java_is_refused_with_both_numbers() {
        assert_eq!(
            lacks("debian", "13", &needs(17, 17)).as_deref(),
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
            let refused = lacks(distro, version, &needs(oldest, newest)).is_some();
            assert_eq!(!refused, fits, "{distro} {version} {oldest}-{newest}");
        }
    }

    #[test]
    fn another_distribution_or_processor_is_refused_and_silence_is_not() {
        let rocky = check_image("image", &of("rocky", "9")).map(|problem| problem.to_string());
        assert!(rocky.is_some_and(|told| told.contains("Debian or Ubuntu")));
        let of_processor = |said: Option<&str>| {
            let image = CloudImage {
                architecture: said.map(str::to_owned),
                ..image("x", None, None, "1")
            };
            let refused = check_image("image", &image).is_some();
            (refused, architecture_rank(&image))
        };
        assert_eq!(of_processor(None), (false, 0));
        assert_eq!(of_processor(Some("x86_64")), (false, 0));
        assert_eq!(of_processor(Some("AMD64")), (false, 0));
        assert_eq!(of_processor(Some("aarch64")), (false, 1));
        assert_eq!(of_processor(Some("arm64")), (false, 1));
        assert_eq!(of_processor(Some("ppc64le")), (true, 2));
    }
}
