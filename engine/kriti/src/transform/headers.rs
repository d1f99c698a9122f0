//! Transforms of headers.

use std::collections::BTreeMap;

use super::{TransformErrors, all, compile_text, render_text};
use crate::{Context, Template};

/// Removes headers, then adds others. Adding does not replace: a header meant to be replaced is also removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeaderTransform {
    /// `add_headers`: templates, each the inside of a string, by name.
    pub add_headers: BTreeMap<String, String>,
    /// `remove_headers`: names, compared without regard to case.
    pub remove_headers: Vec<String>,
}

/// The same with its templates parsed.
#[derive(Clone, Debug)]
pub(super) struct CompiledHeaders {
    add: Vec<(String, Template)>,
    remove: Vec<String>,
}

impl HeaderTransform {
    pub(super) fn compile(&self) -> Result<CompiledHeaders, TransformErrors> {
        let add = all(self
            .add_headers
            .iter()
            .map(|(name, source)| Ok((name.clone(), compile_text(source)?))))?;
        Ok(CompiledHeaders {
            add,
            remove: self.remove_headers.clone(),
        })
    }
}

impl CompiledHeaders {
    pub(super) fn apply(
        &self,
        mut headers: Vec<(String, String)>,
        context: &Context,
    ) -> Result<Vec<(String, String)>, TransformErrors> {
        headers.retain(|(name, _)| {
            !self
                .remove
                .iter()
                .any(|removed| removed.eq_ignore_ascii_case(name))
        });
        let added = self
            .add
            .iter()
            .map(|(name, template)| Ok((name.clone(), render_text(template, context)?)));
        headers.extend(all(added)?);
        Ok(headers)
    }
}
