//! The file of a customer base: an Arrow file with checksums ([`crate::store::blocks`]), one row per customer, ascending by id.
//!
//! Settings and input schema are JSON in the schema metadata (`custcore.settings`, `custcore.kinds`); report tallies and
//! batch ids are in the footer metadata (`custcore.account`), and the memory limit if there is one. A base without an update
//! has no input schema and no columns. The bytes depend on the content only, not on the order of updates; therefore the row
//! numbers in the report are not stored.

mod category_settings;
pub(crate) mod settings;
mod spilled;
pub(crate) mod table;

use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use self::settings::{AccountText, BaseSettings, KindNames};
use self::spilled::{Loaded, SplitLoader};
use self::table::{BaseFileLayout, write_batches};
use crate::base::CustomerBase;
use crate::base::export::{BaseMeta, CustomerRows, FILE_BATCHES};
use crate::base::spill::limit::MemoryLimit;
use crate::column::chunks::InputSchema;
use crate::column::key_schema::KeyNames;
use crate::column::value::ValueType;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::exec::par::Threads;
use crate::num::money::LARGEST_UNITS;
use crate::state::spec::BaseSpec;
use crate::store::atomic::AtomicFile;
use crate::store::blocks::{Entries, Format, Reader, Writer};
use crate::store::bytes::Bytes;

/// The format of the file of a base. Version 2 has composite keys, extension types, and attributes that are booleans, dates,
/// timestamps or floats; files without them are written as version 1, which older readers know.
pub(crate) const FORMAT: Format = Format { name: "customer base", version: 2 };
const PLAIN_FORMAT: Format = Format { version: 1, ..FORMAT };

const SETTINGS: &str = "custcore.settings";
const KINDS: &str = "custcore.kinds";
const ACCOUNT: &str = "custcore.account";
/// The memory limit of the base that was saved, in bytes.
const MAX_MEMORY: &str = "custcore.max_memory";

/// A base written to a temporary file, which is deleted on drop.
#[derive(Debug)]
pub struct BaseDraft {
    file: AtomicFile,
    path: PathBuf,
}

impl BaseDraft {
    /// Renames the temporary file to the file of the base.
    pub fn commit(self) -> Result<()> {
        let Self { file, path } = self;
        file.commit().map_err(|error| Error::file("write", &path, &error))
    }
}

impl CustomerBase {
    /// Writes the base to a file atomically.
    pub fn save(&self, path: &Path, context: &Context) -> Result<()> {
        self.draft(path, context)?.commit()
    }

    /// Writes the base to a temporary file beside the file; see [`BaseDraft::commit`].
    pub fn draft(&self, path: &Path, context: &Context) -> Result<BaseDraft> {
        let file = AtomicFile::create(path).map_err(|error| Error::file("write", path, &error))?;
        let limit = self.limit().map(|limit| (MAX_MEMORY.to_owned(), limit.memory.to_string()));
        Ok(BaseDraft { file: self.write(file, path, limit.into_iter().collect(), context)?, path: path.to_owned() })
    }

    /// Reads a base from a file, with the memory limit that it was saved with.
    pub fn load(path: &Path, context: &Context) -> Result<Self> {
        Self::load_within(path, None, None, context)
    }

    /// Reads a base from a file with a memory limit in bytes, by default that of the saved base. What exceeds it is spilled to a new folder
    /// in `folder`.
    pub fn load_within(path: &Path, memory: Option<u64>, folder: Option<PathBuf>, context: &Context) -> Result<Self> {
        read(Reader::open(path, FORMAT)?, memory, folder, context)
    }

    /// The bytes of the file, without the memory limit.
    pub fn to_bytes(&self, context: &Context) -> Result<Vec<u8>> {
        Ok(self.write(Bytes::default(), Path::new("bytes"), Entries::new(), context)?.0)
    }

    /// A base from the bytes of a file.
    pub fn from_bytes(bytes: &[u8], context: &Context) -> Result<Self> {
        Self::from_bytes_within(bytes, None, None, context)
    }

    /// A base from the bytes of a file, see [`CustomerBase::load_within`].
    pub fn from_bytes_within(bytes: &[u8], memory: Option<u64>, folder: Option<PathBuf>, context: &Context) -> Result<Self> {
        read(Reader::of_bytes(bytes, FORMAT)?, memory, folder, context)
    }

