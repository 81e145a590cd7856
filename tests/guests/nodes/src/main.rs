//! A guest that makes nodes below its `data` in xenstore until it is refused one more, says how many, and stays.

#![cfg_attr(target_os = "none", no_std, no_main)]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::boxed::Box;
use alloc::format;
use alloc::rc::Rc;
use core::cell::Cell;
use core::error::Error;
use core::future::pending;

use morgana::xenstore::Client;
use morgana::{Domain, Platform, log};

morgana::main!(fill);

/// Requests under way at once.
const WRITERS: usize = 8;
/// Nodes in a folder.
const FOLDER: u32 = 24;

async fn fill<P: Platform>(domain: Domain<P>) -> Result<(), Box<dyn Error>> {
    let folders = Rc::new(Cell::new(0));
    let mut writers = alloc::vec::Vec::new();
    for _ in 0..WRITERS {
        let (client, folders) = (domain.xenstore()?.clone(), folders.clone());
        let writing = async move { write(&client, &folders).await };
        writers.push(domain.tasks().spawn(writing)?);
    }
    let mut made = 0;
    for writer in writers {
        made += writer.await.unwrap_or(0);
    }
    log::info!("{made} nodes with a value");
    pending().await
}

/// Fills folders; returns how many nodes there are in them.
async fn write(client: &Client, folders: &Cell<u32>) -> u32 {
    let mut made = 0;
    loop {
        let folder = folders.replace(folders.get() + 1);
        for node in 0..FOLDER {
            let path = format!("data/folder-{folder}/node-{folder}-{node}");
            if let Err(error) = client.write(&path, "12345678").await {
                log::info!("{path}: {error}");
                return made;
            }
            made += 1;
        }
    }
}
