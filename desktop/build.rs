//! Checks the shell's configuration at compile time and makes a permission for each command, so
//! that a window may call only what its capability names.

fn main() {
    let dist = std::path::Path::new("../desktop-ui/dist/index.html");
    println!("cargo::rerun-if-changed=../desktop-ui/dist");
    if !dist.is_file() {
        println!("cargo::error=the workbench is not built: run `cargo xtask build desktop`");
        return;
    }
    let manifest = tauri_build::AppManifest::new().commands(&["ui", "listen"]);
    let attributes = tauri_build::Attributes::new().app_manifest(manifest);
    if let Err(error) = tauri_build::try_build(attributes) {
        println!("cargo::error={error:#}");
    }
}
