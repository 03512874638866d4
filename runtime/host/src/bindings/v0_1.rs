//! Version 0.1 of the plugin contract. The world names every export; an instance loads those that
//! its plugin has.

wasmtime::component::bindgen!({
    inline: "
        package longshore:host-bindings;
        world plugin {
            import longshore:connect/types@0.1.0;
            import longshore:host/log@0.1.0;
            import longshore:host/metrics@0.1.0;
            import longshore:host/schemas@0.1.0;
            import longshore:host/lifecycle@0.1.0;
            import longshore:files/files@0.1.0;
            import longshore:postgres/postgres@0.1.0;
            export longshore:connect/plugin@0.1.0;
            export longshore:connect/source@0.1.0;
            export longshore:connect/sink@0.1.0;
            export longshore:connect/transform@0.1.0;
            export longshore:connect/contracts@0.1.0;
            export longshore:connect/cleanup@0.1.0;
        }
    ",
    path: [
        "../../plugin-sdk/wit/connect-0.1",
        "../../plugin-sdk/wit/host-0.1",
        "../../plugin-sdk/wit/files-0.1",
        "../../plugin-sdk/wit/postgres-0.1",
    ],
    imports: { default: trappable },
    exports: { default: async | store },
    with: {
        "longshore:files/files.file": crate::bridge::files::GuestFile,
        "longshore:postgres/postgres.session": crate::bridge::postgres::GuestSession,
        "longshore:postgres/postgres.rows": crate::bridge::postgres::GuestRows,
        "longshore:postgres/postgres.copy-reader": crate::bridge::postgres::GuestCopy,
        "longshore:postgres/postgres.replication": crate::bridge::postgres::GuestReplication,
        "longshore:postgres/postgres.wal-stream": crate::bridge::postgres::GuestWal,
    },
});
