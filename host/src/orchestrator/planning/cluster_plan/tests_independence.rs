//! What a plan does not depend on, and whose fault is whose.

use super::*;

#[test]
fn a_plan_is_the_same_whatever_other_flavors_the_cloud_has() {
    let all = chosen();
    let two = ResolvedFlavors {
        flavors: all.groups.values().cloned().collect(),
        ..all.clone()
    };
    let plan = |chosen| planned(&fakes(), chosen, &[]).unwrap();
    assert_eq!(
        plan(&all),
        plan(&two),
        "a record keeps only the flavors of its nodes"
    );
}

#[test]
fn what_plugins_do_wrong_is_not_put_on_the_user() {
    let mut all = fakes();
    all.0[1].descriptor.name = "hadoop".to_owned();
    all.0[1].taken = vec![share("hadoop", "zookeeper", 0, &[])];
    let spec = spec(&all, &[]);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let error = runtime
        .block_on(order_and_plan(&spec, &chosen(), &all))
        .unwrap_err();
    assert!(matches!(error, PlanError::Faults(_)), "{error}");
    let told = lines(&error.into_problems());
    assert!(
        told.contains("plugin `hadoop`: takes memory")
            && told.contains("not a mistake of the request"),
        "{told}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// From an attribute to the template, its YAML, and the node's script: the same text, or a
    /// refusal.
    #[test]
    fn any_accepted_text_reaches_template_and_file_exactly(value in "\\PC{0,40}|[ -~]{0,20}|[-{}\\[\\]'\"$`#:&*!|>%@\\\\]{0,8}") {
        let made = planned(&fakes(), &chosen(), &[("hadoop.text", &value)]).unwrap();
        prop_assert_eq!(&made.bundle.parts[1].files[0].content, &value);
        let wanted = json!([&value, {"data": {value.as_str(): &value}}]);
        prop_assert_eq!(&made.bundle.template["outputs"]["hadoop_text"]["value"], &wanted);
        let again: Value = serde_saphyr::from_str(&crate::bundle::yaml::to_yaml(&made.bundle.template).unwrap()).unwrap();
        prop_assert_eq!(&again["outputs"]["hadoop_text"]["value"], &wanted);
    }
}
