//! Whether a flavor fits a node, and which flavor is the smallest that does: the one rule behind
//! the check of a named flavor, the choice where none is named, and the advice when one is refused.
//! Without it the three would drift apart, and one would refuse what another has chosen. Pure.

use super::{Flavor, framework::NodeResources};

/// Whether a node that needs so much can have this flavor.
///
/// A flavor with disk 0 has no disk of its own: the node boots from a volume, or from a disk as
/// large as its image, and how large that is is not known here. Such a flavor counts as fitting;
/// the cloud decides.
pub fn fits(flavor: &Flavor, need: &NodeResources) -> bool {
    flavor.vcpus >= need.vcpus
        && flavor.ram_mib >= need.ram_mib
        && (flavor.disk_gib >= need.disk_gib || flavor.disk_gib == 0)
}

/// A flavor that a user can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlavorOffer<'a> {
    /// Its name and size.
    pub flavor: &'a Flavor,
    /// Whether it is everyone's; of two of one size that one is taken.
    pub public: bool,
}

impl<'a> From<&'a Flavor> for FlavorOffer<'a> {
    fn from(flavor: &'a Flavor) -> Self {
        Self {
            flavor,
            public: true,
        }
    }
}

/// Of several flavors the smallest that fits: least memory, then fewest processors, then the
/// smallest disk, then a public one, then the first name.
///
/// One with disk 0 is taken only where no other fits: many clouds refuse it to those who boot from
/// an image, so that choosing it unasked could fail where the next larger flavor works.
pub fn smallest_fitting<'a, Offer: Into<FlavorOffer<'a>>>(
    offers: impl IntoIterator<Item = Offer>,
    need: &NodeResources,
) -> Option<&'a Flavor> {
    let order = |offer: &FlavorOffer<'a>| {
        let flavor = offer.flavor;
        let size = (flavor.ram_mib, flavor.vcpus, flavor.disk_gib);
        (flavor.disk_gib == 0, size, !offer.public, &flavor.name)
    };
    offers
        .into_iter()
        .map(Into::into)
        .filter(|offer| fits(offer.flavor, need))
        .min_by_key(order)
        .map(|offer| offer.flavor)
}

/// What to do about a flavor that is missing or too small: the name of the smallest that fits.
pub fn advise_flavor<'a, Offer: Into<FlavorOffer<'a>>>(
    offers: impl IntoIterator<Item = Offer>,
    need: &NodeResources,
) -> String {
    smallest_fitting(offers, need).map_or_else(
        || format!("no flavor that is known has {need}: ask the cloud's operator for one"),
        |flavor| format!("the smallest that fits is `{}`", flavor.name),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flavor(name: &str, ram_mib: u32, vcpus: u32, disk_gib: u32) -> Flavor {
        Flavor {
            name: name.to_owned(),
            vcpus,
            ram_mib,
            disk_gib,
        }
    }

    const NEED: NodeResources = NodeResources {
        vcpus: 2,
        ram_mib: 2_048,
        disk_gib: 20,
    };

    #[test]
    fn a_flavor_fits_with_as_much_as_is_needed_or_with_a_disk_of_unknown_size() {
        for (ram_mib, vcpus, disk_gib, wanted) in [
            (2_048, 2, 20, true),
            (4_096, 4, 40, true),
            (2_047, 2, 20, false),
            (2_048, 1, 20, false),
            (2_048, 2, 19, false),
            (2_048, 2, 0, true),
            (2_047, 2, 0, false),
            (2_048, 1, 0, false),
        ] {
            let flavor = flavor("x", ram_mib, vcpus, disk_gib);
            assert_eq!(fits(&flavor, &NEED), wanted, "{flavor:?}");
        }
        let no_disk_needed = NodeResources {
            disk_gib: 0,
            ..NEED
        };
        assert!(fits(&flavor("x", 2_048, 2, 0), &no_disk_needed));
    }

    #[test]
    fn the_smallest_that_fits_has_a_disk_where_one_does() {
        let smallest =
            |flavors: &[Flavor]| smallest_fitting(flavors, &NEED).map(|flavor| flavor.name.clone());
        let (volume, tiny) = (flavor("volume", 2_048, 2, 0), flavor("tiny", 512, 1, 1));
        let (b, a) = (flavor("b", 4_096, 2, 20), flavor("a", 4_096, 2, 20));
        let all = [volume.clone(), tiny.clone(), b.clone(), a];
        assert_eq!(smallest(&all).as_deref(), Some("a"));
        assert_eq!(
            smallest(&[tiny.clone(), volume]).as_deref(),
            Some("volume"),
            "a cloud whose flavors all boot from volumes"
        );
        assert_eq!(smallest(&[tiny]), None);
        let offer = |flavor, public| FlavorOffer { flavor, public };
        let private = flavor("a", 4_096, 2, 20);
        let chosen = smallest_fitting([offer(&private, false), offer(&b, true)], &NEED);
        assert_eq!(chosen, Some(&b), "a public one of the same size");
    }

    #[test]
    fn the_advice_names_a_flavor_or_what_none_has() {
        let fits = [flavor("m1.large", 8_192, 4, 40)];
        assert_eq!(
            advise_flavor(&fits, &NEED),
            "the smallest that fits is `m1.large`"
        );
        let none: [Flavor; 0] = [];
        assert_eq!(
            advise_flavor(&none, &NEED),
            "no flavor that is known has 2048 MiB of memory, 2 vCPUs and 20 GiB of disk: ask the \
             cloud's operator for one"
        );
    }
}
