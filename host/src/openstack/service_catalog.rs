//! The service catalog of a token: endpoints by type, region and interface, and the base URL of the
//! calls to each service.

use std::collections::BTreeSet;

use url::Url;

use super::{
    CloudConfig, CloudError, ServiceName, ServiceSettings,
    service_address::{TokenOwner, base_path, fill_in_owner},
};

/// Every endpoint of the catalog.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ServiceCatalog {
    pub(super) endpoints: Vec<CatalogEndpoint>,
}

/// One endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CatalogEndpoint {
    pub(super) service_type: String,
    /// Empty where the catalog names no services.
    pub(super) service_name: String,
    pub(super) region: String,
    pub(super) interface: String,
    pub(super) url: String,
}

/// The types under which catalogs list a service, the best one first.
fn catalog_types(service: ServiceName) -> &'static [&'static str] {
    match service {
        ServiceName::Keystone => &["identity"],
        ServiceName::Heat => &["orchestration"],
        ServiceName::Nova => &["compute"],
        ServiceName::Glance => &["image"],
        ServiceName::Neutron => &["network"],
        ServiceName::Cinder => &["volumev3", "block-storage", "volumev2", "volume"],
    }
}

/// The types under which a service is looked for: the one that is set for it, else all that it has.
pub(super) fn service_types(service: ServiceName, config: &CloudConfig) -> Vec<&str> {
    let own = ServiceSettings::of(service, config);
    match own.and_then(|settings| settings.service_type.as_deref()) {
        Some(own) => vec![own],
        None => catalog_types(service).to_vec(),
    }
}

/// Whether the endpoint is of the service that is named in the settings, where one is. A catalog
/// without names has but one of each type.
fn has_name(endpoint: &CatalogEndpoint, settings: Option<&ServiceSettings>) -> bool {
    let wanted = settings.and_then(|settings| settings.service_name.as_deref());
    endpoint.service_name.is_empty() || wanted.is_none_or(|wanted| endpoint.service_name == wanted)
}

/// Types of which only is asked whether they are there.
const ASKED_FOR: [&str; 1] = ["cloudformation"];

impl ServiceCatalog {
    /// The region that we work in: the configured one, else the only one where Heat is. Keystone
    /// promises no order, so that the first of several means nothing.
    ///
    /// # Errors
    /// [`CloudError::SeveralRegions`].
    pub(super) fn choose_region(&self, config: &CloudConfig) -> Result<String, CloudError> {
        let of_heat = ServiceSettings::of(ServiceName::Heat, config);
        let of_heat = of_heat.and_then(|settings| settings.region.as_ref());
        if let Some(region) = config.region.as_ref().or(of_heat) {
            return Ok(region.clone());
        }
        let regions = self.heat_regions(config);
        match regions.as_slice() {
            [] => Ok(self
                .endpoints
                .first()
                .map(|endpoint| endpoint.region.clone())
                .unwrap_or_default()),
            [only] => Ok((*only).to_owned()),
            _ => Err(self.several_regions(config)),
        }
    }

    /// That one of the regions has to be named.
    pub(super) fn several_regions(&self, config: &CloudConfig) -> CloudError {
        CloudError::SeveralRegions {
            regions: self.heat_regions(config).join(", "),
        }
    }

    /// The regions where Heat is, at our interfaces, by name.
    pub(super) fn heat_regions(&self, config: &CloudConfig) -> Vec<&str> {
        let settings = ServiceSettings::of(ServiceName::Heat, config);
        let interfaces = interfaces(settings, config);
        let types = service_types(ServiceName::Heat, config);
        let heats = self.endpoints.iter().filter(|endpoint| {
            types.contains(&endpoint.service_type.as_str())
                && has_name(endpoint, settings)
                && interfaces.contains(&endpoint.interface.as_str())
        });
        let regions: BTreeSet<&str> = heats.map(|endpoint| endpoint.region.as_str()).collect();
        regions.into_iter().collect()
    }

