//! What has changed between two states of a list, for people.

use std::collections::BTreeMap;

/// Rows that were told, by what tells them apart.
#[derive(Default)]
pub(super) struct Changes(BTreeMap<String, Vec<String>>);

impl Changes {
    /// Takes the rows of another state; gives a line for each that is new (`+`), other (`~`) or gone (`-`).
    pub(super) fn tell(&mut self, rows: impl IntoIterator<Item = (String, Vec<String>)>) -> Vec<String> {
        let now: BTreeMap<_, _> = rows.into_iter().collect();
        let mut lines = Vec::new();
        for (key, row) in &now {
            match self.0.remove(key) {
                None => lines.push(line('+', row)),
                Some(before) if before != *row => lines.push(line('~', row)),
                Some(_) => (),
            }
        }
        lines.extend(self.0.values().map(|row| line('-', row)));
        self.0 = now;
        lines
    }
}

fn line(sign: char, row: &[String]) -> String {
    let text = row.join("  ").replace(char::is_control, " ");
    format!("{sign} {}", text.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_what_is_new_other_and_gone() {
        let mut changes = Changes::default();
        let mut tell = |rows: &[(&str, &str)]| {
            let row = |(key, value): &(&str, &str)| {
                ((*key).to_owned(), vec![(*key).to_owned(), (*value).to_owned()])
            };
            changes.tell(rows.iter().map(row)).join("\n")
        };
        assert_eq!(tell(&[("a", "1"), ("b", "2\n3")]), "+ a  1\n+ b  2 3");
        assert_eq!(tell(&[("a", "1"), ("b", "")]), "~ b");
        assert_eq!(tell(&[("b", ""), ("c", "4")]), "+ c  4\n- a  1");
    }
}
