/// What an HDF5 file holds that leads out of it, in circles or nowhere. Nothing of it is followed.
extension HDF5Group {
  /// Findings for every link, and for every dataset whose elements are elsewhere.
  ///
  /// - Parameter skipped: places that have a finding already.
  func linkFindings(except skipped: Set<String>) -> [Finding] {
    var findings: [Finding] = []
    for (name, object) in children {
      let path = path(of: name)
      if case .group(let group) = object {
        findings += group.linkFindings(except: skipped)
      } else if !skipped.contains(path), let finding = object.linkFinding(at: path) {
        findings.append(finding)
      }
    }
    return findings
  }
}

extension HDF5Object {
  fileprivate func linkFinding(at path: String) -> Finding? {
    switch self {
    case .softLink(let target):
      return Finding(.warning, "soft-link", "a link to \"\(target)\", which is not followed", at: path)
    case .externalLink(let target):
      return Finding(.error, "external-link", "a link into the file \"\(target)\", which is not opened", at: path)
    case .other(let description) where description == Self.repeatedGroup:
      return Finding(
        .warning, "repeated-group", "a group that is listed at another path, perhaps around this one", at: path)
    case .dataset(let dataset):
      switch dataset.layout {
      case .external:
        return Finding(.error, "external-storage", "its elements are in another file, which is not opened", at: path)
      case .virtual:
        return Finding(.error, "virtual-dataset", "its elements are in other datasets, which are not read", at: path)
      default: return nil
      }
    case .group, .other: return nil
    }
  }
}
