import NNFormat
import TestSupport

/// Files with one of every kind of object, in the dialects that `hdf5_kinds.py` writes.
let kindsFiles = ["kinds.h5", "kinds_latest.h5", "kinds_user_block.h5"]

/// The root of a file in `fixtures/hdf5`.
func kindsRoot(_ name: String) throws -> HDF5Group {
  try HDF5Index(ByteRegion(MappedFile(path: Fixtures.path("hdf5/\(name)")))).root
}

extension HDF5Group {
  /// The dataset at a relative path, or an error that names it.
  func requiredDataset(_ path: String) throws -> HDF5Dataset {
    guard case .dataset(let dataset) = object(at: path) else {
      throw FormatError(.missing, "no dataset", at: path)
    }
    return dataset
  }

  /// Every dataset at or below the group.
  var allDatasets: [HDF5Dataset] {
    children.values.flatMap { object in
      switch object {
      case .group(let group): group.allDatasets
      case .dataset(let dataset): [dataset]
      default: [HDF5Dataset]()
      }
    }
  }
}
