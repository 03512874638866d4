use longshore_sdk::Config;

#[derive(Config)]
struct UnknownType {
    /// A path is text to the host.
    path: std::path::PathBuf,
}

#[derive(Config)]
struct Undocumented {
    path: String,
}

#[derive(Config)]
struct DefaultedOption {
    /// Never absent.
    #[config(default = "1")]
    n: Option<u32>,
}

#[derive(Config)]
struct SameKey {
    /// One.
    max_bytes: u32,
    /// The same.
    #[config(name = "max.bytes")]
    other: u32,
}

fn main() {}
