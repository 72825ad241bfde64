//! Compiles the contract of the graph view without protoc: the code of its messages, and the description for reflection.
use std::error::Error;
use std::path::PathBuf;

use prost::Message;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    let contract = protox::compile(["proto/graph_view.proto"], ["proto"])?;
    #[expect(clippy::disallowed_methods, reason = "no setting: by it cargo says where a build script writes")]
    let folder = std::env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?;
    std::fs::write(PathBuf::from(folder).join("graph_view.bin"), contract.encode_to_vec())?;
    Ok(tonic_prost_build::configure().build_transport(false).compile_fds(contract)?)
}
