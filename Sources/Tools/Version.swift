import NNEngine
import NNFormat

/// The version of the toolkit, as CHANGELOG.md counts it.
let nnfmtVersion = FormatInformation.version

/// What `nnfmt --version --verbose` adds.
enum VersionReport {
  static func print() {
    var table = Table(("", .left), ("", .left))
    table.add("instruction set", InstructionSet.best.rawValue)
    for (operation, kernel) in KernelTable.current.names { table.add(operation, kernel) }
    table.add("threads", String(ThreadPool.onlineProcessorCount))
    for (library, version) in FormatInformation.libraries { table.add(library, version) }
    for line in table.lines().dropFirst() { Swift.print(line) }
    if let warning = InstructionSet.environmentError() { Terminal.note("nnfmt: \(warning)") }
  }
}
