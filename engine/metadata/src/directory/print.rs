//! YAML texts that every reader takes for the same values. The printer quotes what YAML 1.2 would take for something else
//! than a text; readers of YAML 1.1, which `kubectl` and the `hasura` command line are, take more for that.

use serde_norway::{Mapping, Value as Yaml};

/// What YAML 1.1 takes for a truth value, a merge or a value of another kind.
const WORDS: &[&str] = &["y", "n", "yes", "no", "on", "off", "<<", "="];

/// Prints a value. Texts that could be taken for something else are quoted, also where they are keys.
///
/// # Errors
/// The printer fails.
pub(super) fn print(yaml: Yaml) -> Result<String, serde_norway::Error> {
    let mut marks = Marks::default();
    while mentions(&yaml, &marks.mark) {
        marks.mark.push('x');
    }
    let marked = marks.replace(yaml);
    let text = serde_norway::to_string(&marked)?;
    if marks.texts.is_empty() {
        return Ok(text);
    }
    let mut pieces = text.split(marks.mark.as_str());
    let mut printed = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        // The number ends with a letter.
        let (number, rest) = piece.split_once('q').unwrap_or_default();
        let text = number
            .parse()
            .ok()
            .and_then(|number: usize| marks.texts.get(number));
        printed.push('\'');
        printed.push_str(text.map(String::as_str).unwrap_or_default());
        printed.push('\'');
        printed.push_str(rest);
    }
    Ok(printed)
}

/// Texts that have to be quoted. While printing a word stands for each: the printer decides alone what it quotes.
struct Marks {
    mark: String,
    texts: Vec<String>,
}

impl Default for Marks {
    fn default() -> Self {
        Self {
            mark: "quoted".to_owned(),
            texts: Vec::new(),
        }
    }
}

impl Marks {
    /// Values nest as deep as documents may.
    fn replace(&mut self, yaml: Yaml) -> Yaml {
        match yaml {
            Yaml::String(text) if is_misread(&text) => {
                self.texts.push(text);
                Yaml::String(format!("{}{}q", self.mark, self.texts.len() - 1))
            }
            Yaml::Sequence(items) => {
                Yaml::Sequence(items.into_iter().map(|item| self.replace(item)).collect())
            }
            Yaml::Mapping(mapping) => {
                let mut replaced = Mapping::new();
                for (key, value) in mapping {
                    replaced.insert(self.replace(key), self.replace(value));
                }
                Yaml::Mapping(replaced)
            }
            other => other,
        }
    }
}

fn mentions(yaml: &Yaml, mark: &str) -> bool {
    match yaml {
        Yaml::String(text) => text.contains(mark),
        Yaml::Sequence(items) => items.iter().any(|item| mentions(item, mark)),
        Yaml::Mapping(mapping) => mapping
            .iter()
            .any(|(key, value)| mentions(key, mark) || mentions(value, mark)),
        Yaml::Tagged(_) | Yaml::Null | Yaml::Bool(_) | Yaml::Number(_) => false,
    }
}

/// Whether a reader of YAML 1.1 could take the text, unquoted, for something else. None of these has a quote in it.
fn is_misread(text: &str) -> bool {
    if WORDS.iter().any(|word| text.eq_ignore_ascii_case(word)) {
        return true;
    }
    // Numbers with separators, in other bases, of degrees and minutes; dates.
    let unsigned = text.trim_start_matches(['+', '-', '.']);
    unsigned.starts_with(|first: char| first.is_ascii_digit())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-._:".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Yaml {
        Yaml::String(text.to_owned())
    }

    #[test]
    fn every_reader_sees_texts() {
        let list = [
            "y",
            "No",
            "ON",
            "1_000",
            "0b11",
            "1:30",
            "2001-01-01",
            "+.5",
            "=",
            "plain",
            "year",
            "a: b",
            "1 month",
        ];
        let printed = print(Yaml::Sequence(list.map(text).to_vec())).unwrap();
        let expected = "- 'y'\n- 'No'\n- 'ON'\n- '1_000'\n- '0b11'\n- '1:30'\n- '2001-01-01'\n- '+.5'\n- '='\n\
                        - plain\n- year\n- 'a: b'\n- 1 month\n";
        assert_eq!(printed, expected);
        let back: Yaml = serde_norway::from_str(&printed).unwrap();
        assert_eq!(back, Yaml::Sequence(list.map(text).to_vec()));
    }

    #[test]
    fn keys_and_words_that_look_like_marks() {
        let mut mapping = Mapping::new();
        mapping.insert(text("n"), text("quoted0q"));
        mapping.insert(text("off"), Yaml::Bool(false));
        let printed = print(Yaml::Mapping(mapping.clone())).unwrap();
        assert_eq!(printed, "'n': quoted0q\n'off': false\n");
        assert_eq!(
            serde_norway::from_str::<Yaml>(&printed).unwrap(),
            Yaml::Mapping(mapping)
        );
    }
}
