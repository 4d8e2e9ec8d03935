//! Pure. Facts about public clouds that clouds.yaml names by `profile`: where their Keystone is and
//! which regions they have. Those that need the network to be known are told apart, and so are
//! those that are gone.

use super::setting_value::{SettingMap, SettingValue};

/// What is known of a profile.
pub(super) enum VendorProfile {
    Known(SettingMap),
    /// Its settings are fetched from this address, which is not done here.
    Remote(&'static str),
    /// The cloud has ceased business.
    Gone,
}

struct VendorFacts {
    name: &'static str,
    auth_url: &'static str,
    regions: &'static [&'static str],
    /// The domain of users and projects.
    domain: Option<&'static str>,
    /// Which version of Keystone is asked for; it says which domain is meant where none is named.
    identity_version: Option<&'static str>,
    /// What it says of services.
    services: &'static [(&'static str, &'static str)],
}

const fn facts(
    name: &'static str,
    auth_url: &'static str,
    regions: &'static [&'static str],
) -> VendorFacts {
    VendorFacts {
        name,
        auth_url,
        regions,
        domain: None,
        identity_version: Some("3"),
        services: &[],
    }
}

/// With `Default` as the name of the domain.
const fn facts_in_default_domain(
    name: &'static str,
    auth_url: &'static str,
    regions: &'static [&'static str],
) -> VendorFacts {
    VendorFacts {
        domain: Some("Default"),
        ..facts(name, auth_url, regions)
    }
}

const KNOWN: [VendorFacts; 17] = [
    facts_in_default_domain("auro", "https://api.van2.auro.io:5000/v3", &["RegionOne"]),
    facts(
        "binero",
        "https://auth.binero.cloud:5000/v3",
        &["europe-se-1"],
    ),
    // Without an address: that is each customer's own.
    VendorFacts {
        identity_version: None,
        ..facts("bluebox", "", &["RegionOne"])
    },
    VendorFacts {
        identity_version: None,
        ..facts(
            "catalyst",
            "https://api.cloud.catalyst.net.nz:5000/v2.0",
            &["nz-por-1", "nz_wlg_2"],
        )
    },
    facts(
        "citycloud",
        "https://{region_name}.citycloud.com:5000/v3/",
        &["Buf1", "Fra1", "Sto2", "Kna1", "dx1", "tky1"],
    ),
    VendorFacts {
        identity_version: Some("2"),
        ..facts(
            "conoha",
            "https://identity.{region_name}.conoha.io",
            &["sin1", "sjc1", "tyo1"],
        )
    },
    facts("dreamcompute", "https://iad2.dream.io:5000", &["RegionOne"]),
    facts("elastx", "https://ops.elastx.cloud:5000/v3", &["se-sto"]),
    facts(
        "entercloudsuite",
        "https://api.entercloudsuite.com/",
        &["it-mil1", "nl-ams1", "de-fra1"],
    ),
    facts_in_default_domain("fuga", "https://identity.api.fuga.io:5000", &["cystack"]),
    facts(
        "otc",
        "https://iam.{region_name}.otc.t-systems.com/v3",
        &["eu-de", "eu-nl"],
    ),
    // The profile leaves the scheme out, so that its users have to write the address themselves.
    facts(
        "otc-swiss",
        "iam-pub.eu-ch2.sc.otc.t-systems.com/v3",
        &["eu-ch2"],
    ),
    facts_in_default_domain(
        "ovh-us",
        "https://auth.cloud.ovh.us/",
        &["US-EAST-VA-1", "US-WEST-OR-1", "US-EAST-VA", "US-WEST-OR"],
    ),
    VendorFacts {
        identity_version: Some("2.0"),
        services: &[
            ("compute_service_name", "cloudServersOpenStack"),
            (
                "block_storage_endpoint_override",
                "https://{region_name}.blockstorage.api.rackspacecloud.com/v2/",
            ),
        ],
        ..facts(
            "rackspace",
            "https://identity.api.rackspacecloud.com/v2.0/",
            &["DFW", "HKG", "IAD", "ORD", "SYD", "LON"],
        )
    },
    facts(
        "switchcloud",
        "https://identity.compute.cloud.switch.ch/v3",
        &["zhw", "zhc"],
    ),
    facts(
        "switchengines",
        "https://keystone.cloud.switch.ch:5000/v3",
        &["LS", "ZH"],
    ),
    facts("zetta", "https://identity.api.zetta.io/v3", &["no-osl1"]),
];

const REMOTE: [(&str, &str); 2] = [
    ("ovh", "https://ovhcloud.com"),
    ("vexxhost", "https://vexxhost.com"),
];

const GONE: [&str; 5] = [
    "betacloud",
    "ibmcloud",
    "internap",
    "ultimum",
    "unitedstack",
];

/// What is known of the profile of this name.
pub(super) fn vendor_profile(name: &str) -> Option<VendorProfile> {
    if GONE.contains(&name) {
        return Some(VendorProfile::Gone);
    }
    if let Some((_, url)) = REMOTE.iter().find(|(remote, _)| *remote == name) {
        return Some(VendorProfile::Remote(url));
    }
    let facts = KNOWN.iter().find(|facts| facts.name == name)?;
    let mut auth = SettingMap::default();
    if !facts.auth_url.is_empty() {
        auth.set("auth_url", SettingValue::text(facts.auth_url));
    }
    for key in ["user_domain_name", "project_domain_name"] {
        if let Some(domain) = facts.domain {
            auth.set(key, SettingValue::text(domain));
        }
    }
    let mut profile = SettingMap::default();
    profile.set("auth", SettingValue::Map(auth));
    let version = facts.identity_version;
    let version = version.map(|version| ("identity_api_version", version));
    for (key, value) in version.iter().chain(facts.services) {
        profile.set(key, SettingValue::text(*value));
    }
    match facts.regions {
        [region] => profile.set("region_name", SettingValue::text(*region)),
        regions => {
            let regions = regions.iter().map(|region| SettingValue::text(*region));
            profile.set("regions", SettingValue::List(regions.collect()));
        }
    }
    Some(VendorProfile::Known(profile))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_profile_is_told_once() {
        let mut names: Vec<_> = KNOWN.iter().map(|facts| facts.name).collect();
        names.extend(REMOTE.iter().map(|(name, _)| *name));
        names.extend(GONE);
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
        assert!(vendor_profile("nobody").is_none());
    }
}
