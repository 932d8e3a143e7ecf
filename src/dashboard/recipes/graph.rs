//! A drawing of which recipe writes what starts another one: recipes that write on the left, the kinds of records that they
//! write in the middle, the recipes that these start on the right. A recipe that does both stands on both sides.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::flow::Flow;
use crate::printable;

/// Most recipes on a side; of more, the table tells.
const MOST: usize = 60;
/// Measures of a box of a recipe and of a kind of records, and of the space between boxes.
const RECIPE_WIDTH: usize = 270;
const RECORDS_WIDTH: usize = 190;
const HEIGHT: usize = 34;
const BETWEEN_COLUMNS: usize = 90;
const BETWEEN_ROWS: usize = 14;
/// Space around all.
const MARGIN: usize = 8;
/// Characters of a recipe's name and of a kind of records that fit.
const NAME: usize = 36;
const RECORDS: usize = 24;

/// What is written of a kind of records, and what it starts.
#[derive(Debug, Default, PartialEq, Serialize)]
pub(super) struct KindOfRecords<'a> {
    /// The kind, such as `highlevel contacts`.
    records: &'a str,
    /// The recipes that write such records.
    writers: BTreeSet<&'a str>,
    /// The recipes that they start.
    started: BTreeSet<&'a str>,
}

/// The drawing.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Graph {
    width: usize,
    height: usize,
    boxes: Vec<GraphBox>,
    /// Commands of paths.
    arrows: Vec<String>,
}

/// A recipe or a kind of records.
#[derive(Debug, PartialEq, Serialize)]
struct GraphBox {
    name: String,
    x: usize,
    y: usize,
    width: usize,
    height: usize,
}

/// The flows by kind of records. A flow leads from each that writes a kind to each that it starts.
pub(super) fn kinds(flows: &BTreeSet<Flow>) -> Vec<KindOfRecords<'_>> {
    let mut kinds: BTreeMap<&str, KindOfRecords<'_>> = BTreeMap::new();
    for flow in flows {
        let kind = kinds.entry(flow.records()).or_default();
        kind.records = flow.records();
        kind.writers.insert(flow.from());
        kind.started.insert(flow.to());
    }
    kinds.into_values().collect()
}

impl Graph {
    /// The drawing of `kinds`; nothing if there are none, or too many recipes.
    pub(super) fn of(kinds: &[KindOfRecords<'_>]) -> Option<Self> {
        let writers: BTreeSet<&str> = kinds.iter().flat_map(|kind| &kind.writers).copied().collect();
        let started: BTreeSet<&str> = kinds.iter().flat_map(|kind| &kind.started).copied().collect();
        let rows = writers.len().max(started.len()).max(kinds.len());
        if kinds.is_empty() || writers.len().max(started.len()) > MOST {
            return None;
        }
        let height = rows * (HEIGHT + BETWEEN_ROWS) - BETWEEN_ROWS + 2 * MARGIN;
        let middle = MARGIN + RECIPE_WIDTH + BETWEEN_COLUMNS;
        let right = middle + RECORDS_WIDTH + BETWEEN_COLUMNS;
        let writers: BTreeMap<&str, usize> = column(writers.into_iter(), height).collect();
        let started: BTreeMap<&str, usize> = column(started.into_iter(), height).collect();
        let recipes = writers.iter().map(|at| (at, MARGIN)).chain(started.iter().map(|at| (at, right)));
        let mut boxes: Vec<GraphBox> =
            recipes.map(|((name, y), x)| GraphBox::new(name, NAME, (x, *y), RECIPE_WIDTH)).collect();
        let mut arrows = Vec::new();
        for (kind, y) in column(kinds.iter(), height) {
            boxes.push(GraphBox::new(kind.records, RECORDS, (middle, y), RECORDS_WIDTH));
            let from = kind.writers.iter().filter_map(|writer| writers.get(writer));
            arrows.extend(from.map(|from| arrow((MARGIN + RECIPE_WIDTH, *from), (middle, y))));
            let to = kind.started.iter().filter_map(|name| started.get(name));
            arrows.extend(to.map(|to| arrow((middle + RECORDS_WIDTH, y), (right, *to))));
        }
        Some(Self { width: right + RECIPE_WIDTH + MARGIN, height, boxes, arrows })
    }
}

impl GraphBox {
    /// With as much of `name` as fits.
    fn new(name: &str, most: usize, (x, y): (usize, usize), width: usize) -> Self {
        Self { name: printable::line(name, most), x, y, width, height: HEIGHT }
    }
}

/// Boxes of a column with the heights at which they begin: in the middle of `height`.
fn column<T>(boxes: impl ExactSizeIterator<Item = T>, height: usize) -> impl Iterator<Item = (T, usize)> {
    let step = HEIGHT + BETWEEN_ROWS;
    let top = (height + BETWEEN_ROWS - boxes.len() * step) / 2;
    boxes.enumerate().map(move |(row, name)| (name, top + row * step))
}

/// From the right of one box to the left of another.
fn arrow((x, y): (usize, usize), (to_x, to_y): (usize, usize)) -> String {
    let (half, middle, to_middle) = ((x + to_x) / 2, y + HEIGHT / 2, to_y + HEIGHT / 2);
    format!("M{x} {middle}C{half} {middle} {half} {to_middle} {to_x} {to_middle}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flows(ends: &[(&str, &str, &str)]) -> BTreeSet<Flow> {
        ends.iter().map(|(from, records, to)| Flow::new(from, records, to)).collect()
    }

    #[test]
    fn what_is_written_stands_between_who_writes_and_what_starts() {
        let flows =
            flows(&[("a", "x", "b"), ("a", "x", "a"), ("b", "y", "a"), ("b", "x", "a"), ("b", "x", "b")]);
        let kinds = kinds(&flows);
        let set = |names: &[&'static str]| names.iter().copied().collect::<BTreeSet<&str>>();
        let expected = [
            KindOfRecords { records: "x", writers: set(&["a", "b"]), started: set(&["a", "b"]) },
            KindOfRecords { records: "y", writers: set(&["b"]), started: set(&["a"]) },
        ];
        assert_eq!(kinds, expected);
        let graph = Graph::of(&kinds).unwrap();
        assert_eq!((graph.boxes.len(), graph.arrows.len()), (6, 6));
    }

    #[test]
    fn boxes_do_not_lie_upon_each_other_and_the_drawing_holds_them() {
        let names: Vec<String> = (0..20).map(|number| format!("recipe {number}")).collect();
        let chain: Vec<_> =
            names.windows(2).map(|pair| (pair[0].as_str(), pair[1].as_str(), "end")).collect();
        let fan: Vec<_> = names.iter().map(|name| ("root", "things", name.as_str())).collect();
        for flows in [flows(&chain), flows(&fan), flows(&[("a", "x", "a")])] {
            let graph = Graph::of(&kinds(&flows)).unwrap();
            for (at, one) in graph.boxes.iter().enumerate() {
                assert!(one.x + one.width <= graph.width && one.y + one.height <= graph.height, "{graph:?}");
                let apart = |other: &GraphBox| one.x != other.x || one.y.abs_diff(other.y) >= HEIGHT;
                assert!(graph.boxes[at + 1..].iter().all(apart), "{graph:?}");
            }
        }
        assert_eq!(Graph::of(&[]), None);
        let many: Vec<String> = (0..=MOST).map(|number| format!("r{number}")).collect();
        let many: Vec<_> = many.iter().map(|name| ("root", "things", name.as_str())).collect();
        assert_eq!(Graph::of(&kinds(&flows(&many))), None);
    }
}
