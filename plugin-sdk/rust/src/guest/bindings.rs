//! One module for what a component imports, one for each set of exports: a plugin carries only the
//! exports of its role.

pub mod imports {
    wit_bindgen::generate!({
        inline: "
            package longshore:sdk-imports;
            world imports {
                import longshore:connect/types@0.1.0;
                import longshore:host/log@0.1.0;
                import longshore:host/metrics@0.1.0;
                import longshore:host/schemas@0.1.0;
                import longshore:host/lifecycle@0.1.0;
                import longshore:files/files@0.1.0;
                import longshore:postgres/postgres@0.1.0;
            }
        ",
        path: [
            "../wit/connect-0.1",
            "../wit/host-0.1",
            "../wit/files-0.1",
            "../wit/postgres-0.1",
        ],
        generate_all,
        generate_unused_types: true,
    });
}

pub mod plugin {
    wit_bindgen::generate!({
        inline: "
            package longshore:sdk-plugin;
            world plugin-exports {
                export longshore:connect/plugin@0.1.0;
            }
        ",
        path: ["../wit/connect-0.1"],
        with: {
            "longshore:connect/types@0.1.0": crate::guest::bindings::imports::longshore::connect::types,
            "longshore:connect/plugin@0.1.0": generate,
        },
        pub_export_macro: true,
        default_bindings_module: "longshore_sdk::guest::bindings::plugin",
    });
}

pub mod source {
    wit_bindgen::generate!({
        inline: "
            package longshore:sdk-source;
            world source-exports {
                export longshore:connect/source@0.1.0;
            }
        ",
        path: ["../wit/connect-0.1"],
        with: {
            "longshore:connect/types@0.1.0": crate::guest::bindings::imports::longshore::connect::types,
            "longshore:connect/source@0.1.0": generate,
        },
        pub_export_macro: true,
        default_bindings_module: "longshore_sdk::guest::bindings::source",
    });
}

pub mod sink {
    wit_bindgen::generate!({
        inline: "
            package longshore:sdk-sink;
            world sink-exports {
                export longshore:connect/sink@0.1.0;
            }
        ",
        path: ["../wit/connect-0.1"],
        with: {
            "longshore:connect/types@0.1.0": crate::guest::bindings::imports::longshore::connect::types,
            "longshore:connect/sink@0.1.0": generate,
        },
        pub_export_macro: true,
        default_bindings_module: "longshore_sdk::guest::bindings::sink",
    });
}

pub mod transform {
    wit_bindgen::generate!({
        inline: "
            package longshore:sdk-transform;
            world transform-exports {
                export longshore:connect/transform@0.1.0;
            }
        ",
        path: ["../wit/connect-0.1"],
        with: {
            "longshore:connect/types@0.1.0": crate::guest::bindings::imports::longshore::connect::types,
            "longshore:connect/transform@0.1.0": generate,
        },
        pub_export_macro: true,
        default_bindings_module: "longshore_sdk::guest::bindings::transform",
    });
}

pub mod contracts {
    wit_bindgen::generate!({
        inline: "
            package longshore:sdk-contracts;
            world contracts-exports {
                export longshore:connect/contracts@0.1.0;
            }
        ",
        path: ["../wit/connect-0.1"],
        with: {
            "longshore:connect/types@0.1.0": crate::guest::bindings::imports::longshore::connect::types,
            "longshore:connect/contracts@0.1.0": generate,
        },
        pub_export_macro: true,
        default_bindings_module: "longshore_sdk::guest::bindings::contracts",
    });
}

pub mod cleanup {
    wit_bindgen::generate!({
        inline: "
            package longshore:sdk-cleanup;
            world cleanup-exports {
                export longshore:connect/cleanup@0.1.0;
            }
        ",
        path: ["../wit/connect-0.1"],
        with: {
            "longshore:connect/types@0.1.0": crate::guest::bindings::imports::longshore::connect::types,
            "longshore:connect/cleanup@0.1.0": generate,
        },
        pub_export_macro: true,
        default_bindings_module: "longshore_sdk::guest::bindings::cleanup",
    });
}
