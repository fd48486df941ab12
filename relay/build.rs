//! Embeds the built widget: makes a table of its files, with a gzip copy where that is smaller.
//! Without a built widget the relay still compiles and says at run time what is missing.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// Everything compiled for browsers lies here; `cargo xtask build widget` puts it there.
const WIDGET: &str = "../widget/dist";

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    let root = Path::new(WIDGET);
    let mut files = Vec::new();
    if root.is_dir() {
        println!("cargo::rerun-if-changed={WIDGET}");
        collect(root, root, &mut files)?;
    } else {
        println!("cargo::rerun-if-changed=../widget");
    }
    if files.is_empty() {
        println!("cargo::warning=the widget is not built: run cargo xtask build widget");
    }
    files.sort();

    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    let mut table = String::from("&[\n");
    for (number, (name, path)) in files.iter().enumerate() {
        let bytes = fs::read(path)?;
        let packed = pack(&bytes)?;
        let gzip = match packed {
            None => "None".to_owned(),
            Some(bytes) => {
                let target = out.join(format!("asset-{number}.gz"));
                fs::write(&target, bytes)?;
                format!("Some(include_bytes!({target:?}))")
            }
        };
        // A copy: the widget may be built again between here and the compiler.
        let path = out.join(format!("asset-{number}"));
        fs::write(&path, bytes)?;
        let _ = writeln!(
            table,
            "    Asset {{ name: {name:?}, bytes: include_bytes!({path:?}), gzip: {gzip} }},"
        );
    }
    table.push_str("]\n");
    fs::write(out.join("assets.rs"), table)
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(root, &path, files)?;
        } else if let Some(name) = path.strip_prefix(root).ok().and_then(Path::to_str) {
            files.push((name.replace('\\', "/"), path));
        }
    }
    Ok(())
}

/// The gzip form, if it saves at least a tenth: pictures and fonts do not.
fn pack(bytes: &[u8]) -> io::Result<Option<Vec<u8>>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes)?;
    let packed = encoder.finish()?;
    Ok((packed.len() < bytes.len() / 10 * 9).then_some(packed))
}
