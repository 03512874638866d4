//! PostgreSQL for the demo, the tests and the proofs: installed where that may be done, else unpacked from Debian's packages
//! under cargo's target directory.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use longshore_rig::Programs;

use crate::process;
use crate::tools::{apt_get, is_root};

/// The server, with `psql` and its contributed extensions.
const PACKAGE: &str = "postgresql";
/// Keeps Debian's package from making a cluster of its own and starting it.
const NO_CLUSTER: &str = "/etc/postgresql-common/createcluster.d/longshore.conf";

/// PostgreSQL's programs, installed or unpacked now where they are not there.
pub(crate) fn ensure(target_dir: &Path) -> Result<Programs> {
    if let Some(programs) = Programs::find(target_dir) {
        return Ok(programs);
    }
    if process::find("apt-get").is_none() {
        bail!(
            "PostgreSQL is not installed, and there is no apt-get that could fetch it; `cargo xtask demo --postgres URL` uses a server of yours"
        );
    }
    if is_root() {
        install()?;
    } else {
        unpack(target_dir)?;
    }
    Programs::find(target_dir).context("PostgreSQL was installed and is not found")
}

fn install() -> Result<()> {
    let settings = Path::new(NO_CLUSTER);
    fs::create_dir_all(settings.parent().expect("a file has a folder"))?;
    fs::write(settings, "create_main_cluster = false\n")?;
    let installed = process::run(apt_get().arg("update")).and_then(|()| {
        let mut install = apt_get();
        install.args(["install", "-y", "--no-install-recommends", PACKAGE]);
        process::run(&mut install)
    });
    fs::remove_file(settings)?;
    installed
}

/// Downloads whatever would be installed, and unpacks it side by side.
fn unpack(target_dir: &Path) -> Result<()> {
    let folder = Programs::unpacked_dir(target_dir);
    let archives = target_dir.join("postgresql-packages");
    process::fresh_dir(&archives)?;
    let mut simulate = apt_get();
    simulate.args(["install", "--simulate", "--no-install-recommends", PACKAGE]);
    let plan = String::from_utf8(process::capture(&mut simulate)?)?;
    let packages = plan.lines().filter_map(|line| line.strip_prefix("Inst "));
    let packages = packages.filter_map(|line| line.split(' ').next());
    let mut download = apt_get();
    download.current_dir(&archives).arg("download");
    process::run(download.args(packages))?;
    // Under another name first, so that what broke off is not taken for the whole.
    let unfinished = target_dir.join("postgresql-unfinished");
    process::fresh_dir(&unfinished)?;
    for archive in fs::read_dir(&archives)? {
        let mut unpack = Command::new("dpkg");
        process::run(unpack.arg("-x").arg(archive?.path()).arg(&unfinished))?;
    }
    fs::remove_dir_all(&archives)?;
    fs::rename(&unfinished, &folder).with_context(|| format!("make {}", folder.display()))
}
