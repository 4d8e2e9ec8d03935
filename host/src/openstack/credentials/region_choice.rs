//! Chooses the region of a cloud among those that clouds.yaml lists: as `regions`, as a list or a
//! text with commas in `region_name`, or in the profile.

use super::setting_value::{SettingMap, SettingValue};
use crate::openstack::CloudError;

/// The region and the values that clouds.yaml has for it: the one that is asked for, else the first.
pub(super) fn choose_region(
    entry: &SettingMap,
    profile: Option<&SettingMap>,
    asked: Option<&str>,
    place: &str,
) -> Result<(String, SettingMap), CloudError> {
    let none = SettingMap::default();
    let entry = entry.with_underscores();
    let profile = profile.unwrap_or(&none);
    let given =
        |map: &SettingMap, key: &str| map.get(key).filter(|value| !value.is_null()).cloned();
    let said = given(&entry, "regions")
        .or_else(|| given(&entry, "region_name"))
        .or_else(|| given(profile, "regions"))
        .or_else(|| given(profile, "region_name"));
    let mut regions = Vec::new();
    for region in listed(said.as_ref()) {
        regions.push(read_region(&region, place)?);
    }
    let names: Vec<_> = regions.iter().map(|(name, _)| name.clone()).collect();
    let first = regions.first().cloned();
    match asked {
        None => Ok(first.unwrap_or_default()),
        Some(asked) if regions.is_empty() => Ok((asked.to_owned(), SettingMap::default())),
        Some(asked) => regions
            .into_iter()
            .find(|(name, _)| name == asked)
            .ok_or_else(|| {
                CloudError::credentials(format!(
                    "OS_REGION_NAME is `{asked}`, but {place} has the regions {}; name one of them, or add `{asked}`",
                    names.join(", ")
                ))
            }),
    }
}

/// A list as it is; a text with commas is one too.
fn listed(value: Option<&SettingValue>) -> Vec<SettingValue> {
    match value {
        None => Vec::new(),
        Some(SettingValue::List(list)) => list.clone(),
        Some(value) => match value.as_text() {
            Some(text) => text.split(',').map(SettingValue::text).collect(),
            None => vec![value.clone()],
        },
    }
}

fn read_region(region: &SettingValue, place: &str) -> Result<(String, SettingMap), CloudError> {
    let wrong = || {
        CloudError::credentials(format!(
            "`regions` of {place} must list names, or maps of `name` and `values`"
        ))
    };
    let SettingValue::Map(map) = region else {
        let name = region.as_text().ok_or_else(wrong)?;
        return Ok((name.to_owned(), SettingMap::default()));
    };
    if map
        .keys()
        .iter()
        .any(|key| !matches!(*key, "name" | "values"))
    {
        return Err(wrong());
    }
    let name = map
        .get("name")
        .and_then(SettingValue::as_text)
        .ok_or_else(wrong)?;
    let mut values = SettingMap::default();
    if let Some(given) = map.get("values").filter(|given| !given.is_null()) {
        for (key, value) in given.as_map().ok_or_else(wrong)?.iter() {
            if !value.is_null() {
                values.set(key, value.clone());
            }
        }
    }
    Ok((name.to_owned(), values))
}
