use longshore_sdk::Config;

#[derive(Config)]
struct UnknownAttribute {
    /// A path.
    #[config(secret)]
    path: String,
}

#[derive(Config)]
struct UnknownImportance {
    /// A path.
    #[config(importance = "vital")]
    path: String,
}

#[derive(Config)]
struct RangeOfText {
    /// A path.
    #[config(range(min = 1))]
    path: String,
}

#[derive(Config)]
struct TwoRules {
    /// A path.
    #[config(not_empty, topic)]
    path: String,
}

fn main() {}
