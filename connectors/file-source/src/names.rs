//! What tells that two names, or two identities, mean one file.

/// A path in the one spelling in which names are compared: the config's `//` and `/./` are not in what
/// a listing returns.
pub(crate) fn base_name(path: &str) -> String {
    let parts = path.split('/');
    let parts: Vec<_> = parts.filter(|part| !matches!(*part, "" | ".")).collect();
    let root = if path.starts_with('/') { "/" } else { "" };
    format!("{root}{}", parts.join("/"))
}

/// Whether two identities differ in nothing but the device, whose number a reboot or a new mount may
/// change. Where the file system tells no birth, a reused inode looks the same, so nothing is known.
pub(crate) fn differ_in_device(a: &str, b: &str) -> bool {
    match (inode_and_birth(a), inode_and_birth(b)) {
        (Some(a), Some(b)) => a == b,
        _ => false,
    }
}

fn inode_and_birth(identity: &str) -> Option<(&str, &str)> {
    let mut parts = identity.split(':');
    let (Some(_device), Some(inode), Some(born), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    (born != "0").then_some((inode, born))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_one_spelling() {
        for (path, expected) in [
            ("/var/log/app.log", "/var/log/app.log"),
            ("/var/log//app.log", "/var/log/app.log"),
            ("//var/./log/./app.log", "/var/log/app.log"),
            ("./app.log", "app.log"),
            ("logs/../app.log", "logs/../app.log"),
            (".app.log", ".app.log"),
        ] {
            assert_eq!(base_name(path), expected);
        }
    }

    #[test]
    fn only_a_device_may_change_and_only_where_a_birth_is_known() {
        assert!(differ_in_device("fd01:2a:17", "fd02:2a:17"));
        for (a, b) in [
            ("1:2a:17", "2:2b:17"),
            ("1:2a:17", "2:2a:18"),
            ("1:2a:0", "2:2a:0"),
            ("id-1", "id-1"),
            ("1:2:3:4", "2:2:3:4"),
        ] {
            assert!(!differ_in_device(a, b), "{a} and {b}");
        }
    }
}
