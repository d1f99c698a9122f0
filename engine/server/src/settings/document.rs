//! `docs/settings.md`, written from the list of settings.

use super::list::{ALL, Form, Place, Setting, Standing};

/// The whole page.
pub fn page() -> String {
    let mut page = String::from(
        "# Settings\n\n\
         Generated from `engine/server/src/settings/list.rs`; `UPDATE=1 cargo test -p rowlock` writes it anew.\n\n\
         A flag beats its variable. Booleans are `true t yes y` or `false f no n`, in any case; flags marked * may stand alone. \
         Flags marked … may be given several times (their variable is a comma list). Flags marked ° stand before the subcommand or behind it, the others behind `serve`. A wrong value ends the start with \
         `Fatal Error:- Environment variable NAME: …` and exit status 1.\n",
    );
    section(&mut page, "Honoured", |setting| {
        matches!(setting.standing, Standing::Used | Standing::Satisfied)
    });
    section(&mut page, "Accepted without effect, with a warning", |setting| {
        matches!(setting.standing, Standing::Ignored(_))
    });
    section(
        &mut page,
        "Refused until their feature comes (the default is accepted)",
        |setting| matches!(setting.standing, Standing::Later(_)),
    );
    page
}

fn section(page: &mut String, title: &str, wanted: impl Fn(&Setting) -> bool) {
    page.push_str(&format!(
        "\n## {title}\n\n| Variable | Flag | Default | Meaning |\n|---|---|---|---|\n"
    ));
    for setting in ALL.iter().filter(|setting| wanted(setting)) {
        page.push_str(&row(setting));
    }
}

fn row(setting: &Setting) -> String {
    let variables: Vec<String> = setting
        .variable()
        .into_iter()
        .chain(setting.aliases.iter().copied())
        .map(|name| format!("`{name}`"))
        .collect();
    let mut flags = String::new();
    if let Some(flag) = setting.flag {
        if let Some(short) = setting.short {
            flags.push_str(&format!("`-{short}` "));
        }
        flags.push_str(&format!("`--{flag}`"));
        if setting.form == Form::Switch {
            flags.push_str(" *");
        }
        if setting.form == Form::List {
            flags.push_str(" …");
        }
        if setting.place == Place::Global {
            flags.push_str(" °");
        }
    }
    let default = match setting.default {
        "" => "–".to_owned(),
        default if default.contains(' ') => default.to_owned(),
        default => format!("`{default}`"),
    };
    let remark = match setting.standing {
        Standing::Used | Standing::Satisfied => String::new(),
        Standing::Ignored(reason) => format!(" Ignored: {reason}."),
        Standing::Later(feature) => format!(" Waits for {feature}."),
    };
    format!(
        "| {} | {flags} | {default} | {}{remark} |\n",
        if variables.is_empty() {
            "–".to_owned()
        } else {
            variables.join(", ")
        },
        setting.doc
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_up_to_date() {
        crate::generated::check("docs/settings.md", &page());
    }
}
