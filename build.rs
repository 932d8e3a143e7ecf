//! Rebuilds when the connectors that are compiled into the program change; the macro that embeds
//! them cannot see files that were added.

fn main() {
    println!("cargo:rerun-if-changed=schemas/connectors");
}
