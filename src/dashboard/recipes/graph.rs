//! A drawing of which recipe writes what another one reads: recipes in columns, from those that start others to those that are
//! started.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde::Serialize;

use super::flow::Flow;
use crate::printable;

/// Most recipes that are drawn; of more, the table tells.
const MOST: usize = 60;
/// Measures of a recipe's box, and of the space between boxes.
const WIDTH: usize = 190;
const HEIGHT: usize = 36;
const BETWEEN_COLUMNS: usize = 150;
const BETWEEN_ROWS: usize = 20;
/// Space around all.
const MARGIN: usize = 24;
/// Characters of a name or a kind of records that fit.
const NAME: usize = 24;
const LABEL: usize = 22;

/// The drawing.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Graph {
    width: usize,
    height: usize,
    boxes: Vec<RecipeBox>,
    arrows: Vec<Arrow>,
}

/// A recipe.
#[derive(Debug, PartialEq, Serialize)]
struct RecipeBox {
    name: String,
    x: usize,
    y: usize,
}

/// What leads from one recipe to another.
#[derive(Debug, PartialEq, Serialize)]
struct Arrow {
    /// Commands of a path.
    path: String,
    label: String,
    /// The place of the label.
    x: usize,
    y: usize,
}

type Ends<'a> = (&'a str, &'a str);

impl Graph {
    /// The drawing of `flows`; nothing if there are none, or too many recipes.
    pub(super) fn of(flows: &BTreeSet<Flow>) -> Option<Self> {
        let mut records: BTreeMap<Ends<'_>, Vec<&str>> = BTreeMap::new();
        for flow in flows {
            records.entry((flow.from(), flow.to())).or_default().push(flow.records());
        }
        let starts = starts(records.keys().copied());
        if starts.is_empty() || starts.len() > MOST {
            return None;
        }
        let columns = columns(&starts);
        let mut rows: BTreeMap<usize, usize> = BTreeMap::new();
        let mut places = BTreeMap::new();
        for (name, column) in &columns {
            let row = rows.entry(*column).or_default();
            let x = MARGIN + column * (WIDTH + BETWEEN_COLUMNS);
            places.insert(*name, (x, 2 * MARGIN + *row * (HEIGHT + BETWEEN_ROWS)));
            *row += 1;
        }
        let most = |counts: &mut dyn Iterator<Item = usize>| counts.max().unwrap_or_default();
        let (width, height) =
            (most(&mut places.values().map(|(x, _)| *x)), most(&mut places.values().map(|(_, y)| *y)));
        let arrows = records.iter().filter_map(|((from, to), records)| {
            Some(arrow(*places.get(from)?, *places.get(to)?, &records.join(", ")))
        });
        Some(Self {
            width: width + WIDTH + MARGIN,
            height: height + HEIGHT + 2 * MARGIN,
            arrows: arrows.collect(),
            boxes: places
                .iter()
                .map(|(name, (x, y))| RecipeBox { name: printable::line(name, NAME), x: *x, y: *y })
                .collect(),
        })
    }
}

/// What each recipe at an end starts.
fn starts<'a>(ends: impl Iterator<Item = Ends<'a>>) -> Starts<'a> {
    let mut starts = Starts::new();
    for (from, to) in ends {
        starts.entry(from).or_default().push(to);
        starts.entry(to).or_default();
    }
    starts
}

/// What each recipe starts.
type Starts<'a> = BTreeMap<&'a str, Vec<&'a str>>;

/// The column of each recipe: to the right of all that start it. What leads back in a circle does not count.
fn columns<'a>(starts: &Starts<'a>) -> BTreeMap<&'a str, usize> {
    let started: BTreeSet<&str> =
        starts.iter().flat_map(|(from, to)| to.iter().filter(move |to| *to != from)).copied().collect();
    // Those that nothing starts come first; circles without a beginning follow.
    let (first, rest): (Vec<&str>, Vec<&str>) = starts.keys().partition(|name| !started.contains(*name));
    let mut order = Vec::new();
    let mut seen = BTreeSet::new();
    for name in first.into_iter().chain(rest) {
        visit(name, starts, &mut seen, &mut order);
    }
    order.reverse();
    let place: BTreeMap<&str, usize> = order.iter().enumerate().map(|(place, name)| (*name, place)).collect();
    let mut columns: BTreeMap<&str, usize> = order.iter().map(|name| (*name, 0)).collect();
    for name in &order {
        let next = columns[name] + 1;
        for to in starts.get(name).into_iter().flatten().filter(|to| place[*to] > place[name]) {
            columns.entry(to).and_modify(|column| *column = (*column).max(next));
        }
    }
    columns
}

