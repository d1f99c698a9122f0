//! MetadataObjectId and array relationships between tables of one source.

use graphql::Name;
use metadata::object_id::MetadataObjectId;
use metadata::relationship::{
    ArrayUsing, ForeignKeyColumns, InsertionOrder, ManualConfiguration, ManualTarget, ObjectUsing,
};
use metadata::remote_relationship::RelationshipType;

use crate::catalog::ForeignKey;
use crate::model::{ColumnId, Relationship, RelationshipKind, TableId};
use crate::naming::is_graphql_name;
use crate::problem::{Problem, object};
use crate::resolve::Resolver;
use crate::resolve::table::not_a_name;

const NO_KEY: &str = "no foreign constraint exists on the given column(s)";
const MANY_KEYS: &str = "more than one foreign key constraint exists on the given column(s)";

/// A relationship before it gets its name: where it leads, by which columns, and how.
struct Link {
    target: TableId,
    columns: Vec<(ColumnId, ColumnId)>,
    nullable: bool,
    insert_after_parent: bool,
}

/// Why a relationship cannot be made.
enum Wrong {
    /// It is wrong in itself.
    Definition(String),
    /// Nothing is wrong with it, but such relationships are not served yet.
    Unsupported(String),
    /// Something it depends on is missing; upstream reports that without context.
    Dependency(String),
}

impl From<&str> for Wrong {
    fn from(message: &str) -> Self {
        Self::Definition(message.to_owned())
    }
}

impl Wrong {
    fn problem(
        self,
        object: MetadataObjectId,
        table: &metadata::QualifiedName,
        relationship: &str,
    ) -> Problem {
        let within =
            |message: String| format!("in table \"{table}\": in relationship \"{relationship}\": {message}");
        match self {
            Self::Definition(message) => Problem::inconsistent(object, within(message)),
            Self::Unsupported(message) => Problem::unsupported(object, within(message)),
            Self::Dependency(message) => Problem::inconsistent(object, message),
        }
    }
}