    /// Whether the region has a service of this type, at our interface.
    pub(super) fn has_endpoint(
        &self,
        service_type: &str,
        region: &str,
        config: &CloudConfig,
    ) -> bool {
        let service = ServiceName::ALL
            .into_iter()
            .find(|service| service_types(*service, config).contains(&service_type));
        let settings = service.and_then(|service| settings_in(service, region, config));
        settings.is_some_and(|settings| settings.endpoint.is_some())
            || self
                .find_endpoint(service_type, service, region, config)
                .is_some()
    }

    /// Lets go of what no call needs: a large catalog takes 70 KiB for each token. Regions all stay,
    /// since clusters may be in any; everything where Heat is not found, which is told with it.
    pub(super) fn keep_used(&mut self, config: &CloudConfig) {
        let heat = ServiceSettings::of(ServiceName::Heat, config);
        let regions = self.heat_regions(config);
        let has_heat = heat.is_some_and(|settings| settings.endpoint.is_some())
            || config
                .region
                .as_deref()
                .map_or(!regions.is_empty(), |region| regions.contains(&region));
        if has_heat {
            let used = ServiceName::ALL.map(|service| {
                let settings = ServiceSettings::of(service, config);
                (service_types(service, config), interfaces(settings, config))
            });
            self.endpoints.retain(|endpoint| {
                ASKED_FOR.contains(&endpoint.service_type.as_str())
                    || used.iter().any(|(types, interfaces)| {
                        types.contains(&endpoint.service_type.as_str())
                            && interfaces.contains(&endpoint.interface.as_str())
                    })
            });
        }
        self.endpoints.shrink_to_fit();
    }

    /// The address that calls to `service` start from, with API version and (Heat, Cinder) project,
    /// without a trailing slash.
    pub(super) fn base_url(
        &self,
        service: ServiceName,
        owner: TokenOwner<'_>,
        region: &str,
        config: &CloudConfig,
    ) -> Result<Url, CloudError> {
        let overriding = settings_in(service, region, config)
            .and_then(|settings| settings.endpoint.as_deref())
            .map(|address| fill_in_owner(address, service, owner))
            .transpose()?;
        let found = || {
            service_types(service, config)
                .into_iter()
                .find_map(|service_type| {
                    self.find_endpoint(service_type, Some(service), region, config)
                })
                .map(|endpoint| endpoint.url.as_str())
        };
        let address = overriding
            .as_deref()
            .or_else(found)
            .ok_or_else(|| self.missing_service(service, region, config))?;
        let wrong = || {
            let whose = if overriding.is_some() {
                "the address that is set for"
            } else {
                "the catalog's address of"
            };
            CloudError::config(format!(
                "{whose} {} is no http(s) URL: `{address}`",
                service.as_str()
            ))
        };
        let mut url = Url::parse(address)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https"))
            .ok_or_else(wrong)?;
        let path = base_path(service, url.path(), owner.project_id);
        url.set_path(&path);
        url.set_query(None);
        Ok(url)
    }

    fn find_endpoint(
        &self,
        service_type: &str,
        service: Option<ServiceName>,
        region: &str,
        config: &CloudConfig,
    ) -> Option<&CatalogEndpoint> {
        let settings = service.and_then(|service| settings_in(service, region, config));
        let region = settings
            .and_then(|settings| settings.region.as_deref())
            .unwrap_or(region);
        interfaces(settings, config)
            .into_iter()
            .find_map(|interface| {
                self.endpoints.iter().find(|endpoint| {
                    endpoint.service_type == service_type
                        && has_name(endpoint, settings)
                        && endpoint.interface == interface
                        && endpoint.region == region
                })
            })
    }

