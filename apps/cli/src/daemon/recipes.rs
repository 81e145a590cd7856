//! Configurations and kernels that were read already, as long as their files are the same.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::SystemTime;

use morgana_toolstack::Config;

use super::problem::Problem;
use crate::domains::{Base, Understood, Wanted};

/// How many are remembered. The one that was read first is forgotten for a further one.
const MOST: usize = 32;

struct Known {
    path: PathBuf,
    stamps: [Stamp; 2],
    recipe: Rc<Understood>,
}

/// By what a file that was changed is told from what it was.
type Stamp = Option<(SystemTime, u64)>;

#[derive(Default)]
pub(super) struct Recipes(RefCell<VecDeque<Known>>);

impl Recipes {
    /// The recipe in a file.
    pub(super) fn get(&self, path: &Path) -> Result<Rc<Understood>, Problem> {
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
        let wanted = Wanted::read(path, Base::Configuration).and_then(Wanted::understood);
        let recipe = Rc::new(wanted.map_err(Problem::config)?);
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
