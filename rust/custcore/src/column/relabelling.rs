//! New ids for customers: pairs of old and new ids, checked and as they are stored.

use std::collections::HashMap;

use super::customer_id::{CustomerId, StoredId};
use super::key_schema::KeySchema;
use crate::error::{Error, ErrorKind, Result};

/// New ids, each old one with one new one.
#[derive(Debug)]
pub(crate) struct Relabelling {
    pairs: Vec<(StoredId, StoredId)>,
    /// New ids that the types of the columns do not hold.
    wider: Vec<(CustomerId, StoredId)>,
}

impl Relabelling {
    /// Checks pairs of (old, new). An old id that no column of its kind holds is in no base, and is left out.
    pub(crate) fn of(key: &KeySchema, pairs: &[(CustomerId, CustomerId)]) -> Result<Self> {
        let mut found = Self { pairs: Vec::with_capacity(pairs.len()), wider: Vec::new() };
        let mut targets: HashMap<StoredId, StoredId> = HashMap::with_capacity(pairs.len());
        for (old, new) in pairs {
            let (old_id, new_id) = (key.stored(old)?, key.stored_new(new)?);
            let Some(old_id) = old_id else { continue };
            if let Some(before) = targets.insert(old_id.clone(), new_id.clone())
                && before != new_id
                && before != old_id
            {
                let message = format!("the id {old} is mapped to two new ids; each id can have only one");
                return Err(Error::new(ErrorKind::InvalidArgument, message));
            }
            if !key.holds(new) {
                found.wider.push((new.clone(), new_id.clone()));
            }
            found.pairs.push((old_id, new_id));
        }
        Ok(found)
    }

    /// The pairs.
    pub(crate) fn pairs(&self) -> &[(StoredId, StoredId)] {
        &self.pairs
    }

    /// Widens the types to hold the new ids that were taken up, as an update with them would.
    pub(crate) fn widen(&self, key: &mut KeySchema, is_taken_up: impl Fn(&StoredId) -> bool) -> Result<()> {
        self.wider.iter().filter(|(_, id)| is_taken_up(id)).try_for_each(|(new, _)| key.widen_to_hold(new))
    }
}

#[cfg(test)]
mod tests {
    use arrow_schema::DataType;

    use super::*;
    use crate::column::key_schema::KeyPart;

    #[test]
    fn ids_have_one_new_id_each_and_widen_the_type_if_taken_up() -> Result<()> {
        let mut key = KeySchema::new(vec![KeyPart::new("id", "customer_id", &DataType::Int8)?]);
        let ids = |pairs: &[(i128, i128)]| {
            pairs.iter().map(|(old, new)| (CustomerId::Integer(*old), CustomerId::Integer(*new))).collect::<Vec<_>>()
        };
        assert!(Relabelling::of(&key, &ids(&[(1, 2), (1, 3)])).is_err());
        assert!(Relabelling::of(&key, &ids(&[(1, 1_i128 << 64)])).is_err());
        assert!(Relabelling::of(&key, &ids(&[(1_i128 << 64, 1)]))?.pairs().is_empty());
        let wide = Relabelling::of(&key, &ids(&[(1, 1), (1, 1_000), (1, 1_000)]))?;
        wide.widen(&mut key, |_| false)?;
        assert_eq!(key.parts()[0].value_type, DataType::Int8);
        wide.widen(&mut key, |id| *id == StoredId::Integer(1_000))?;
        assert_eq!(key.parts()[0].value_type, DataType::Int64);
        Ok(())
    }
}
