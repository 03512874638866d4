//! `plugin!`: the manifest that it joins.

use expect_test::expect;
use longshore_sdk::{
    Batch, BatchWriter, Config, Ctx, Fault, Plugin, PollLimits, Polled, Source, SourcePosition,
    TaskContext, Transform,
};

struct Quiet {
    phrase: String,
}

#[derive(Config)]
struct QuietConfig {
    /// Says "nothing"
    /// in two lines.
    #[config(
        importance = "low",
        width = "short",
        group = "Talk",
        display = "Phrase",
        one_of("a", "b")
    )]
    phrase: String,
}

impl Source for Quiet {
    type Config = QuietConfig;

    async fn open(
        _ctx: &Ctx,
        _task: TaskContext,
        config: QuietConfig,
        _positions: Vec<SourcePosition>,
    ) -> Result<Self, Fault> {
        Ok(Self {
            phrase: config.phrase,
        })
    }

    async fn poll(&mut self, ctx: &Ctx, _limits: PollLimits) -> Result<Polled, Fault> {
        ctx.progress(&self.phrase);
        Ok(Polled::default())
    }
}

longshore_sdk::plugin! {
    name: "quiet",
    source: Quiet,
    doc: "Says nothing",
    aliases: ["Mute", "org.example.Mute"],
    capabilities: [read_files("file", "other"), write_files("out")],
}

struct Pass;

impl Transform for Pass {
    type Config = ();

    fn configure(_ctx: &Ctx, _config: ()) -> Result<Self, Fault> {
        Ok(Self)
    }

    fn apply(&mut self, _ctx: &Ctx, _batch: &Batch<Vec<u8>>) -> Result<BatchWriter, Fault> {
        Ok(BatchWriter::default())
    }
}

longshore_sdk::plugin! { name: "pass", transform: Pass }

#[test]
fn the_manifest_says_what_the_code_says() {
    let expected = expect![[
        r#"{"name":"quiet","version":"0.1.0","contract":"0.1","doc":"Says nothing","roles":["source"],"aliases":["Mute","org.example.Mute"],"capabilities":[{"kind":"files","access":"read","keys":["file","other"]},{"kind":"files","access":"write","keys":["out"]}],"config":[{"name":"phrase","type":"STRING","importance":"LOW","width":"SHORT","doc":"Says \"nothing\" in two lines.","required":true,"group":"Talk","display_name":"Phrase","validator":{"kind":"one-of","values":["a","b"]}}]}"#
    ]];
    expected.assert_eq(Quiet::MANIFEST);
    let manifest = Quiet::manifest();
    assert!(manifest.answers_to("org.example.Mute"));
    let doc = "Says \"nothing\" in two lines.";
    assert_eq!(
        manifest.config.key("phrase").map(|key| key.doc.as_str()),
        Some(doc)
    );
}

#[test]
fn what_is_left_out_comes_from_the_package() {
    let manifest = Pass::manifest();
    assert_eq!(manifest.doc, env!("CARGO_PKG_DESCRIPTION"));
    assert_eq!(manifest.version, env!("CARGO_PKG_VERSION"));
    assert!(manifest.aliases.is_empty() && manifest.config.keys.is_empty());
}