impl Resolver<'_> {
    /// Fills `relationships` of all tables. Names that clash with other fields are judged later.
    pub(crate) fn resolve_relationships(&mut self) {
        for at in 0..self.tables.len() {
            let Some(entry) = self.entries.get(at) else {
                continue;
            };
            let (name, metadata) = (entry.name, entry.metadata);
            let mut found: Vec<Relationship> = Vec::new();
            let mut refused: Vec<Problem> = Vec::new();
            for (relationship, definition) in &metadata.object_relationships {
                let link = match &definition.using {
                    ObjectUsing::ForeignKey(columns) => self.own_key(at, columns),
                    ObjectUsing::RemoteForeignKey(columns) => self.remote_key(at, columns),
                    ObjectUsing::Manual(manual) => self.manual(at, manual),
                };
                match link
                    .and_then(|link| named(relationship, RelationshipKind::Object, link, &definition.comment))
                {
                    Ok(resolved) => found.push(resolved),
                    Err(wrong) => {
                        let object =
                            object::relationship(self.name, name, relationship, RelationshipType::Object);
                        refused.push(wrong.problem(object, name, relationship));
                    }
                }
            }
            for (relationship, definition) in &metadata.array_relationships {
                let link = match &definition.using {
                    ArrayUsing::ForeignKey(columns) => self.remote_key(at, columns),
                    ArrayUsing::Manual(manual) => self.manual(at, manual),
                };
                match link
                    .and_then(|link| named(relationship, RelationshipKind::Array, link, &definition.comment))
                {
                    Ok(resolved) => found.push(resolved),
                    Err(wrong) => {
                        let object =
                            object::relationship(self.name, name, relationship, RelationshipType::Array);
                        refused.push(wrong.problem(object, name, relationship));
                    }
                }
            }
            self.problems.extend(refused);
            if let Some(table) = self.tables_mut().get_mut(at) {
                table.relationships = found;
            }
        }
    }

    /// A foreign key of this table.
    fn own_key(&self, at: usize, columns: &[String]) -> Result<Link, Wrong> {
        let entry = self.entries.get(at).ok_or(NO_KEY)?;
        let key = only_key(&entry.catalog.foreign_keys, columns, |_| true)?;
        let target = self.catalog_target(key)?;
        let columns = self.pairs(at, target, key.columns.iter().map(|(own, other)| (own, other)))?;
        let table = self.tables.get(at);
        let nullable = columns.iter().any(|(own, _)| {
            table
                .and_then(|table| table.column(*own))
                .is_none_or(|column| column.nullable)
        });
        Ok(Link {
            target,
            columns,
            nullable,
            insert_after_parent: false,
        })
    }

    /// A foreign key of another table that refers to this one.
    fn remote_key(&self, at: usize, using: &ForeignKeyColumns) -> Result<Link, Wrong> {
        let target = self.tracked(&using.table)?;
        let here = self.entries.get(at).ok_or(NO_KEY)?;
        let there = self.entries.get(target.index()).ok_or(NO_KEY)?;
        let key = only_key(&there.catalog.foreign_keys, &using.columns, |key| {
            key.target == here.catalog.name
        })?;
        let columns = self.pairs(at, target, key.columns.iter().map(|(own, other)| (other, own)))?;
        Ok(Link {
            target,
            columns,
            nullable: true,
            insert_after_parent: true,
        })
    }

    fn manual(&self, at: usize, manual: &ManualConfiguration) -> Result<Link, Wrong> {
        let target = match &manual.target {
            ManualTarget::Table(name) => self.tracked(name)?,
            ManualTarget::NativeQuery(name) => {
                return Err(Wrong::Unsupported(format!(
                    "relationships to native queries (\"{name}\") are not supported yet"
                )));
            }
        };
        Ok(Link {
            target,
            columns: self.pairs(at, target, manual.column_mapping.iter())?,
            nullable: true,
            insert_after_parent: manual.insertion_order == Some(InsertionOrder::AfterParent),
        })
    }

    fn tracked(&self, name: &metadata::QualifiedName) -> Result<TableId, Wrong> {
        self.table_ids
            .get(name)
            .copied()
            .ok_or_else(|| Wrong::Dependency(format!("table \"{name}\" is not tracked")))
    }

    fn catalog_target(&self, key: &ForeignKey) -> Result<TableId, Wrong> {
        let target = (key.target.schema.as_str(), key.target.name.as_str());
        self.catalog_ids.get(&target).copied().ok_or_else(|| {
            let name = metadata::QualifiedName::new(&key.target.schema, &key.target.name);
            Wrong::Dependency(format!("table \"{name}\" is not tracked"))
        })
    }

    fn pairs<'s>(
        &self,
        at: usize,
        target: TableId,
        names: impl Iterator<Item = (&'s String, &'s String)>,
    ) -> Result<Vec<(ColumnId, ColumnId)>, Wrong> {
        let column = |at: usize, name: &String| {
            let entry = self.entries.get(at);
            let found = entry.and_then(|entry| entry.columns.get(name.as_str()).copied());
            found.ok_or_else(|| {
                let table = entry.map(|entry| entry.name.to_string()).unwrap_or_default();
                Wrong::Dependency(format!("table \"{table}\" has no field named \"{name}\""))
            })
        };
        names
            .map(|(own, other)| Ok((column(at, own)?, column(target.index(), other)?)))
            .collect()
    }
}

/// The one foreign key over exactly these columns, in any order.
fn only_key<'k>(
    keys: &'k [ForeignKey],
    columns: &[String],
    admits: impl Fn(&ForeignKey) -> bool,
) -> Result<&'k ForeignKey, Wrong> {
    let mut found = keys.iter().filter(|key| {
        key.columns.len() == columns.len()
            && key.columns.iter().all(|(own, _)| columns.contains(own))
            && admits(key)
    });
    match (found.next(), found.next()) {
        (Some(key), None) => Ok(key),
        (None, _) => Err(NO_KEY.into()),
        (Some(_), Some(_)) => Err(MANY_KEYS.into()),
    }
}

fn named(
    name: &str,
    kind: RelationshipKind,
    link: Link,
    comment: &Option<String>,
) -> Result<Relationship, Wrong> {
    if !is_graphql_name(name) {
        return Err(Wrong::Definition(not_a_name(name)));
    }
    Ok(Relationship {
        name: name.to_owned(),
        field: Name::from(name),
        kind,
        target: link.target,
        columns: link.columns,
        nullable: link.nullable,
        insert_after_parent: link.insert_after_parent,
        comment: comment.clone(),
    })
}
