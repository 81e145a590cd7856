//! Linux's modules: which files they are, what they need, in which order they load.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use object::{Object, ObjectSection};

/// The modules of one kernel, by name.
#[derive(Debug)]
pub(crate) struct Modules {
    /// Name to path, relative to the root that was searched.
    files: BTreeMap<String, String>,
}

impl Modules {
    /// Finds the modules below `folder` of an unpacked `root`.
    pub(crate) fn find(root: &Path, folder: &str) -> Result<Modules> {
        let mut files = BTreeMap::new();
        let mut left = vec![folder.to_owned()];
        while let Some(folder) = left.pop() {
            let path = root.join(&folder);
            for item in
                fs::read_dir(&path).with_context(|| format!("cannot read {}", path.display()))?
            {
                let item = item?;
                let name = item.file_name().to_string_lossy().into_owned();
                let below = format!("{folder}/{name}");
                if item.file_type()?.is_dir() {
                    left.push(below);
                } else if let Some(stem) = name.strip_suffix(".ko") {
                    files.insert(stem.replace('-', "_"), below);
                }
            }
        }
        Ok(Modules { files })
    }

    /// The paths of `names` and of all that they need, each after what it needs, with the paths that it needs.
    pub(crate) fn closure(
        &self,
        root: &Path,
        names: &[&str],
    ) -> Result<Vec<(String, Vec<String>)>> {
        let mut order: Vec<(String, Vec<String>)> = Vec::new();
        for name in names {
            self.visit(root, name, &mut order, 0)?;
        }
        Ok(order)
    }

    fn visit(
        &self,
        root: &Path,
        name: &str,
        order: &mut Vec<(String, Vec<String>)>,
        depth: usize,
    ) -> Result<String> {
        // Deeper than any real chain: a circle.
        const DEEPEST: usize = 64;
        if depth > DEEPEST {
            bail!("the kernel's modules need each other in a circle at {name}");
        }
        let name = name.replace('-', "_");
        let path = self
            .files
            .get(&name)
            .with_context(|| format!("the kernel package has no module {name}"))?;
        if order.iter().any(|(known, _)| known == path) {
            return Ok(path.clone());
        }
        let file = root.join(path);
        let data = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let mut needs = Vec::new();
        for dependency in
            dependencies(&data).with_context(|| format!("{} is no module", file.display()))?
        {
            needs.push(self.visit(root, &dependency, order, depth + 1)?);
        }
        order.push((path.clone(), needs));
        Ok(path.clone())
    }
}

/// The `depends=` of a module's `.modinfo`, a section of strings each of which ends with a zero byte.
fn dependencies(data: &[u8]) -> object::Result<Vec<String>> {
    let file = object::File::parse(data)?;
    let Some(section) = file.section_by_name(".modinfo") else {
        return Ok(Vec::new());
    };
    let text = String::from_utf8_lossy(section.data()?).into_owned();
    let list = text
        .split('\0')
        .find_map(|field| field.strip_prefix("depends="))
        .unwrap_or("");
    Ok(list
        .split(',')
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect())
}
