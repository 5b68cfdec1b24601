//! Pictures of graphs, drawn by Graphviz.
#![forbid(unsafe_code)]

use std::io::Write;
use std::process::Command;

use super::SetupError;

/// A graph in the language of Graphviz as an SVG.
///
/// # Errors
///
/// Where there is no Graphviz, or it refuses the graph: in its words.
pub(super) fn svg(graph: &str) -> Result<String, SetupError> {
    let mut file = tempfile::NamedTempFile::new().map_err(|error| format!("a file for the graph: {error}"))?;
    file.write_all(graph.as_bytes()).map_err(|error| format!("{}: {error}", file.path().display()))?;
    let drawn = Command::new("dot").arg("-Tsvg").arg(file.path()).output();
    let drawn =
        drawn.map_err(|error| format!("`dot` draws the picture, and cannot be run (install Graphviz): {error}"))?;
    if !drawn.status.success() {
        return Err(format!("`dot` draws no picture: {}", String::from_utf8_lossy(&drawn.stderr).trim()).into());
    }
    String::from_utf8(drawn.stdout).map_err(|error| format!("`dot` drew no SVG: {error}").into())
}
