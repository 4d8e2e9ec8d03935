//! The service catalog of a token: endpoints by type, region and interface, in one form for
//! Keystone's v2.0 and v3, and the base URL of the calls to each service.

use std::collections::BTreeSet;

use serde::Deserialize;
use url::Url;

use super::{CloudConfig, CloudError, EndpointInterface, ServiceName};

/// Every endpoint of the catalog.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ServiceCatalog {
    pub(super) endpoints: Vec<CatalogEndpoint>,
}

/// One endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CatalogEndpoint {
    pub(super) service_type: String,
    pub(super) region: String,
    pub(super) interface: String,
    pub(super) url: String,
}

/// The types under which catalogs list a service, the best one first.
pub(super) fn catalog_types(service: ServiceName) -> &'static [&'static str] {
    match service {
        ServiceName::Keystone => &["identity"],
        ServiceName::Heat => &["orchestration"],
        ServiceName::Nova => &["compute"],
        ServiceName::Glance => &["image"],
        ServiceName::Neutron => &["network"],
        ServiceName::Cinder => &["volumev3", "block-storage", "volumev2", "volume"],
    }
}

/// The API version to call at an endpoint that names none.
fn default_version(service: ServiceName) -> &'static str {
    match service {
        ServiceName::Keystone | ServiceName::Cinder => "v3",
        ServiceName::Heat => "v1",
        ServiceName::Nova => "v2.1",
        ServiceName::Glance => "v2",
        ServiceName::Neutron => "v2.0",
    }
}

impl ServiceCatalog {
    /// The region that we work in: the configured one, else the only one where Heat is. Keystone
    /// promises no order, so that the first of several means nothing.
    ///
    /// # Errors
    /// [`CloudError::SeveralRegions`].
    pub(super) fn choose_region(&self, config: &CloudConfig) -> Result<String, CloudError> {
        if let Some(region) = &config.region {
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
            several => Err(CloudError::SeveralRegions {
                regions: several.join(", "),
            }),
        }
    }

