//! Configurations and kernels that were read already, as long as their files are the same.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::SystemTime;

use morgana_builder::Image;
use morgana_toolstack::Config;

use super::problem::Problem;
use crate::domains::Wanted;

/// How many are remembered. The one that was read first is forgotten for a further one.
const MOST: usize = 32;

/// A configuration, and the image that it names.
pub(super) struct Recipe {
    pub(super) config: Config,
    pub(super) image: Image,
    /// The same for the same files.
    pub(super) kind: String,
}

struct Known {
    path: PathBuf,
    stamps: [Stamp; 2],
    recipe: Rc<Recipe>,
}

/// By what a file that was changed is told from what it was.
type Stamp = Option<(SystemTime, u64)>;

#[derive(Default)]
pub(super) struct Recipes(RefCell<VecDeque<Known>>);

impl Recipes {
    /// The recipe in a file.
    pub(super) fn get(&self, path: &Path) -> Result<Rc<Recipe>, Problem> {
        if !path.is_absolute() {
            let path = path.display();
            return Err(Problem::bad_request(format!(
                "{path}: the path is not absolute"
            )));
        }
        let known = &mut *self.0.borrow_mut();
        if let Some(place) = known.iter().position(|known| known.path == path) {
            let (stamps, recipe) = (known[place].stamps, &known[place].recipe);
            if stamps.iter().all(Option::is_some) && stamps == read_stamps(path, &recipe.config) {
                return Ok(Rc::clone(recipe));
            }
            known.remove(place);
        }
        let wanted = Wanted::read(path).map_err(Problem::config)?;
        let recipe = Rc::new(Recipe {
            image: wanted.image().map_err(Problem::config)?,
            kind: wanted.kind,
            config: wanted.config,
        });
        if known.len() == MOST {
            known.pop_front();
        }
        known.push_back(Known {
            path: path.to_owned(),
            stamps: read_stamps(path, &recipe.config),
            recipe: Rc::clone(&recipe),
        });
        Ok(recipe)
    }
}

fn read_stamps(path: &Path, config: &Config) -> [Stamp; 2] {
    [path, Path::new(&config.kernel)].map(|path| {
        let data = fs::metadata(path).ok()?;
        Some((data.modified().ok()?, data.len()))
    })
}
