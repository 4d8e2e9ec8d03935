//! What is chosen and refused, as users meet it.

use super::*;
use crate::{cluster, openstack::CloudFlavor, orchestrator::planning::inventory::NamedImage};

pub(crate) fn spec() -> ClusterSpec {
    ClusterSpec {
        name: "demo".into(),
        cidr: "10.77.0.0/22".into(),
        timeout_s: 600,
        ..ClusterSpec::default()
    }
}

fn flavor(name: &str, ram_mib: u32, vcpus: u32, disk_gib: u32) -> CloudFlavor {
    let size = cluster::Flavor {
        name: name.into(),
        vcpus,
        ram_mib,
        disk_gib,
    };
    CloudFlavor {
        id: format!("id-{name}"),
        size,
        disabled: false,
        public: true,
    }
}

pub(crate) fn image(
    name: &str,
    distro: Option<&str>,
    version: Option<&str>,
    created: &str,
) -> CloudImage {
    CloudImage {
        id: format!("id-{name}-{created}"),
        name: name.into(),
        status: "active".into(),
        min_ram_mib: 0,
        min_disk_gib: 0,
        os_distro: distro.map(str::to_owned),
        admin_user: None,
        os_version: version.map(str::to_owned),
        architecture: None,
        visibility: "public".into(),
        hidden: false,
        created: Some(created.into()),
    }
}

fn network(name: &str, is_default: bool) -> CloudNetwork {
    CloudNetwork {
        id: format!("id-{name}"),
        name: name.into(),
        external: true,
        is_default,
    }
}

fn cloud() -> CloudInventory {
    CloudInventory {
        flavors: vec![
            flavor("m1.tiny", 256, 1, 1),
            flavor("m1.large", 2_048, 2, 20),
            flavor("m1.boot-volume", 2_000, 2, 0),
            flavor("m1.xlarge", 4_096, 2, 20),
        ],
        images: vec![image("debian-12", Some("debian"), Some("12"), "2026")],
        networks: vec![network("public", false)],
        signal_transport: "CFN_SIGNAL".into(),
        access: crate::cluster::CloudAccess::default(),
        ..CloudInventory::default()
    }
}

fn smallest() -> BTreeMap<String, NodeResources> {
    let size = |ram_mib| NodeResources {
        vcpus: 1,
        ram_mib,
        disk_gib: 10,
    };
    BTreeMap::from([
        ("master".to_owned(), size(2_000)),
        ("worker".to_owned(), size(2_000)),
    ])
}

fn told(spec: &ClusterSpec, cloud: &CloudInventory) -> Vec<String> {
    resolve_spec(spec, cloud, &smallest())
        .unwrap_err()
        .iter()
        .map(Problem::to_string)
        .collect()
}

#[test]
fn a_request_that_names_nothing_gets_what_the_cloud_has() {
    let chosen = resolve_spec(&spec(), &cloud(), &smallest()).unwrap();
    assert_eq!(chosen.image.as_deref(), Some("debian-12"));
    assert_eq!(chosen.external_network.as_deref(), Some("public"));
    assert_eq!(chosen.flavors(), [Some("m1.large"), Some("m1.large")]);
    assert_eq!(chosen.key, None);
}

#[test]
fn names_that_are_not_there_are_told_all_at_once_with_those_that_are() {
    let asked = ClusterSpec {
        image: Some("debain-12".into()),
        key: Some("mine".into()),
        external_network: Some("publik".into()),
        ..spec()
    }
    .with_flavors(Some("m1.lrage"), Some("m1.tiny"));
    let told = told(
        &asked,
        &CloudInventory {
            keys: vec!["laptop".into()],
            ..cloud()
        },
    );
    let wanted = [
        "image: there is no image `debain-12` (did you mean `debian-12`? there are: debian-12)",
        "master.flavor: there is no flavor `m1.lrage` (did you mean `m1.large`? there are: m1.boot-volume, m1.large, m1.tiny, m1.xlarge; \
         the smallest that fits is `m1.large`)",
        "worker.flavor: `m1.tiny` has 256 MiB of memory, 1 vCPUs and 1 GiB of disk, a node needs 2000 MiB of memory, 1 vCPUs and \
         10 GiB of disk (the smallest that fits is `m1.large`)",
        "key: this user has no key pair `mine` (there are: laptop)",
        "network.external: there is no external network `publik` (did you mean `public`? there are: public, or `none` for no way in or out)",
    ];
    assert_eq!(told, wanted);
}