    /// The regions where Heat is, at our interface, by name.
    pub(super) fn heat_regions(&self, config: &CloudConfig) -> Vec<&str> {
        let heats = self.endpoints.iter().filter(|endpoint| {
            catalog_types(ServiceName::Heat).contains(&endpoint.service_type.as_str())
                && endpoint.interface == config.interface.as_str()
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
        self.find_endpoint(service_type, region, config).is_some()
    }

    /// The address that calls to `service` start from, with API version and (Heat, Cinder) project,
    /// without a trailing slash.
    pub(super) fn base_url(
        &self,
        service: ServiceName,
        project_id: &str,
        region: &str,
        config: &CloudConfig,
    ) -> Result<Url, CloudError> {
        let endpoint = catalog_types(service)
            .iter()
            .find_map(|service_type| self.find_endpoint(service_type, region, config));
        let endpoint = endpoint.ok_or_else(|| self.missing_service(service, region, config))?;
        let wrong = || {
            CloudError::config(format!(
                "the catalog's address of {} is no http(s) URL: `{}`",
                service.as_str(),
                endpoint.url
            ))
        };
        let mut url = Url::parse(&endpoint.url)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https"))
            .ok_or_else(wrong)?;
        let path = base_path(service, url.path(), project_id);
        url.set_path(&path);
        url.set_query(None);
        Ok(url)
    }

    fn find_endpoint(
        &self,
        service_type: &str,
        region: &str,
        config: &CloudConfig,
    ) -> Option<&CatalogEndpoint> {
        self.endpoints.iter().find(|endpoint| {
            endpoint.service_type == service_type
                && endpoint.interface == config.interface.as_str()
                && endpoint.region == region
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

/// The path of a base URL. Clouds write endpoints with and without version and project, so both are
/// added where they are missing: `/heat-api` becomes `heat-api/v1/<project>`.
fn base_path(service: ServiceName, path: &str, project_id: &str) -> String {
    let mut segments: Vec<&str> = path
        .split('/')
        .filter(|segment| !segment.is_empty())
        .collect();
    let version = segments.iter().position(|segment| is_version(segment));
    match version {
        None => segments.push(default_version(service)),
        // Old catalogs name Glance's dead v1.
        Some(at) if service == ServiceName::Glance && segments[at] == "v1" => {
            segments[at] = default_version(service)
        }
        Some(_) => {}
    }
    if matches!(service, ServiceName::Heat | ServiceName::Cinder)
        && segments.last().is_some_and(|last| is_version(last))
    {
        segments.push(project_id);
    }
    segments.join("/")
}

fn is_version(segment: &str) -> bool {
    segment.strip_prefix('v').is_some_and(|rest| {
        rest.starts_with(|c: char| c.is_ascii_digit())
            && rest.chars().all(|c| c.is_ascii_digit() || c == '.')
    })
}

/// A service in a v3 catalog.
#[derive(Deserialize)]
pub(super) struct ServiceV3 {
    #[serde(rename = "type")]
    service_type: String,
    #[serde(default)]
    endpoints: Vec<EndpointV3>,
}

#[derive(Deserialize)]
struct EndpointV3 {
    interface: String,
    #[serde(default)]
    region_id: Option<String>,
    #[serde(default)]
    region: Option<String>,
    url: String,
}

/// A service in a v2.0 catalog.
#[derive(Deserialize)]
pub(super) struct ServiceV2 {
    #[serde(rename = "type")]
    service_type: String,
    #[serde(default)]
    endpoints: Vec<EndpointV2>,
}

#[derive(Deserialize)]
struct EndpointV2 {
    #[serde(default)]
    region: String,
    #[serde(rename = "publicURL")]
    public_url: Option<String>,
    #[serde(rename = "internalURL")]
    internal_url: Option<String>,
    #[serde(rename = "adminURL")]
    admin_url: Option<String>,
}

impl From<Vec<ServiceV3>> for ServiceCatalog {
    fn from(services: Vec<ServiceV3>) -> Self {
        let endpoints = services.into_iter().flat_map(|service| {
            service
                .endpoints
                .into_iter()
                .map(move |endpoint| CatalogEndpoint {
                    service_type: service.service_type.clone(),
                    region: endpoint.region_id.or(endpoint.region).unwrap_or_default(),
                    interface: endpoint.interface,
                    url: endpoint.url,
                })
        });
        Self {
            endpoints: endpoints.collect(),
        }
    }
}

impl From<Vec<ServiceV2>> for ServiceCatalog {
    fn from(services: Vec<ServiceV2>) -> Self {
        let endpoints = services.into_iter().flat_map(|service| {
            service.endpoints.into_iter().flat_map(move |endpoint| {
                let urls = [
                    (EndpointInterface::Public, endpoint.public_url),
                    (EndpointInterface::Internal, endpoint.internal_url),
                    (EndpointInterface::Admin, endpoint.admin_url),
                ];
                let (service_type, region) = (service.service_type.clone(), endpoint.region);
                urls.into_iter().filter_map(move |(interface, url)| {
                    let interface = interface.as_str().to_owned();
                    Some(CatalogEndpoint {
                        service_type: service_type.clone(),
                        region: region.clone(),
                        interface,
                        url: url?,
                    })
                })
            })
        });
        Self {
            endpoints: endpoints.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalog() -> ServiceCatalog {
        let at = |service_type: &str, region: &str, interface: &str, url: &str| CatalogEndpoint {
            service_type: service_type.to_owned(),
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
        let url = catalog().base_url(service, "p1", region, config);
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
    fn what_is_missing_is_named_with_what_is_there() {
        let config = CloudConfig::new("http://k");
        let missing = catalog().base_url(ServiceName::Heat, "p1", "Three", &config);
        let message = missing.expect_err("no such region").to_string();
        assert!(
            message.contains("`orchestration` in region `Three`")
                && message.contains("orchestration (public, One)"),
            "{message}"
        );
        let error = catalog()
            .base_url(ServiceName::Glance, "p1", "One", &config)
            .expect_err("ftp");
        assert!(matches!(error, CloudError::Config(_)), "{error}");
    }

    #[test]
    fn endpoints_with_and_without_a_version_come_to_the_same() {
        let cases = [
            (ServiceName::Heat, "/", "v1/p1"),
            (ServiceName::Heat, "/v1", "v1/p1"),
            (ServiceName::Heat, "/v1/p1", "v1/p1"),
            (ServiceName::Heat, "/heat-api/v1/p1/", "heat-api/v1/p1"),
            (ServiceName::Heat, "/heat-api", "heat-api/v1/p1"),
            (ServiceName::Nova, "", "v2.1"),
            (ServiceName::Nova, "/v2.1/p1", "v2.1/p1"),
            (ServiceName::Nova, "/v2/p1", "v2/p1"),
            (ServiceName::Neutron, "/", "v2.0"),
            (ServiceName::Neutron, "/v2.0/", "v2.0"),
            (ServiceName::Glance, "/", "v2"),
            (ServiceName::Glance, "/v1", "v2"),
            (ServiceName::Glance, "/image/v2", "image/v2"),
            (ServiceName::Neutron, "/vpc", "vpc/v2.0"),
            (ServiceName::Cinder, "/v3/p1", "v3/p1"),
            (ServiceName::Cinder, "/volume/v3", "volume/v3/p1"),
            (ServiceName::Cinder, "/", "v3/p1"),
        ];
        for (service, path, expected) in cases {
            assert_eq!(
                base_path(service, path, "p1"),
                expected,
                "{service:?} {path}"
            );
        }
    }

    #[test]
    fn both_forms_of_a_catalog_are_read() {
        let v3: Vec<ServiceV3> = serde_json::from_str(
            r#"[{"type": "compute", "name": "nova", "id": "x", "endpoints": [{"id": "1", "interface": "public", "region_id": "One", "region": "One", "url": "http://n"}]}]"#,
        )
        .expect("v3");
        let v2: Vec<ServiceV2> = serde_json::from_str(
            r#"[{"type": "compute", "name": "nova", "endpoints_links": [], "endpoints": [{"region": "One", "publicURL": "http://n", "id": "1"}]}]"#,
        )
        .expect("v2.0");
        assert_eq!(ServiceCatalog::from(v3), ServiceCatalog::from(v2));
    }
}