/// Puts into `order` what `name` starts, then itself.
fn visit<'a>(name: &'a str, starts: &Starts<'a>, seen: &mut BTreeSet<&'a str>, order: &mut Vec<&'a str>) {
    if !seen.insert(name) {
        return;
    }
    for to in starts.get(name).into_iter().flatten() {
        visit(to, starts, seen, order);
    }
    order.push(name);
}

/// From the right of one box to the left of another; below both where it leads back.
fn arrow((x, y): (usize, usize), (to_x, to_y): (usize, usize), records: &str) -> Arrow {
    let (begin, middle, end, to_middle) = (x + WIDTH, y + HEIGHT / 2, to_x, to_y + HEIGHT / 2);
    let mut path = String::new();
    // Writing to a text does not fail.
    let place = if to_x > x {
        let half = (begin + end) / 2;
        let _ = write!(path, "M{begin} {middle}C{half} {middle} {half} {to_middle} {end} {to_middle}");
        (half, (middle + to_middle) / 2)
    } else {
        let below = y.max(to_y) + HEIGHT + BETWEEN_ROWS;
        let (right, left) = (begin + MARGIN, end.saturating_sub(MARGIN));
        let _ = write!(
            path,
            "M{begin} {middle}C{right} {middle} {right} {below} {} {below}L{end} {below}C{left} {below} {left} {to_middle} {end} {to_middle}",
            begin - MARGIN
        );
        ((begin + end) / 2, below)
    };
    Arrow { path, label: printable::line(records, LABEL), x: place.0, y: place.1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flows(ends: &[Ends<'_>]) -> BTreeSet<Flow> {
        ends.iter().map(|(from, to)| Flow::new(from, "highlevel contacts", to)).collect()
    }

    #[test]
    fn what_is_started_stands_to_the_right() {
        let ends = [("a", "b"), ("b", "c"), ("a", "c"), ("c", "d")];
        let columns = columns(&starts(ends.into_iter()));
        assert_eq!(columns, BTreeMap::from([("a", 0), ("b", 1), ("c", 2), ("d", 3)]));
    }

    #[test]
    fn circles_end() {
        let ends = [("a", "b"), ("b", "a"), ("c", "c"), ("b", "d")];
        let columns = columns(&starts(ends.into_iter()));
        assert_eq!(columns, BTreeMap::from([("a", 0), ("b", 1), ("c", 0), ("d", 2)]));
        let graph = Graph::of(&flows(&[("a", "b"), ("b", "a"), ("c", "c")])).unwrap();
        assert_eq!((graph.boxes.len(), graph.arrows.len()), (3, 3));
    }

    #[test]
    fn boxes_do_not_lie_upon_each_other_and_the_drawing_holds_them() {
        let names: Vec<String> = (0..20).map(|number| format!("recipe {number}")).collect();
        let ends: Vec<Ends<'_>> = names.windows(2).map(|pair| (pair[0].as_str(), pair[1].as_str())).collect();
        let fan: Vec<Ends<'_>> = names.iter().map(|name| ("root", name.as_str())).collect();
        for flows in [flows(&ends), flows(&fan)] {
            let graph = Graph::of(&flows).unwrap();
            let places: BTreeSet<(usize, usize)> = graph.boxes.iter().map(|at| (at.x, at.y)).collect();
            assert_eq!(places.len(), graph.boxes.len());
            let fits = |at: &RecipeBox| at.x + WIDTH <= graph.width && at.y + HEIGHT <= graph.height;
            assert!(graph.boxes.iter().all(fits), "{graph:?}");
        }
        assert_eq!(Graph::of(&BTreeSet::new()), None);
        let many: Vec<String> = (0..=MOST).map(|number| format!("r{number}")).collect();
        let many: Vec<Ends<'_>> = many.iter().map(|name| ("root", name.as_str())).collect();
        assert_eq!(Graph::of(&flows(&many)), None);
    }
}
