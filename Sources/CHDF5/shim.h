#pragma once
#include <hdf5.h>

// HDF5's type and class constants are macros that call H5open() first, which Swift cannot import.
static inline hid_t nn_h5t_native_int8(void) { return H5T_NATIVE_INT8; }
static inline hid_t nn_h5t_native_int16(void) { return H5T_NATIVE_INT16; }
static inline hid_t nn_h5t_native_int32(void) { return H5T_NATIVE_INT32; }
static inline hid_t nn_h5t_native_int64(void) { return H5T_NATIVE_INT64; }
static inline hid_t nn_h5t_native_uint8(void) { return H5T_NATIVE_UINT8; }
static inline hid_t nn_h5t_native_uint16(void) { return H5T_NATIVE_UINT16; }
static inline hid_t nn_h5t_native_uint32(void) { return H5T_NATIVE_UINT32; }
static inline hid_t nn_h5t_native_uint64(void) { return H5T_NATIVE_UINT64; }
static inline hid_t nn_h5t_ieee_f32le(void) { return H5T_IEEE_F32LE; }
static inline hid_t nn_h5t_ieee_f64le(void) { return H5T_IEEE_F64LE; }
static inline hid_t nn_h5t_c_s1(void) { return H5T_C_S1; }
static inline hid_t nn_h5p_file_access(void) { return H5P_FILE_ACCESS; }

// The address of an object in its file, by which objects with several names are known; undefined where there is none.
static inline haddr_t nn_object_address(hid_t object) {
  H5O_info_t info;
  return H5Oget_info2(object, &info, H5O_INFO_BASIC) < 0 ? HADDR_UNDEF : info.addr;
}

// An object-like macro with a cast.
static inline unsigned nn_h5f_acc_rdonly(void) { return H5F_ACC_RDONLY; }
static inline haddr_t nn_haddr_undef(void) { return HADDR_UNDEF; }
static inline hid_t nn_h5s_all(void) { return H5S_ALL; }
static inline hid_t nn_h5p_default(void) { return H5P_DEFAULT; }
static inline hid_t nn_h5e_default(void) { return H5E_DEFAULT; }
static inline unsigned nn_h5f_acc_trunc(void) { return H5F_ACC_TRUNC; }
static inline size_t nn_h5t_variable(void) { return H5T_VARIABLE; }
static inline hid_t nn_h5p_dataset_create(void) { return H5P_DATASET_CREATE; }
