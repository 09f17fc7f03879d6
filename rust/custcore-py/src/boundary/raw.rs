//! The structs of the Arrow C data interface, as specified, and their ownership.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr;

/// `struct ArrowSchema`.
#[repr(C)]
pub struct RawSchema {
    pub format: *const c_char,
    pub name: *const c_char,
    pub metadata: *const c_char,
    pub flags: i64,
    pub n_children: i64,
    pub children: *mut *mut Self,
    pub dictionary: *mut Self,
    pub release: Option<unsafe extern "C" fn(*mut Self)>,
    pub private_data: *mut c_void,
}

/// `struct ArrowArray`.
#[repr(C)]
pub struct RawArray {
    pub length: i64,
    pub null_count: i64,
    pub offset: i64,
    pub n_buffers: i64,
    pub n_children: i64,
    pub buffers: *mut *const c_void,
    pub children: *mut *mut Self,
    pub dictionary: *mut Self,
    pub release: Option<unsafe extern "C" fn(*mut Self)>,
    pub private_data: *mut c_void,
}

/// `struct ArrowArrayStream`.
#[repr(C)]
pub struct RawStream {
    pub get_schema: Option<unsafe extern "C" fn(*mut Self, *mut RawSchema) -> c_int>,
    pub get_next: Option<unsafe extern "C" fn(*mut Self, *mut RawArray) -> c_int>,
    pub get_last_error: Option<unsafe extern "C" fn(*mut Self) -> *const c_char>,
    pub release: Option<unsafe extern "C" fn(*mut Self)>,
    pub private_data: *mut c_void,
}

/// A struct of the C data interface; all zeros is a released struct.
pub trait Raw: Sized {
    /// The released struct.
    fn empty() -> Self {
        // SAFETY: all fields of the three structs are integers, raw pointers or optional functions, for which zero is valid.
        unsafe { std::mem::zeroed() }
    }
    /// Calls the release callback, if there is one.
    fn release(&mut self);
    /// Whether it was released or moved from.
    fn is_released(&self) -> bool;
}

macro_rules! raw {
    ($name:ident) => {
        impl Raw for $name {
            fn release(&mut self) {
                if let Some(release) = self.release {
                    // SAFETY: a struct that is not released is owned by its holder, which calls `release` once; the callback sets it to null.
                    unsafe { release(ptr::from_mut(self)) };
                }
            }
            fn is_released(&self) -> bool {
                self.release.is_none()
            }
        }
    };
}
raw!(RawSchema);
raw!(RawArray);
raw!(RawStream);

/// Owns a struct of the C data interface and releases it on drop.
pub struct Owned<T: Raw>(T);

// SAFETY: the specification lets a consumer use and release a struct from any one thread at a time; arrays are
// read-only memory, streams are only ever used through `&mut`.
unsafe impl<T: Raw> Send for Owned<T> {}
// SAFETY: shared access reads plain fields and immutable buffers; nothing is called through `&`.
unsafe impl<T: Raw> Sync for Owned<T> {}
// Buffers refer to an array by `Arc`; a panic cannot leave it inconsistent.
impl<T: Raw> std::panic::RefUnwindSafe for Owned<T> {}

impl<T: Raw> Owned<T> {
    /// A released struct, to be filled by a producer.
    pub fn empty() -> Self {
        Self(T::empty())
    }

    /// Moves a struct out of the producer's memory and leaves a released one there.
    ///
    /// # Safety
    /// `from` must point to a valid struct of this type that is not accessed concurrently.
    pub unsafe fn take(from: *mut T) -> Self {
        // SAFETY: by contract of this function.
        Self(unsafe { ptr::replace(from, T::empty()) })
    }

    pub fn get(&self) -> &T {
        &self.0
    }

    pub fn get_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T: Raw> Drop for Owned<T> {
    fn drop(&mut self) {
        self.0.release();
    }
}

/// A C string as text; `None` if it is null, an error if it is not UTF-8.
///
/// # Safety
/// `text` must be null or point to a null-terminated string that outlives the result.
pub unsafe fn text<'a>(text: *const c_char) -> Option<Result<&'a str, std::str::Utf8Error>> {
    if text.is_null() {
        return None;
    }
    // SAFETY: by contract of this function.
    Some(unsafe { CStr::from_ptr(text) }.to_str())
}

/// Element `i` of an array of `n` pointers; `None` if it is out of bounds or null.
///
/// # Safety
/// `pointers` must be null or point to `n` pointers, each null or valid for the lifetime of the result.
pub unsafe fn child<'a, T>(pointers: *mut *mut T, n: i64, i: usize) -> Option<&'a T> {
    if pointers.is_null() || i64::try_from(i).is_ok_and(|i| i >= n) {
        return None;
    }
    // SAFETY: by contract of this function; `i` is below `n`.
    unsafe { (*pointers.add(i)).as_ref() }
}
