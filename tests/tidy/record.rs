//! A crate's modules, what each defines, imports and mentions, and where a mentioned name lives.

use std::collections::{BTreeMap, BTreeSet};

use quote::ToTokens;
use syn::visit::{self, Visit};

use crate::{
    house::{House, inside},
    token,
};

/// What a path leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// A module as such.
    Module(usize),
    /// Something that this module defines.
    Item(usize),
}

/// The modules of one compilation target, the root first.
pub(crate) struct Record {
    modules: Vec<Module>,
}

#[derive(Default)]
struct Module {
    file: String,
    parent: Option<usize>,
    children: BTreeMap<String, usize>,
    defined: BTreeSet<String>,
    imports: BTreeMap<String, Vec<String>>,
    globs: Vec<Vec<String>>,
    mentions: Vec<(Vec<String>, usize)>,
}

/// Longer chains of re-exports than this are a circle of their own.
const MOST_HOPS: usize = 16;

impl Record {
    /// Reads the target whose root is the file `root`.
    pub(crate) fn of(house: &House, root: &str) -> Self {
        let mut record = Self { modules: Vec::new() };
        record.read_file(house, root, None);
        record
    }

    /// Every path that is mentioned: by which module, the path, and the line.
    pub(crate) fn mentions(&self) -> impl Iterator<Item = (usize, &[String], usize)> {
        self.modules.iter().enumerate().flat_map(|(at, module)| {
            module.mentions.iter().map(move |(path, line)| (at, path.as_slice(), *line))
        })
    }

    /// The file in which a module stands.
    pub(crate) fn file(&self, module: usize) -> &str {
        &self.modules[module].file
    }

    /// Where a path leads, seen from a module; `None` is another crate or a local name.
    pub(crate) fn resolve(&self, from: usize, path: &[String]) -> Option<Target> {
        self.follow(from, path, MOST_HOPS)
    }

    fn follow(&self, from: usize, path: &[String], hops: usize) -> Option<Target> {
        let hops = hops.checked_sub(1)?;
        let (first, rest) = path.split_first()?;
        let module = &self.modules[from];
        let mut at = match first.as_str() {
            "crate" => 0,
            "self" => from,
            "super" => module.parent?,
            name => match module.children.get(name) {
                Some(child) => *child,
                None => return self.follow_import(from, path, hops),
            },
        };
        let mut rest = rest;
        while let Some((name, further)) = rest.split_first() {
            let module = &self.modules[at];
            if name == "super" {
                at = module.parent?;
            } else if let Some(child) = module.children.get(name) {
                at = *child;
            } else if name == "*" || module.defined.contains(name) {
                return Some(Target::Item(at));
            } else {
                return Some(self.follow_import(at, rest, hops).unwrap_or(Target::Item(at)));
            }
            rest = further;
        }
        Some(Target::Module(at))
    }

    /// A name that a module imports, by itself or with a glob.
    fn follow_import(&self, at: usize, path: &[String], hops: usize) -> Option<Target> {
        let (name, rest) = path.split_first()?;
        let module = &self.modules[at];
        if let Some(import) = module.imports.get(name) {
            if import.first() == Some(name) {
                return None;
            }
            let whole: Vec<String> = import.iter().chain(rest).cloned().collect();
            return self.follow(at, &whole, hops);
        }
        module.globs.iter().find_map(|glob| {
            let Some(Target::Module(there)) = self.follow(at, glob, hops) else { return None };
            let offers = &self.modules[there];
            if offers.defined.contains(name) {
                return Some(Target::Item(there));
            }
            let known = offers.children.contains_key(name) || offers.imports.contains_key(name);
            let whole: Vec<String> = glob.iter().chain(path).cloned().collect();
            if known { self.follow(at, &whole, hops) } else { None }
        })
    }
}

impl Record {
    fn read_file(&mut self, house: &House, path: &str, parent: Option<usize>) -> Option<usize> {
        let source = house.sources.iter().find(|source| source.path == path)?;
        let at = self.modules.len();
        self.modules.push(Module { file: path.to_owned(), parent, ..Module::default() });
        self.read_items(house, at, &source.product.items);
        Some(at)
    }

