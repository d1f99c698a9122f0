//! What commands ask of the present model.

use metadata::QualifiedName;
use schema::model::{Returns, Source};

use super::Workspace;

impl Workspace<'_> {
    /// The table whose rows a tracked function returns.
    pub(crate) fn function_table(&self, source: &str, function: &QualifiedName) -> Option<QualifiedName> {
        let source = self.model_source(source)?;
        let known = source
            .functions
            .iter()
            .find(|known| known.name.schema == function.schema && known.name.name == function.name)?;
        match &known.returns {
            Returns::Table(table) => {
                let name = &source.tables.get(table.index())?.name;
                Some(QualifiedName::new(name.schema.clone(), name.name.clone()))
            }
            Returns::Scalar { .. } | Returns::Rows { .. } => None,
        }
    }

    /// Whether a role may read a table.
    pub(crate) fn can_select(&self, source: &str, table: &QualifiedName, role: &str) -> bool {
        let Some(source) = self.model_source(source) else {
            return false;
        };
        let known = source
            .tables
            .iter()
            .find(|known| known.name.schema == table.schema && known.name.name == table.name);
        let (Some(known), Some(role)) = (known, self.present.model.roles.get(role)) else {
            return false;
        };
        role.tables
            .get(&known.id)
            .is_some_and(|access| access.select.is_some())
    }

    fn model_source(&self, name: &str) -> Option<&Source> {
        self.present
            .model
            .sources
            .iter()
            .find(|source| &*source.name == name)
            .map(|source| &**source)
    }
}
