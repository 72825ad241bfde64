//! Compiles the auth service's contract of the graph view without protoc; it is the same text as there.
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    let contract = protox::compile(["proto/graph_view.proto"], ["proto"])?;
    Ok(tonic_prost_build::configure().build_transport(false).compile_fds(contract)?)
}