    /// Writes the file; `last` are further entries of its footer.
    fn write<W: Write + Send>(&self, to: W, path: &Path, mut last: Entries, context: &Context) -> Result<W> {
        let settings = BaseSettings::of(self.spec()).ok_or_else(|| {
            let message = "a base for a single call cannot be written to a file; use track='totals', 'days' or 'orders'";
            Error::new(ErrorKind::StateMismatch, message)
        })?;
        let mut entries = Entries::from([(SETTINGS.to_owned(), json(&settings)?)]);
        let known = self.known_parts();
        let roles = &self.spec().roles;
        let is_plain = !roles.customer_id.is_composite()
            && !roles.categories.is_kept()
            && !roles.order_id.as_ref().is_some_and(KeyNames::is_composite)
            && known
                .as_ref()
                .is_none_or(|(input_schema, ..)| input_schema.id.is_plain() && input_schema.attributes.iter().all(ValueType::is_plain));
        let format = if is_plain { PLAIN_FORMAT } else { FORMAT };
        let Some((input_schema, state, account)) = known else {
            return Writer::new(to, path, format, &arrow_schema::Schema::empty(), entries)?.finish(&last);
        };
        last.insert(ACCOUNT.to_owned(), json(&AccountText::of(state, account))?);
        let mut begin = |(narrow, largest): (bool, u128)| {
            if largest > LARGEST_UNITS {
                let message =
                    "a sum of money has more than 38 digits, more than the file of a base holds. Cast the amounts to a smaller scale";
                return Err(Error::new(ErrorKind::SumOverflow, message));
            }
            let layout = BaseFileLayout::of(self.spec(), input_schema, !narrow, false);
            entries.insert(KINDS.to_owned(), json(&KindNames::of(input_schema, !narrow))?);
            Ok((layout, std::mem::take(&mut entries)))
        };
        if self.is_spilled() {
            let (layout, entries) = begin(self.largest_units(context)?)?;
            let mut writer = Writer::new(to, path, format, layout.schema(), entries)?;
            self.write_ranges(&mut writer, &layout, context)?;
            return writer.finish(&last);
        }
        let rows = state.interner.len();
        context.run_if_large(rows, |threads| {
            let customers = CustomerRows::of(state, threads);
            let (layout, entries) = begin(customers.largest_units())?;
            let mut writer = Writer::new(to, path, format, layout.schema(), entries)?;
            write_batches(&mut writer, &layout, &customers, &customers.batches(FILE_BATCHES), (context, threads), |_, _| Ok(()))?;
            writer.finish(&last)
        })?
    }
}

fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(Error::internal)
}

/// The settings of an open file, and its input schema with the layout if it has one.
fn described<R: Read + Seek>(reader: &Reader<R>) -> Result<(BaseSpec, Option<(InputSchema, BaseFileLayout)>)> {
    let metadata = reader.schema().metadata();
    let settings: BaseSettings = parsed(reader, metadata.get(SETTINGS).map(String::as_str), "its settings cannot be read")?;
    let spec = settings.spec().ok_or_else(|| reader.damaged("its settings cannot be read"))?;
    let spec = spec.checked().map_err(|error| reader.damaged(error.message()))?;
    let wrong = || reader.damaged("its input schema cannot be read");
    let Some(text) = metadata.get(KINDS) else { return Ok((spec, None)) };
    let names: KindNames = parsed(reader, Some(text.as_str()), "its input schema cannot be read")?;
    let wide = names.wide;
    let mut input_schema = names.kinds(&spec)?.ok_or_else(wrong)?;
    input_schema.id.extend_from(reader.schema());
    let layout = BaseFileLayout::of(&spec, &input_schema, wide, false);
    if layout.schema().fields() != reader.schema().fields() {
        return Err(reader.damaged("its columns do not match its settings"));
    }
    Ok((spec, Some((input_schema, layout))))
}

fn parsed<T: DeserializeOwned, R: Read + Seek>(reader: &Reader<R>, text: Option<&str>, wrong: &str) -> Result<T> {
    text.and_then(|text| serde_json::from_str(text).ok()).ok_or_else(|| reader.damaged(wrong))
}

fn read<R: Read + Seek + Send>(
    mut reader: Reader<R>,
    memory: Option<u64>,
    folder: Option<PathBuf>,
    context: &Context,
) -> Result<CustomerBase> {
    let memory = match reader.entries().get(MAX_MEMORY).filter(|_| memory.is_none()) {
        None => memory,
        Some(saved) => Some(saved.parse().map_err(|_| reader.damaged("its memory limit cannot be read"))?),
    };
    let limit = memory.map(|memory| MemoryLimit::new(memory, folder)).transpose()?;
    // The number of rows is known only by batches; one batch is not worth threads.
    let rows = if reader.len() > 1 { usize::MAX } else { 0 };
    context.run_if_large(rows, |threads| read_here(&mut reader, limit, context, threads))?
}

fn read_here<R: Read + Seek>(
    reader: &mut Reader<R>,
    limit: Option<MemoryLimit>,
    context: &Context,
    threads: Threads<'_>,
) -> Result<CustomerBase> {
    let (spec, described) = described(reader)?;
    let Some((input_schema, layout)) = described else {
        if reader.is_empty() {
            return Ok(CustomerBase::of_parts(spec, None).with_limit(limit));
        }
        return Err(reader.damaged("it has customers but no input schema"));
    };
    let mut loader = SplitLoader::new((&spec, &input_schema), !layout.is_wide(), limit.as_ref(), (context, threads));
    for batch in 0..reader.len() {
        context.check()?;
        let rows = reader.batch(batch)?;
        loader.read(&rows, &layout).map_err(|failure| failure.of(reader))?;
    }
    let account: AccountText = parsed(reader, reader.entries().get(ACCOUNT).map(String::as_str), "its report cannot be read")?;
    let Loaded { mut state, spilled } = loader.finish()?;
    let account: BaseMeta = account.fill(&mut state).ok_or_else(|| reader.damaged("its report cannot be read"))?;
    let base = CustomerBase::of_parts(spec, Some((input_schema, state, account))).with_limit(limit);
    Ok(base.with_spilled(spilled))
}
