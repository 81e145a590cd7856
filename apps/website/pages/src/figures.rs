//! Figures for the front page: rows of the table in the README, so that they are in one place only.

use morgana_site::{Value, context};

/// A row: how it begins in the README, and what the front page calls it.
const ROWS: [(&str, &str); 4] = [
    (
        "`xl create` to the first byte of a page, Linux from",
        "from `xl create` to the first byte of a page",
    ),
    (
        "unpause to the first packet",
        "from its first instruction to its first packet",
    ),
    (
        "TCP stream into the guest",
        "TCP stream into the guest, and its CPU time",
    ),
    (
        "image without its pages",
        "bytes: the website's image without its pages",
    ),
];

/// The rows that `readme` has, as `what`, `ours` and what the cell says `more`, `theirs`, `ratio` and `bars`.
pub(crate) fn figures(readme: &str) -> Vec<Value> {
    ROWS.iter()
        .filter_map(|(begins, what)| {
            let row = readme
                .lines()
                .filter_map(|line| line.strip_prefix("| "))
                .find(|line| line.starts_with(begins))?;
            let cells: Vec<&str> = row.split('|').map(str::trim).collect();
            let (ours, theirs, ratio) = (*cells.get(1)?, *cells.get(2)?, *cells.get(3)?);
            let (figure, more) = ours.split_once(' ').unwrap_or((ours, ""));
            let (unit, more) = more.split_once(", ").unwrap_or((more, ""));
            Some(context! {
                what => *what,
                ours => format!("{figure} {unit}").trim_end(),
                more => more,
                theirs => theirs,
                ratio => ratio,
                bars => bars(ours, theirs),
            })
        })
        .collect()
}

/// The two figures' lengths, the greater one being 100; nothing where there are no two.
fn bars(ours: &str, theirs: &str) -> Vec<u64> {
    let (Some(ours), Some(theirs)) = (number(ours), number(theirs)) else {
        return Vec::new();
    };
    let greater = ours.max(theirs);
    // From 0 to 100, since both are positive.
    [ours, theirs]
        .map(|figure| (figure / greater * 100.0).round().max(1.0) as u64)
        .into()
}

/// The number that a cell begins with, if it is positive.
fn number(cell: &str) -> Option<f64> {
    let end = cell.find(|c: char| !c.is_ascii_digit() && !".,".contains(c));
    let digits = cell[..end.unwrap_or(cell.len())].replace(',', "");
    let number = digits.trim_end_matches('.').parse::<f64>().ok()?;
    (number > 0.0).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_become_figures() {
        let readme = "| what | ours | Linux PV | ratio |\n|---|---|---|---|\n| unpause to the first packet | 0.16 s | 6.6 s | 42 |\n\
                      | image without its pages, in bytes | 409,039 | | |\n";
        let figures = figures(readme);
        assert_eq!(figures.len(), 2);
        assert_eq!(
            figures[0].get_attr("ours").unwrap().as_str(),
            Some("0.16 s")
        );
        assert_eq!(bars("0.16 s", "6.6 s"), [2, 100]);
        assert_eq!(bars("26,960 /s, 0.027 ms", "4,458 /s"), [100, 17]);
        assert!(bars("409,039", "").is_empty());
    }
}