    fn missing_service(
        &self,
        service: ServiceName,
        region: &str,
        config: &CloudConfig,
    ) -> CloudError {
        let mut available: Vec<_> = self
            .endpoints
            .iter()
            .map(|e| format!("{} ({}, {})", e.service_type, e.interface, e.region))
            .collect();
        available.sort();
        available.dedup();
        let available = if available.is_empty() {
            "nothing".to_owned()
        } else {
            available.join(", ")
        };
        let region = if region.is_empty() {
            String::new()
        } else {
            format!(" in region `{region}`")
        };
        let service = catalog_types(service).first().copied().unwrap_or_default();
        CloudError::NoService {
            service,
            interface: config.interface.as_str(),
            region,
            available,
        }
    }
}

/// What is set for a service, where it counts: an address or a region of its own says nothing of
/// other regions than the one that is set.
fn settings_in<'a>(
    service: ServiceName,
    region: &str,
    config: &'a CloudConfig,
) -> Option<&'a ServiceSettings> {
    let is_ours = config.region.as_deref().is_none_or(|ours| ours == region);
    ServiceSettings::of(service, config).filter(|_| is_ours)
}

/// The interfaces that are set for a service or for all, the best one first.
fn interfaces(settings: Option<&ServiceSettings>, config: &CloudConfig) -> Vec<&'static str> {
    let own = settings.map_or(&[][..], |settings| &settings.interfaces);
    if own.is_empty() {
        let all = std::iter::once(&config.interface).chain(&config.other_interfaces);
        all.map(|interface| interface.as_str()).collect()
    } else {
        own.iter().map(|interface| interface.as_str()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::openstack::{EndpointInterface, ServiceSettings};

    const OWNER: TokenOwner<'_> = TokenOwner {
        project_id: "p1",
        user_id: "u1",
    };

    fn catalog() -> ServiceCatalog {
        let at = |service_type: &str, region: &str, interface: &str, url: &str| CatalogEndpoint {
            service_type: service_type.to_owned(),
            service_name: String::new(),
            region: region.to_owned(),
            interface: interface.to_owned(),
            url: url.to_owned(),
        };
        ServiceCatalog {
            endpoints: vec![
                at("compute", "Two", "public", "http://two:8774"),
                at(
                    "orchestration",
                    "One",
                    "internal",
                    "http://one-internal:8004/v1/p1",
                ),
                at("orchestration", "One", "public", "http://one:8004/v1/p1"),
                at("compute", "One", "public", "http://one:8774/v2.1/"),
                at("cloudformation", "Two", "public", "http://two:8000/v1"),
                at("image", "One", "public", "ftp://one"),
            ],
        }
    }

    fn address(service: ServiceName, region: &str, config: &CloudConfig) -> String {
        let url = catalog().base_url(service, OWNER, region, config);
        url.expect("an endpoint").into()
    }

    #[test]
    fn without_a_region_the_only_one_where_heat_is_serves_all() {
        let config = CloudConfig::new("http://k");
        assert_eq!(catalog().choose_region(&config).expect("one"), "One");
        assert_eq!(
            address(ServiceName::Nova, "One", &config),
            "http://one:8774/v2.1"
        );
        assert!(
            !catalog().has_endpoint("cloudformation", "One", &config),
            "another region's does not count"
        );
    }

    #[test]
    fn of_several_regions_with_heat_one_has_to_be_named() {
        let mut catalog = catalog();
        catalog.endpoints.push(CatalogEndpoint {
            service_type: "orchestration".to_owned(),
            service_name: String::new(),
            region: "Alpha".to_owned(),
            interface: "public".to_owned(),
            url: "http://alpha:8004/v1".to_owned(),
        });
        let config = CloudConfig::new("http://k");
        let message = catalog.choose_region(&config).expect_err("two").to_string();
        assert!(
            message.contains("Alpha, One") && message.contains("STAMPEDE_REGION"),
            "{message}"
        );
        let named = CloudConfig {
            region: Some("Alpha".to_owned()),
            ..config.clone()
        };
        assert_eq!(catalog.choose_region(&named).expect("named"), "Alpha");
        // Another interface's endpoints are none of ours.
        let internal = CloudConfig {
            interface: EndpointInterface::Internal,
            ..config
        };
        assert_eq!(catalog.choose_region(&internal).expect("one"), "One");
    }

    #[test]
    fn region_and_interface_choose_the_endpoint() {
        let config = CloudConfig::new("http://k");
        assert_eq!(
            address(ServiceName::Nova, "Two", &config),
            "http://two:8774/v2.1"
        );
        assert!(catalog().has_endpoint("cloudformation", "Two", &config));
        let config = CloudConfig {
            interface: EndpointInterface::Internal,
            ..CloudConfig::new("http://k")
        };
        assert_eq!(
            address(ServiceName::Heat, "One", &config),
            "http://one-internal:8004/v1/p1"
        );
    }

    #[test]
    fn only_endpoints_that_are_called_are_kept() {
        let mut kept = catalog();
        kept.keep_used(&CloudConfig::new("http://k"));
        let types = |catalog: &ServiceCatalog| {
            let types = catalog.endpoints.iter().map(|e| e.service_type.clone());
            types.collect::<Vec<_>>()
        };
        assert_eq!(
            types(&kept),
            [
                "compute",
                "orchestration",
                "compute",
                "cloudformation",
                "image"
            ]
        );
        let config = CloudConfig {
            region: Some("One".to_owned()),
            ..CloudConfig::new("http://k")
        };
        let before = kept.clone();
        kept.keep_used(&config);
        assert_eq!(kept, before, "clusters may be in other regions");
        let config = CloudConfig {
            region: Some("Three".to_owned()),
            ..CloudConfig::new("http://k")
        };
        let mut all = catalog();
        all.keep_used(&config);
        assert_eq!(all, catalog(), "the message says what there is");
    }

    #[test]
    fn a_service_may_have_its_own_address_region_and_interface() {
        let with = |service, settings| CloudConfig {
            services: [(service, settings)].into(),
            ..CloudConfig::new("http://k")
        };
        let url = |config: &CloudConfig, service| {
            let url = catalog().base_url(service, OWNER, "One", config);
            url.expect("an address").to_string()
        };
        let elsewhere = with(
            ServiceName::Heat,
            ServiceSettings {
                endpoint: Some("https://heat.example/v1/p1".to_owned()),
                ..ServiceSettings::default()
            },
        );
        assert_eq!(
            url(&elsewhere, ServiceName::Heat),
            "https://heat.example/v1/p1"
        );
        assert_eq!(url(&elsewhere, ServiceName::Nova), "http://one:8774/v2.1");
        let two = with(
            ServiceName::Nova,
            ServiceSettings {
                region: Some("Two".to_owned()),
                ..ServiceSettings::default()
            },
        );
        assert_eq!(url(&two, ServiceName::Nova), "http://two:8774/v2.1");
        assert_eq!(url(&two, ServiceName::Heat), "http://one:8004/v1/p1");
        let inside = with(
            ServiceName::Heat,
            ServiceSettings {
                interfaces: vec![EndpointInterface::Admin, EndpointInterface::Internal],
                ..ServiceSettings::default()
            },
        );
        assert_eq!(
            url(&inside, ServiceName::Heat),
            "http://one-internal:8004/v1/p1"
        );
    }

    #[test]
    fn what_is_missing_is_named_with_what_is_there() {
        let config = CloudConfig::new("http://k");
        let missing = catalog().base_url(ServiceName::Heat, OWNER, "Three", &config);
        let message = missing.expect_err("no such region").to_string();
        assert!(
            message.contains("`orchestration` in region `Three`")
                && message.contains("orchestration (public, One)"),
            "{message}"
        );
        let error = catalog()
            .base_url(ServiceName::Glance, OWNER, "One", &config)
            .expect_err("ftp");
        assert!(matches!(error, CloudError::Config(_)), "{error}");
    }
}
