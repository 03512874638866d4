use longshore_sdk::Config;

#[derive(Config)]
enum Choice {
    One,
}

#[derive(Config)]
struct Nameless(String);

#[derive(Config)]
struct Generic<T> {
    /// Anything.
    value: T,
}

fn main() {}
