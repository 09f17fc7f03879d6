//! The file of a customer base: an Arrow file with checksums ([`crate::store::blocks`]), one row per customer, ascending by id.
//!
//! Settings and input schema are JSON in the schema metadata (`custcore.settings`, `custcore.kinds`); report tallies and
//! batch ids are in the footer metadata (`custcore.account`). A base without an update
//! has no input schema and no columns. The bytes depend on the content only, not on the order of updates; therefore the row
//! numbers in the report are not stored.

mod settings;
pub(crate) mod table;

use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use serde::Serialize;
use serde::de::DeserializeOwned;

use self::settings::{AccountText, BaseSettings, KindNames};
use self::table::BaseFileLayout;
use crate::base::CustomerBase;
use crate::base::export::{BATCH, BaseLoader, CustomerRows};
use crate::column::chunks::InputSchema;
use crate::column::key_schema::KeyNames;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::exec::par::Threads;
use crate::num::money::LARGEST_UNITS;
use crate::state::spec::BaseSpec;
use crate::store::atomic::AtomicFile;
use crate::store::blocks::{Entries, Format, Reader, Writer};
use crate::store::bytes::Bytes;

/// The format of the file of a base. Version 2 has composite keys and extension types of ids; files without them are written as
/// version 1, which older readers know.
pub(crate) const FORMAT: Format = Format { name: "customer base", version: 2 };
const PLAIN_FORMAT: Format = Format { version: 1, ..FORMAT };

const SETTINGS: &str = "custcore.settings";
const KINDS: &str = "custcore.kinds";
const ACCOUNT: &str = "custcore.account";

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
        Ok(BaseDraft { file: self.write(file, path, context)?, path: path.to_owned() })
    }

    /// Reads a base from a file.
    pub fn load(path: &Path, context: &Context) -> Result<Self> {
        read(Reader::open(path, FORMAT)?, context)
    }

    /// The bytes of the file.
    pub fn to_bytes(&self, context: &Context) -> Result<Vec<u8>> {
        Ok(self.write(Bytes::default(), Path::new("bytes"), context)?.0)
    }

    /// A base from the bytes of a file.
    pub fn from_bytes(bytes: &[u8], context: &Context) -> Result<Self> {
        read(Reader::of_bytes(bytes, FORMAT)?, context)
    }

    fn write<W: Write + Send>(&self, to: W, path: &Path, context: &Context) -> Result<W> {
        let settings = BaseSettings::of(self.spec()).ok_or_else(|| {
            let message = "a base for a single call cannot be written to a file; use track='totals', 'days' or 'orders'";
            Error::new(ErrorKind::StateMismatch, message)
        })?;
        let mut entries = Entries::from([(SETTINGS.to_owned(), json(&settings)?)]);
        let known = self.known_parts();
        let roles = &self.spec().roles;
        let is_plain = !roles.customer_id.is_composite()
            && !roles.order_id.as_ref().is_some_and(KeyNames::is_composite)
            && known.as_ref().is_none_or(|(input_schema, ..)| input_schema.id.is_plain());
        let format = if is_plain { PLAIN_FORMAT } else { FORMAT };
        let Some((input_schema, state, account)) = known else {
            return Writer::new(to, path, format, &arrow_schema::Schema::empty(), entries)?.finish(&Entries::new());
        };
        let rows = state.interner.len();
        context.run_if_large(rows, |threads| {
            let customers = CustomerRows::of(state, threads);
            let (narrow, largest) = customers.largest_units();
            if largest > LARGEST_UNITS {
                let message =
                    "a sum of money has more than 38 digits, more than the file of a base holds. Cast the amounts to a smaller scale";
                return Err(Error::new(ErrorKind::SumOverflow, message));
            }
            let layout = BaseFileLayout::of(self.spec(), input_schema, !narrow, None);
            entries.insert(KINDS.to_owned(), json(&KindNames::of(input_schema, !narrow))?);
            let mut writer = Writer::new(to, path, format, layout.schema(), entries)?;
            write_batches(&mut writer, &layout, &customers, BATCH, (context, threads), |_, _| Ok(()))?;
            writer.finish(&Entries::from([(ACCOUNT.to_owned(), json(&AccountText::of(state, account))?)]))
        })?
    }
}

/// Writes all customers in batches of at most `most`; `written` is called with each batch and its size in bytes.
pub(crate) fn write_batches<W: Write>(
    writer: &mut Writer<W>,
    layout: &BaseFileLayout,
    customers: &CustomerRows<'_>,
    most: usize,
    (context, threads): (&Context, Threads<'_>),
    mut written: impl FnMut(&RecordBatch, u64) -> Result<()>,
) -> Result<()> {
    let batches = customers.batches(most);
    // If there are many, some batches at a time are built in parallel.
    let threads = threads.if_large(customers.len());
    for some in batches.chunks(threads.count()) {
        context.check()?;
        for batch in threads.par_tasks(some, |codes| layout.batch(customers, codes)) {
            let batch = batch?;
            let bytes = writer.write(&batch)?;
            written(&batch, bytes)?;
        }
    }
    Ok(())
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
    let layout = BaseFileLayout::of(&spec, &input_schema, wide, None);
    if layout.schema().fields() != reader.schema().fields() {
        return Err(reader.damaged("its columns do not match its settings"));
    }
    Ok((spec, Some((input_schema, layout))))
}

fn parsed<T: DeserializeOwned, R: Read + Seek>(reader: &Reader<R>, text: Option<&str>, wrong: &str) -> Result<T> {
    text.and_then(|text| serde_json::from_str(text).ok()).ok_or_else(|| reader.damaged(wrong))
}

fn read<R: Read + Seek + Send>(mut reader: Reader<R>, context: &Context) -> Result<CustomerBase> {
    // The number of rows is known only by batches; one batch is not worth threads.
    let rows = if reader.len() > 1 { usize::MAX } else { 0 };
    context.run_if_large(rows, |threads| read_here(&mut reader, context, threads))?
}

fn read_here<R: Read + Seek>(reader: &mut Reader<R>, context: &Context, threads: Threads<'_>) -> Result<CustomerBase> {
    let (spec, described) = described(reader)?;
    let Some((input_schema, layout)) = described else {
        if reader.is_empty() {
            return Ok(CustomerBase::of_parts(spec, None));
        }
        return Err(reader.damaged("it has customers but no input schema"));
    };
    let mut loader = BaseLoader::new(&input_schema, &spec, threads);
    for batch in 0..reader.len() {
        context.check()?;
        let rows = reader.batch(batch)?;
        layout.read(&rows, &mut loader).map_err(|failure| failure.of(reader))?;
    }
    let account: AccountText = parsed(reader, reader.entries().get(ACCOUNT).map(String::as_str), "its report cannot be read")?;
    let mut state = loader.finish();
    let account = account.fill(&mut state).ok_or_else(|| reader.damaged("its report cannot be read"))?;
    Ok(CustomerBase::of_parts(spec, Some((input_schema, state, account))))
}