#[test]
fn what_is_named_may_be_an_id() {
    let asked = ClusterSpec {
        external_network: Some("id-public".into()),
        ..spec()
    }
    .with_flavors(None, Some("id-m1.xlarge"));
    let chosen = resolve_spec(&asked, &cloud(), &smallest()).unwrap();
    assert_eq!(
        (chosen.flavors()[1], chosen.external_network.as_deref()),
        (Some("id-m1.xlarge"), Some("id-public"))
    );
}

#[test]
fn a_flavor_that_boots_from_a_volume_fits_whatever_the_disk() {
    let resolved = |named: Option<&str>, flavors: &[CloudFlavor]| {
        let asked = spec().with_flavors(None, named);
        let cloud = CloudInventory {
            flavors: flavors.to_vec(),
            ..cloud()
        };
        resolve_spec(&asked, &cloud, &smallest())
            .map(|spec| spec.flavors()[1].unwrap().to_owned())
            .map_err(|problems| problems[0].to_string())
    };
    let all = cloud().flavors;
    assert_eq!(
        resolved(Some("m1.boot-volume"), &all).as_deref(),
        Ok("m1.boot-volume")
    );
    assert_eq!(
        resolved(None, &all).as_deref(),
        Ok("m1.large"),
        "where none is named, one with a disk is taken though it is larger"
    );
    assert_eq!(
        resolved(None, &all[2..3]).as_deref(),
        Ok("m1.boot-volume"),
        "a cloud whose flavors all boot from volumes"
    );
    let refused = resolved(Some("m1.tiny"), &[all[0].clone(), all[2].clone()]);
    assert!(
        refused
            .unwrap_err()
            .ends_with("(the smallest that fits is `m1.boot-volume`)")
    );
}

#[test]
fn a_cluster_may_have_no_way_out() {
    assert_eq!(
        resolve_spec(
            &ClusterSpec {
                external_network: Some("none".into()),
                ..spec()
            },
            &cloud(),
            &smallest()
        )
        .unwrap()
        .external_network,
        None
    );
    assert_eq!(
        resolve_spec(
            &spec(),
            &CloudInventory {
                networks: vec![],
                ..cloud()
            },
            &smallest()
        )
        .unwrap()
        .external_network,
        None
    );
}

#[test]
fn of_several_networks_the_clouds_default_is_taken_and_else_the_user_is_asked() {
    let with = |networks| CloudInventory {
        networks,
        ..cloud()
    };
    let chosen = resolve_spec(
        &spec(),
        &with(vec![network("a", false), network("b", true)]),
        &smallest(),
    )
    .unwrap();
    assert_eq!(chosen.external_network.as_deref(), Some("b"));
    let told = told(
        &spec(),
        &with(vec![network("b", false), network("a", false)]),
    );
    assert_eq!(
        told,
        ["network.external: none is given, and the cloud has several (there are: a, b)"]
    );
}

#[test]
fn of_several_images_the_best_known_system_is_taken() {
    let images = vec![
        image("windows", Some("windows"), None, "2026"),
        image("noble", Some("ubuntu"), Some("24.04"), "2026"),
        image("debian-12-plain", Some("debian"), Some("12"), "2026"),
        image("debian-12", Some("debian"), Some("12.7"), "2025"),
        image("debian-13", Some("debian"), Some("13"), "2026"),
    ];
    let chosen = |images| {
        resolve_spec(&spec(), &CloudInventory { images, ..cloud() }, &smallest())
            .unwrap()
            .image
            .unwrap()
    };
    assert_eq!(chosen(images.clone()), "debian-12");
    assert_eq!(chosen(images[..2].to_vec()), "noble");
    let twins = vec![
        image("debian", Some("debian"), Some("12"), "2025"),
        image("debian", Some("debian"), Some("12"), "2026"),
    ];
    assert_eq!(
        chosen(twins),
        "id-debian-2026",
        "a name that two bear is no name"
    );
}