    fn read_items(&mut self, house: &House, at: usize, items: &[syn::Item]) {
        for item in items {
            if let syn::Item::Mod(module) = item {
                self.read_module(house, at, module);
                continue;
            }
            let mut uses = Uses::default();
            uses.visit_item(item);
            let module = &mut self.modules[at];
            module.defined.extend(name_of(item));
            for (alias, path, line) in uses.found {
                let path = if path.last().is_some_and(|last| last == "self") {
                    path[..path.len() - 1].to_vec()
                } else {
                    path
                };
                module.mentions.push((path.clone(), line));
                match alias {
                    Some(alias) => _ = module.imports.insert(alias, path),
                    None => module.globs.push(path[..path.len() - 1].to_vec()),
                }
            }
            if !matches!(item, syn::Item::Use(_)) {
                let tokens = token::flatten(item.to_token_stream());
                module
                    .mentions
                    .extend(token::paths(&tokens).into_iter().filter(|(p, _)| p.len() > 1));
            }
        }
    }

    fn read_module(&mut self, house: &House, at: usize, module: &syn::ItemMod) {
        let name = module.ident.to_string();
        let file = self.modules[at].file.clone();
        let child = match &module.content {
            Some((_, items)) => {
                let child = self.modules.len();
                self.modules.push(Module { file, parent: Some(at), ..Module::default() });
                self.read_items(house, child, items);
                Some(child)
            }
            None => {
                let stem = inside(&file, &name);
                let flat = self.read_file(house, &format!("{stem}.rs"), Some(at));
                flat.or_else(|| self.read_file(house, &format!("{stem}/mod.rs"), Some(at)))
            }
        };
        if let Some(child) = child {
            self.modules[at].children.insert(name, child);
        }
    }
}

/// The imports of an item, those inside its bodies included.
#[derive(Default)]
struct Uses {
    found: Vec<(Option<String>, Vec<String>, usize)>,
}

impl Uses {
    fn walk(&mut self, tree: &syn::UseTree, path: &mut Vec<String>) {
        match tree {
            syn::UseTree::Path(step) => {
                path.push(step.ident.to_string());
                self.walk(&step.tree, path);
                path.pop();
            }
            syn::UseTree::Group(group) => group.items.iter().for_each(|tree| self.walk(tree, path)),
            syn::UseTree::Glob(glob) => {
                let line = glob.star_token.spans[0].start().line;
                self.push(None, path, "*", line);
            }
            syn::UseTree::Name(name) => {
                let line = name.ident.span().start().line;
                let is_self = name.ident == "self";
                let alias =
                    if is_self { path.last().cloned() } else { Some(name.ident.to_string()) };
                self.push(alias, path, &name.ident.to_string(), line);
            }
            syn::UseTree::Rename(rename) => {
                let line = rename.ident.span().start().line;
                self.push(Some(rename.rename.to_string()), path, &rename.ident.to_string(), line);
            }
        }
    }

    fn push(&mut self, alias: Option<String>, path: &[String], last: &str, line: usize) {
        let whole = path.iter().map(String::as_str).chain([last]).map(str::to_owned).collect();
        self.found.push((alias, whole, line));
    }
}

impl<'ast> Visit<'ast> for Uses {
    fn visit_item_use(&mut self, import: &'ast syn::ItemUse) {
        self.walk(&import.tree, &mut Vec::new());
        visit::visit_item_use(self, import);
    }
}

/// The name an item puts into its module.
fn name_of(item: &syn::Item) -> Option<String> {
    let name = match item {
        syn::Item::Const(item) => &item.ident,
        syn::Item::Enum(item) => &item.ident,
        syn::Item::Fn(item) => &item.sig.ident,
        syn::Item::Macro(item) => item.ident.as_ref()?,
        syn::Item::Static(item) => &item.ident,
        syn::Item::Struct(item) => &item.ident,
        syn::Item::Trait(item) => &item.ident,
        syn::Item::TraitAlias(item) => &item.ident,
        syn::Item::Type(item) => &item.ident,
        syn::Item::Union(item) => &item.ident,
        _ => return None,
    };
    Some(name.to_string())
}
