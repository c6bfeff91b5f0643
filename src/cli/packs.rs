//! Reading the packs of the user into memory: `--checks DIR`, and the folder `checks` in bedside's configuration folder. A project
//! folder never adds packs.

use std::path::{Path, PathBuf};

use super::Failed;
use crate::{
    engine::vocabulary,
    knowledge::{Knowledge, PackSource, guard_packs},
    world::{FileRead, World},
};

/// Loads what is built in with the packs of the user.
///
/// # Errors
/// A folder that is not there, or the first malformed file.
pub(super) fn load(world: &World, folders: &[PathBuf], simulated: bool) -> Result<Knowledge, Failed> {
    let mut packs = Vec::new();
    // A simulated machine has a home of its own; the real one is not read for it.
    if let Some(own) = world.config_dir().map(|folder| folder.join("checks")).filter(|_| !simulated)
        && world.exists(&own)
    {
        packs.push(read(world, &own)?);
    }
    for folder in folders {
        if !world.exists(folder) {
            return Err(Failed::new(format!("--checks: there is no folder {}", folder.display())));
        }
        packs.push(read(world, folder)?);
    }
    let hint = "docs/adding-a-check.md shows the form of these files; mend the file, or leave its folder out";
    let knowledge = Knowledge::with_packs(&packs).map_err(|error| Failed::new(error.to_string()).hint(hint))?;
    if !packs.is_empty()
        && let Some(complaint) = guard_packs(&knowledge, &vocabulary()).into_iter().next()
    {
        return Err(Failed::new(complaint).hint(hint));
    }
    Ok(knowledge)
}

fn read(world: &World, folder: &Path) -> Result<PackSource, Failed> {
    let mut pack = PackSource { name: world.display_path(folder), files: Vec::new() };
    for group in world.list_dir(folder) {
        let inside = folder.join(&group);
        if group.ends_with(".toml") {
            return Err(Failed::new(format!(
                "{} lies outside of a group's folder, where nothing reads it",
                world.display_path(&inside)
            ))
            .hint("put it into the folder of its group, such as models/, causes/ or signatures/"));
        }
        for name in world.list_dir(&inside) {
            if name.starts_with('.') {
                continue;
            }
            let path = inside.join(&name);
            match world.read_file(&path) {
                FileRead::Text(text) => pack.files.push((format!("{group}/{name}"), text)),
                FileRead::Missing => {}
                FileRead::Trouble(trouble) => {
                    return Err(Failed::new(format!("{} cannot be read: {trouble}", world.display_path(&path))));
                }
            }
        }
    }
    Ok(pack)
}
