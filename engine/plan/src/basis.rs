//! What a plan was made from, by identity: a plan serves every model that still has these very parts, so that it
//! outlives a reload that did not touch them.

use std::sync::{Arc, Weak};

use graphql::Name;
use schema::model::{Model, Role, Source, SourceId};

use crate::prepared::{Root, RootContent};

/// The parts of a model that a plan stands on. The references are weak: a plan keeps no schema alive.
#[derive(Debug, Default)]
pub struct Basis {
    role: Option<(Name, Weak<Role>)>,
    sources: Vec<(SourceId, Weak<Source>)>,
    /// The plan answers for the schema as a whole: these were all sources, and these roles could not introspect.
    whole: Option<Vec<Name>>,
}

impl Basis {
    /// What the roots stand on.
    pub(crate) fn of(model: &Model, role: &Role, roots: &[Root]) -> Self {
        let role = model
            .roles
            .get(&role.name)
            .map(|known| (role.name.clone(), Arc::downgrade(known)));
        let whole = roots.iter().any(is_about_the_schema);
        let used = |id: SourceId| whole || roots.iter().any(|root| uses(root, id));
        let sources = model
            .sources
            .iter()
            .filter(|source| used(source.id))
            .map(|source| (source.id, Arc::downgrade(source)))
            .collect();
        Self {
            role,
            sources,
            whole: whole.then(|| model.introspection_disabled.clone()),
        }
    }

    /// Whether a model still has all of it.
    pub fn holds(&self, model: &Model) -> bool {
        let role = self.role.as_ref().is_none_or(|(name, role)| {
            model
                .roles
                .get(name)
                .is_some_and(|known| Weak::as_ptr(role) == Arc::as_ptr(known))
        });
        let sources = self.sources.iter().all(|(id, source)| {
            let known = model.sources.get(usize::from(id.0));
            known.is_some_and(|known| Weak::as_ptr(source) == Arc::as_ptr(known))
        });
        let whole = self.whole.as_ref().is_none_or(|disabled| {
            self.sources.len() == model.sources.len() && *disabled == model.introspection_disabled
        });
        role && sources && whole
    }
}

/// Introspection, and a namespace, which is there as long as its source has fields.
fn is_about_the_schema(root: &Root) -> bool {
    match &root.content {
        RootContent::Constant(_) => &*root.field != "__typename",
        RootContent::Statement { .. } | RootContent::Mutation(_) => false,
        RootContent::Object(_) => true,
    }
}

fn uses(root: &Root, id: SourceId) -> bool {
    match &root.content {
        RootContent::Constant(_) => false,
        RootContent::Statement { source, .. } => *source == id,
        RootContent::Mutation(mutation) => mutation.source == id,
        RootContent::Object(roots) => roots.iter().any(|root| uses(root, id)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(roles: &[&Arc<Role>]) -> Model {
        Model {
            roles: roles
                .iter()
                .map(|role| (role.name.clone(), Arc::clone(role)))
                .collect(),
            ..Model::default()
        }
    }

    fn role(name: &str) -> Arc<Role> {
        Arc::new(Role {
            name: name.into(),
            ..Role::default()
        })
    }

    fn constant(field: &str) -> Root {
        Root {
            key: Box::default(),
            field: field.into(),
            content: RootContent::Constant(Arc::from(&b"1"[..])),
        }
    }

    #[test]
    fn it_holds_while_the_role_is_the_same_one() {
        let (user, other) = (role("user"), role("other"));
        let before = model(&[&user]);
        let basis = Basis::of(&before, &user, &[constant("__typename")]);
        assert!(basis.holds(&before));
        assert!(
            basis.holds(&model(&[&user, &other])),
            "another role changes nothing"
        );
        assert!(
            !basis.holds(&model(&[&role("user")])),
            "a role made anew may see other things"
        );
        assert!(!basis.holds(&model(&[])));
    }

    #[test]
    fn introspection_stands_on_everything() {
        let user = role("user");
        let before = model(&[&user]);
        let basis = Basis::of(&before, &user, &[constant("__schema")]);
        assert!(basis.holds(&before));
        let mut after = model(&[&user]);
        after.introspection_disabled.push("user".into());
        assert!(!basis.holds(&after));
    }
}
