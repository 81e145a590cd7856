//! From a path to a file of the archive.

use alloc::format;

use morgana_block::BlockDevice;
use morgana_http::{Coding, EntityTag, Request, UnixTime};
use morgana_tar::{Archive, Entry, Kind};

/// What a path names.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Found<'a> {
    /// A file, or the index page of a folder.
    File(Entry<'a>),
    /// A folder with an index page, named without the `/` at its end.
    Folder,
    /// Nothing.
    Missing,
}

/// Looks for what `path` names, which is decoded and normalised.
pub(crate) fn find<'a, D: BlockDevice>(archive: &'a Archive<D>, path: &str) -> Found<'a> {
    let path = path.trim_start_matches('/');
    let (file, folder) = if path.is_empty() || path.ends_with('/') {
        (file(archive, &format!("{path}index.html")), None)
    } else {
        let index = format!("{path}/index.html");
        (file(archive, path), file(archive, &index))
    };
    match (file, folder) {
        (Some(file), _) => Found::File(file),
        (None, Some(_)) => Found::Folder,
        (None, None) => Found::Missing,
    }
}

/// A file by its path in the archive.
pub(crate) fn file<'a, D: BlockDevice>(archive: &'a Archive<D>, path: &str) -> Option<Entry<'a>> {
    archive
        .find(path)
        .filter(|entry| entry.kind() == Kind::File)
}

/// A file in the form that a client gets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Form<'a> {
    pub(crate) entry: Entry<'a>,
    /// How it is coded; `None` if the archive has no other form.
    pub(crate) coding: Option<Coding>,
}

impl<'a> Form<'a> {
    /// The form of `plain` that the client wants most; `None` if it takes none of them.
    ///
    /// The others stand beside it under its name and `.br` or `.gz`. One that is older than the file was made of an earlier content.
    pub(crate) fn choose<D: BlockDevice>(
        archive: &'a Archive<D>,
        plain: Entry<'a>,
        request: &Request<'_>,
    ) -> Option<Self> {
        let beside = |ending: &str| {
            let form = file(archive, &format!("{}.{ending}", plain.path()));
            form.filter(|form| form.modified() >= plain.modified())
        };
        let forms = [
            (Coding::Brotli, beside("br")),
            (Coding::Gzip, beside("gz")),
            (Coding::Identity, Some(plain)),
        ];
        let mut available = [Coding::Identity; 3];
        let mut count = 0;
        for (coding, _) in forms.iter().filter(|(_, entry)| entry.is_some()) {
            available[count] = *coding;
            count += 1;
        }
        if count == 1 {
            let (entry, coding) = (plain, None);
            return Some(Self { entry, coding });
        }
        let chosen = Coding::choose(request, &available[..count])?;
        let (_, entry) = forms.into_iter().find(|(coding, _)| *coding == chosen)?;
        Some(Self {
            entry: entry?,
            coding: Some(chosen),
        })
    }

    /// When it was changed, if the archive tells.
    pub(crate) fn modified(&self) -> Option<UnixTime> {
        let modified = self.entry.modified();
        (modified > 0).then_some(UnixTime(modified))
    }

    /// Its entity tag: a hash (FNV-1a) of when it was changed, its size and its coding. Where the archive tells no time there is none, as a size
    /// alone does not tell one content from the next.
    pub(crate) fn etag(&self) -> Option<EntityTag<'static>> {
        let modified = self.modified()?.0.to_le_bytes();
        let size = self.entry.size().to_le_bytes();
        let coding = self.coding.unwrap_or(Coding::Identity).name().as_bytes();
        let parts = modified.iter().chain(&size).chain(coding);
        let hash = parts.fold(0xcbf2_9ce4_8422_2325_u64, |hash, &byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Some(EntityTag::strong_number(hash))
    }
}
