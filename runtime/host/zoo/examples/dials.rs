//! Connects to the server that its config names on each poll; says what it would leave behind there.
#![cfg(target_family = "wasm")]

use longshore_sdk::{
    Cleanup, Config, Ctx, Fault, Leftover, PollLimits, Polled, Secret, Source, SourcePosition,
    TaskContext, plugin,
};

struct Dials;

#[derive(Config)]
#[expect(dead_code, reason = "the host reads what is granted")]
struct DialsConfig {
    /// The server.
    #[config(name = "database.hostname")]
    hostname: String,
    /// Its port.
    #[config(name = "database.port", default = "5432")]
    port: u32,
    /// Who connects.
    #[config(name = "database.user")]
    user: String,
    /// And with what.
    #[config(name = "database.password")]
    password: Option<Secret>,
    /// The database.
    #[config(name = "database.dbname")]
    dbname: String,
}

impl Source for Dials {
    type Config = DialsConfig;

    async fn open(
        _ctx: &Ctx,
        _task: TaskContext,
        _config: DialsConfig,
        _positions: Vec<SourcePosition>,
    ) -> Result<Self, Fault> {
        Ok(Self)
    }

    async fn poll(&mut self, ctx: &Ctx, _limits: PollLimits) -> Result<Polled, Fault> {
        ctx.postgres().connect(&[]).await?;
        ctx.count("connected", 1);
        Ok(Polled::default())
    }
}

impl Cleanup for Dials {
    async fn leftovers(
        _ctx: &Ctx,
        config: DialsConfig,
        positions: Vec<SourcePosition>,
    ) -> Result<Vec<Leftover>, Fault> {
        let slot = |position: SourcePosition| Leftover {
            kind: "replication slot".to_owned(),
            name: position.partition,
            bytes: Some(1 << 40),
            command: config.dbname.clone(),
        };
        Ok(positions.into_iter().map(slot).collect())
    }

    async fn cleanup(
        ctx: &Ctx,
        _config: DialsConfig,
        _positions: Vec<SourcePosition>,
    ) -> Result<(), Fault> {
        ctx.postgres().replicate(&[]).await.map(drop)
    }
}

plugin! {
    name: "dials",
    source: Dials,
    capabilities: [postgres("database")],
    optional: [cleanup],
}
