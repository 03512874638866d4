//! Config errors name their key.

use longshore_model::FaultClass;
use longshore_model::config::{ConfigDef, KeyType};
use longshore_sdk::{Config, ConfigMap};

pub(super) fn errors_name_the_key<C: Config>(config: &ConfigMap) {
    let definition = ConfigDef::from_json(C::DEFINITION.as_bytes()).expect("a definition");
    assert!(C::parse(config).is_ok(), "the contract's config works");
    for key in &definition.keys {
        if key.required {
            let mut without = config.clone();
            without.remove(&key.name);
            refused::<C>(&without, &key.name);
        }
        let numeric = [
            KeyType::Boolean,
            KeyType::Short,
            KeyType::Int,
            KeyType::Long,
            KeyType::Double,
        ];
        if numeric.contains(&key.key_type) {
            let mut wrong = config.clone();
            wrong.insert(key.name.clone(), "neither-number-nor-boolean".to_owned());
            refused::<C>(&wrong, &key.name);
        }
    }
}

fn refused<C: Config>(config: &ConfigMap, key: &str) {
    let Err(fault) = C::parse(config) else {
        panic!("a config with a missing or wrong {key} was accepted");
    };
    assert_eq!(fault.class, FaultClass::Config, "{fault}");
    assert_eq!(fault.detail("key"), Some(key), "{fault}");
}