#[test]
fn of_two_processors_the_usual_one_is_taken_and_the_other_one_where_it_is_all_there_is() {
    let of = |name: &str, said: &str| CloudImage {
        architecture: Some(said.into()),
        ..image(name, Some("debian"), Some("12"), "2026")
    };
    let chosen = |images: &[CloudImage]| {
        let cloud = CloudInventory {
            images: images.to_vec(),
            ..cloud()
        };
        let resolved = resolve_spec(&spec(), &cloud, &smallest());
        resolved
            .map(|spec| spec.image.unwrap())
            .map_err(|p| p[0].to_string())
    };
    let (arm, intel) = (of("deb", "aarch64"), of("debian-12-x86_64", "x86_64"));
    assert_eq!(
        chosen(&[arm.clone(), intel]).as_deref(),
        Ok("debian-12-x86_64")
    );
    assert_eq!(chosen(&[arm]).as_deref(), Ok("deb"));
    let power = chosen(&[of("p", "ppc64le")]).unwrap_err();
    assert!(power.contains("is for ppc64le processors"), "{power}");
}

#[test]
fn images_of_unknown_systems_are_not_guessed_at() {
    let images = vec![
        image("b", None, None, "1"),
        image("a", Some("fedora"), None, "1"),
    ];
    let told = told(&spec(), &CloudInventory { images, ..cloud() });
    assert_eq!(told.len(), 1);
    assert!(
        told[0].starts_with("image: none is given") && told[0].ends_with("(there are: a, b)"),
        "{}",
        told[0]
    );
}

#[test]
fn an_image_that_needs_more_than_the_frameworks_counts() {
    let large = CloudImage {
        min_ram_mib: 4_000,
        ..image("debian-12", Some("debian"), Some("12"), "1")
    };
    let chosen = resolve_spec(
        &spec(),
        &CloudInventory {
            images: vec![large],
            ..cloud()
        },
        &smallest(),
    )
    .unwrap();
    assert_eq!(chosen.flavors()[1], Some("m1.xlarge"));
}

#[test]
fn a_long_list_of_names_is_cut() {
    let names: Vec<String> = (0..=MAX_LISTED).map(|n| format!("n{n:02}")).collect();
    assert!(listed("", names.iter().map(String::as_str)).ends_with("n11 and 1 more"));
    assert!(listed("", names[1..].iter().map(String::as_str)).ends_with("n11, n12"));
}

#[test]
fn each_group_has_an_image_and_a_flavor_of_its_own_or_that_of_all() {
    let mut asked = ClusterSpec {
        image: Some("debian-12".into()),
        ..spec()
    };
    asked.groups.add(GroupSpec {
        image: Some("ubuntu".into()),
        ..crate::cluster::test_groups::group("edge", 1)
    });
    let named = |name: &str, image: Option<CloudImage>| NamedImage {
        reference: name.into(),
        image,
        problem: None,
    };
    let ubuntu = CloudImage {
        min_ram_mib: 3_000,
        ..image("ubuntu", Some("ubuntu"), Some("24.04"), "1")
    };
    let debian = image("debian-12", Some("debian"), Some("12"), "2026");
    let cloud_with = |edge: Option<CloudImage>| CloudInventory {
        named_images: vec![
            named("debian-12", Some(debian.clone())),
            named("ubuntu", edge),
        ],
        ..cloud()
    };
    assert_eq!(
        asked.image_references(),
        ["debian-12", "ubuntu"],
        "each is asked for once"
    );
    let chosen = resolve_spec(&asked, &cloud_with(Some(ubuntu)), &smallest()).unwrap();
    assert_eq!(chosen.flavors(), [Some("m1.large"), Some("m1.large")]);
    let edge = chosen.groups.get("edge").unwrap();
    assert_eq!(
        edge.flavor.as_deref(),
        Some("m1.xlarge"),
        "its image needs that much"
    );
    assert_eq!(
        told(&asked, &cloud_with(None)),
        ["edge.image: there is no image `ubuntu` (there are: debian-12)"]
    );
}
