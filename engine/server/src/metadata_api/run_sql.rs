//! `run_sql`: text run as it is, after which the document follows what it did to tracked objects.

use pg::{RunSqlMode, SqlResult};
use serde_json::{Value, json};

use super::arguments::Arguments;
use super::error::ApiError;
use super::lookup;
use super::workspace::Workspace;

/// Whether the document may have to follow: not for read-only text; else as `check_metadata_consistency` says; else
/// by the words in the text (the same words as in Hasura v2).
pub(crate) fn may_change_metadata(arguments: &Value) -> bool {
    if arguments.get("read_only").and_then(Value::as_bool) == Some(true) {
        return false;
    }
    match arguments
        .get("check_metadata_consistency")
        .and_then(Value::as_bool)
    {
        Some(check) => check,
        None => arguments
            .get("sql")
            .and_then(Value::as_str)
            .is_some_and(looks_like_ddl),
    }
}

fn looks_like_ddl(sql: &str) -> bool {
    let mut words = sql
        .split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .peekable();
    while let Some(word) = words.next() {
        let next = words.peek().map(String::as_str);
        match word.as_str() {
            "alter" | "drop" | "replace" => return true,
            "create" if next == Some("function") => return true,
            "comment" if next == Some("on") => return true,
            _ => {}
        }
    }
    false
}

/// `run_sql`
pub(crate) async fn run(workspace: &mut Workspace<'_>, arguments: Arguments<'_>) -> Result<Value, ApiError> {
    let sql: String = arguments.required("sql")?;
    let source = arguments.source()?;
    let cascade = arguments.flag("cascade")?;
    let check = may_change_metadata(arguments.value());
    let mode = if arguments.flag("read_only")? {
        RunSqlMode::ReadOnly
    } else if arguments.flag("no_transaction")? {
        RunSqlMode::NoTransaction
    } else {
        RunSqlMode::Transaction
    };
    lookup::source(workspace.document(), &source)?;
    let database = workspace.database(&source)?;
    let mut running = database
        .run_sql(mode)
        .await
        .map_err(|error| database_error(&error, ""))?;
    let before = if check {
        Some(
            running
                .introspect()
                .await
                .map_err(|error| database_error(&error, ""))?,
        )
    } else {
        None
    };
    let result = match running.execute(&sql).await {
        Ok(result) => result,
        Err(error) => {
            // The text's own error is what the caller has to know; a failed rollback closes the connection.
            drop(running.rollback().await);
            return Err(database_error(&error, &sql));
        }
    };
    if let Some(before) = before {
        let after = running
            .introspect()
            .await
            .map_err(|error| database_error(&error, &sql))?;
        let kept = workspace.snapshot();
        if let Err(error) = workspace.follow(&source, &before, after, cascade) {
            workspace.restore(kept);
            drop(running.rollback().await);
            return Err(error);
        }
        if let Err(error) = running.commit().await {
            workspace.restore(kept);
            return Err(database_error(&error, &sql));
        }
        workspace.refresh_enum_values(&source).await;
    } else {
        running
            .commit()
            .await
            .map_err(|error| database_error(&error, &sql))?;
    }
    Ok(match result {
        SqlResult::TuplesOk(rows) => json!({ "result_type": "TuplesOk", "result": rows }),
        SqlResult::CommandOk => json!({ "result_type": "CommandOk", "result": null }),
    })
}

fn database_error(error: &pg::Error, sql: &str) -> ApiError {
    match error {
        pg::Error::Database(error) => {
            let mut internal = error.internal();
            if let Value::Object(object) = &mut internal {
                object.insert("statement".to_owned(), json!(sql));
            }
            ApiError::new("postgres-error", "query execution failed").with_internal(internal)
        }
        other => data_error(other),
    }
}

/// Any other failure of the database, as clients are told about it.
pub(crate) fn data_error(error: &pg::Error) -> ApiError {
    let told = error.told(pg::Expect::Write);
    let mut refusal = ApiError::new(told.code.as_str(), told.message);
    refusal.status = told.status;
    refusal.internal = told.internal.map(Box::new);
    refusal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_decide_whether_the_document_is_checked() {
        for ddl in [
            "ALTER TABLE a ADD b int",
            "drop table x",
            "create or replace view v as select 1",
            "CREATE  FUNCTION f()",
            "comment on table t is 'x'",
            "select 1;\nDrop view v",
        ] {
            assert!(may_change_metadata(&json!({ "sql": ddl })), "{ddl}");
        }
        for other in [
            "select dropped, alterable from malicious",
            "create table t (id int)",
            "insert into comment values (1)",
        ] {
            assert!(!may_change_metadata(&json!({ "sql": other })), "{other}");
        }
        assert!(!may_change_metadata(
            &json!({ "sql": "drop table t", "read_only": true })
        ));
        assert!(!may_change_metadata(
            &json!({ "sql": "drop table t", "check_metadata_consistency": false })
        ));
        assert!(may_change_metadata(
            &json!({ "sql": "select 1", "check_metadata_consistency": true })
        ));
    }
}
